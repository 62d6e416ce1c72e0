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
from pointprompt.settings import JointRule
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

_DEFAULT = JointRule()


class Margins(NamedTuple):
    """What a concept says of one image.

    Attributes:
        tokens: (h, w) float32 in [-1, 1]: how far inside (above 0) or outside (below) the mask a
            token is. Exactly 1 or -1 at the tokens that were clicked and nowhere else.
        heatmap: (h, w) float32 in [0, 1]: above the rule's threshold where `tokens` is above 0.
        presence: In [0, 1]: how sure it is that the thing is in the image at all.
    """

    tokens: FloatArray
    heatmap: FloatArray
    presence: float


def margins(
    concept: Concept,
    codes: Codes,
    image: int | None = None,
    *,
    rule: JointRule = _DEFAULT,
    clicked: Mapping[tuple[int, int], int] | None = None,
) -> Margins:
    """The margins of an image's tokens, their heatmap, and the image's presence.

    Args:
        concept: From `concept.fit`.
        codes: (h, w, d), of the image.
        image: Its number; None where it is none of those that were clicked.
        rule: The threshold and gamma.
        clicked: Row and column of the tokens that were clicked in it, with their labels, 1 or -1.

    With f and g of `Concept` less the `boundary` b of the rule, and `best` the mean over the
    highest values, so large a share of them:

        empty        where nobody clicked "this", and best(g, SURE_SHARE) <= SURE
        margin(x)  = f(x), and -|f(x)| in an empty image
        heatmap(x) = ((margin(x) + b + 1) / 2) ** gamma
        presence   = (best(g, PRESENCE_SHARE) + 1) / 2, with -|g(x)| in an empty image

    all within -1 and 1, or 0 and 1, and f and g 1 or -1 on the tokens that were clicked.
    """
    border = np.float32(boundary(rule))
    of_tokens = concept.tokens.scores(_flat(codes.centred), image) - border
    of_whole = _bounded(concept.whole.scores(_flat(codes.plain), image) - border)
    if image not in concept.sure_of and _mean_of_best(of_whole, SURE_SHARE) <= SURE:
        for scores in (of_tokens, of_whole):
            np.negative(np.abs(scores), out=scores)
    heatmap: FloatArray = np.clip((of_tokens + (border + 1)) / 2, 0, 1)
    if rule.gamma != 1:
        heatmap **= np.float32(rule.gamma)
    of_tokens = _bounded(of_tokens)
    h, w, _ = codes.plain.shape
    for (row, column), label in (clicked or {}).items():
        token = row * w + column
        of_tokens[token] = of_whole[token] = label
        heatmap[token] = max(label, 0)
    presence = (_mean_of_best(of_whole, PRESENCE_SHARE) + 1) / 2
    return Margins(of_tokens.reshape(h, w), heatmap.reshape(h, w), presence)


def boundary(rule: JointRule) -> float:
    """What f must be above inside: where ((f + 1) / 2) ** gamma is the threshold.

    In [-1, 1]; 0 for a threshold of 0.5 and a gamma of 1.
    """
    return float(2 * rule.threshold ** (1 / rule.gamma) - 1)


def _flat(codes: FloatArray) -> FloatArray:
    return codes.reshape(-1, codes.shape[-1])


def _bounded(scores: FloatArray) -> FloatArray:
    bounded: FloatArray = np.clip(scores, -_INSIDE, _INSIDE)
    return bounded


def _mean_of_best(scores: FloatArray, share: float) -> float:
    """The mean of the highest scores (t,), so large a share of them."""
    best = max(1, round(share * len(scores)))
    return float(np.partition(scores, -best)[-best:].mean())
