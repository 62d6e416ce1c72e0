"""Clicks -> margins and masks of tokens. No torch but for the tutorial's rule.

predictor.py    the door: either rule, and what both share
joint.py        our own rule, all clicks together
tutorial.py     the tutorial's rule, exactly
one_only.py     of several alike things, the one that was meant
"""
