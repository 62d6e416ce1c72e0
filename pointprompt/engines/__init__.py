"""Where the heavy part of an analysis runs.

Knows how to compute the first part of an analysis. Knows nothing of who asks for it.

    engine.py         what all such places can do, and this process
    zerogpu.py        a GPU that a Space borrows for every analysis
"""
