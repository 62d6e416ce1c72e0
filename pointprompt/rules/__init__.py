"""Clicks -> margins and masks of tokens. No torch but for the tutorial's rule.

Knows clicks, codes and eigenvectors. Knows nothing of pixels, sessions, HTTP or files.

    predictor.py      the door: either rule, and what both share
    concept.py        our own rule: labelled codes to a concept
    joint.py          our own rule: a concept and one image to its margins
    tutorial.py       the tutorial's rule, exactly
    one_only.py       of several alike things, the one that was meant
"""
