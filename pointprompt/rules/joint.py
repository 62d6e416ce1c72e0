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

    With f of `Concept.tokens`, s of `Looks.of_image`, l a token's likeness to the nearest of the k
    looks, and b the `boundary` of the rule:

        g(x)       = f(x) + OF_LOOKS (1 - 1 / k) (l(x) - USUALLY_LIKE)
        empty        where nobody clicked "this", and s <= b
        margin(x)  = g(x) - b, and -|g(x) - b| in an empty image
        heatmap(x) = ((margin(x) + b + 1) / 2) ** gamma
        presence   = (s - b + 1) / 2

    all within -1 and 1, or 0 and 1, and the margin 1 or -1 on the tokens that were clicked.
    """
    border = np.float32(boundary(rule))
    tokens = codes.flat()
    likeness = concept.looks.likeness(tokens.plain)
    of_tokens = concept.tokens.scores(tokens.centred, image)
    of_tokens += concept.looks.of_tokens(likeness) - border
    of_image = concept.looks.of_image(likeness) - float(border)
    if image not in concept.sure_of and of_image <= 0:
        np.negative(np.abs(of_tokens), out=of_tokens)
    heatmap: FloatArray = np.clip((of_tokens + (border + 1)) / 2, 0, 1)
    if rule.gamma != 1:
        heatmap **= np.float32(rule.gamma)
    of_tokens = np.clip(of_tokens, -_INSIDE, _INSIDE)
    h, w, _ = codes.plain.shape
    for (row, column), label in (clicked or {}).items():
        token = row * w + column
        of_tokens[token] = label
        heatmap[token] = max(label, 0)
    presence = min(max((of_image + 1) / 2, 0.0), 1.0)
    return Margins(of_tokens.reshape(h, w), heatmap.reshape(h, w), presence)


def boundary(rule: JointRule) -> float:
    """What f must be above inside: where ((f + 1) / 2) ** gamma is the threshold.

    In [-1, 1]; 0 for a threshold of 0.5 and a gamma of 1.
    """
    return float(2 * rule.threshold ** (1 / rule.gamma) - 1)
