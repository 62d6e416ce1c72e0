"""Measurements of pointprompt: how fast it is, and how good its masks are."""
