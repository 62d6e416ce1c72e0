"""Measurements of pointprompt: how fast it is, how good its masks are, what long use does to it.

Each is a command of its own. With `--docs` it also writes its tables into their places in docs/.
"""
