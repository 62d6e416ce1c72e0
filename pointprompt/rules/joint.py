"""A concept and the codes of an image -> its margins and its presence, by our own rule.

Knows concepts and codes. Does not know clicks, pixels, sessions, HTTP or files.

What is said of an image depends on the concept and on that image alone: other images of the set
change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pointprompt.rules.concept import Concept
from pointprompt.types import Codes, FloatArray

# Each was chosen on every second evaluation set, and checked on the others.
# An image that nobody clicked "this" in has the thing only where the mean of g over this share of
# its tokens, the best ones, is above that. Few tokens, for the thing may be small.
SURE_SHARE = 0.0025
SURE = 0.1
# Presence is the mean of g over this share of an image's tokens, the best ones.
PRESENCE_SHARE = 0.01

# The largest number below 1: that itself is for tokens that were clicked.
_INSIDE = np.nextafter(np.float32(1), np.float32(0))


class Margins(NamedTuple):
    """What a concept says of one image.

    Attributes:
        tokens: (h, w) float32 in [-1, 1]: how far inside (above 0) or outside (below) the mask a
            token is. Exactly 1 or -1 at the tokens that were clicked and nowhere else.
        presence: In [0, 1]: how sure it is that the thing is in the image at all.
    """

    tokens: FloatArray
    presence: float


def margins(
    concept: Concept,
    codes: Codes,
    image: int | None = None,
    *,
    clicked: Mapping[tuple[int, int], int] | None = None,
    more: float = 0,
) -> Margins:
    """The margins of an image's tokens, and its presence.

    Args:
        concept: From `concept.fit`.
        codes: (h, w, d), of the image.
        image: Its number; None where it is none of those that were clicked.
        clicked: Row and column of the tokens that were clicked in it, with their labels, 1 or -1.
        more: Added to f and g: above 0 takes more in.

    With f and g of `Concept`, and `best` the mean over the highest values, so large a share of
    them:

        empty       where nobody clicked "this", and best(g, SURE_SHARE) <= SURE
        margin(x) = f(x), and -|f(x)| in an empty image
        presence  = (best(g, PRESENCE_SHARE) + 1) / 2, with -|g(x)| in an empty image

    with f and g 1 or -1 on the tokens that were clicked.
    """
    of_tokens = _bounded(concept.tokens.scores(_flat(codes.centred), image), more)
    of_whole = _bounded(concept.whole.scores(_flat(codes.plain), image), more)
    empty = image not in concept.sure_of and _mean_of_best(of_whole, SURE_SHARE) <= SURE
    h, w, _ = codes.plain.shape
    for scores in (of_tokens, of_whole):
        if empty:
            np.negative(np.abs(scores), out=scores)
        for (row, column), label in (clicked or {}).items():
            scores[row * w + column] = label
    presence = (_mean_of_best(of_whole, PRESENCE_SHARE) + 1) / 2
    return Margins(of_tokens.reshape(h, w), presence)


def _flat(codes: FloatArray) -> FloatArray:
    return codes.reshape(-1, codes.shape[-1])


def _bounded(scores: FloatArray, more: float) -> FloatArray:
    bounded: FloatArray = np.clip(scores + np.float32(more), -_INSIDE, _INSIDE)
    return bounded


def _mean_of_best(scores: FloatArray, share: float) -> float:
    """The mean of the highest scores (t,), so large a share of them."""
    best = max(1, round(share * len(scores)))
    return float(np.partition(scores, -best)[-best:].mean())
