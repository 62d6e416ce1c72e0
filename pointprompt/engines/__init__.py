"""Where the heavy part of an analysis runs.

    engine.py         what all such places can do, and this process
    zerogpu.py        a GPU that a Space borrows for every analysis
"""
