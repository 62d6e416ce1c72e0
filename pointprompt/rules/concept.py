"""Labelled codes -> a concept: a fitted prompt, by our own rule.

Knows codes. Does not know tokens, images but by their number, or what is made of a concept: `joint`
finds the margins of an image with it.

The first positive click makes a guess from how like its code another one is. Every further click,
in their order, mends the guess around its own code: a bump just high enough to bring that code to
where its label wants it, and never reaching as far as a click of the other label. A click that is
already right adds nothing of its own.

In its own image a click answers what the person sees. In all others it is a guess, and a negative
one the worse: it takes away what only looks like the wrong thing. There it reaches less far.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pointprompt.types import Codes, FloatArray

# Each was chosen on every second evaluation set, and checked on the others.
# Likeness to the first click above which a code, as it is, belongs to the first guess.
UNCENTRED_LEVEL = 0.25
# How far beyond the boundary a further click brings its own code.
STEP = 0.5
# Difference (1 less likeness) over which the influence of a click falls by the factor e.
REACH = 0.2
# The same of a negative click, in the images it was not made in. As much as `REACH` gains nothing,
# and lets twice as many clicks do harm there.
NEGATIVE_REACH_ELSEWHERE = 0.12
# What is left of a click's influence at the nearest click of the other label, at most.
LEFT_AT_OPPOSITE = 0.2


@dataclass(frozen=True)
class Level:
    """The likeness to the first click above which a code belongs to the first guess.

    Attributes:
        own: In that click's own image.
        elsewhere: In all others.
    """

    own: float
    elsewhere: float

    def guess(self, likeness: FloatArray, own: NDArray[np.bool_] | np.bool_) -> FloatArray:
        """The first guess (t,) float32 of codes that are so like the first click."""
        level = np.where(own, np.float32(self.own), np.float32(self.elsewhere))
        guess: FloatArray = (likeness - level) / (1 - level)
        return guess


# Where nothing is known of what was clicked.
USUAL = Level(0.30, 0.30)


@dataclass(frozen=True)
class Bumps:
    """A first guess and what mends it: a function of codes.

    Attributes:
        level: Likeness to the first click at which the guess is 0.
        codes: (1 + b, d) float32, of the first positive click, whose guess it is, and of the clicks
            that mend, in their order.
        heights: (b,) float32, what each adds at its own code.
        reach: (b,) float32, the difference over which that falls by the factor e in its own image.
        reach_elsewhere: (b,) float32, the same in all others.
        first: The image of the first click.
        images: (b,) int, the image of each of the others.
    """

    level: Level
    codes: FloatArray = field(repr=False)
    heights: FloatArray = field(repr=False)
    reach: FloatArray = field(repr=False)
    reach_elsewhere: FloatArray = field(repr=False)
    first: int
    images: NDArray[np.intp] = field(repr=False)

    def scores(self, codes: FloatArray, image: int | None) -> FloatArray:
        """The function's values (t,) float32 of codes (t, d) of one image, above 0 for "this".

        Args:
            codes: (t, d) float32, each of length 1.
            image: The number of their image; None where no click was made in it.
        """
        likeness = self.codes @ codes.T
        scores = self.level.guess(likeness[0], np.bool_(self.first == image))
        if len(self.heights):
            reach = np.where(self.images == image, self.reach, self.reach_elsewhere)
            scores += self.heights @ _influence(likeness[1:], reach[:, None])
        return scores


@dataclass(frozen=True)
class Concept:
    """A fitted prompt: a few kB that say of the tokens of any image whether they are "this".

    It holds in the terms of the analysis its codes are from.

    Attributes:
        tokens: f, of centred codes: which tokens. A foreign or blank image does not move these.
        whole: g, of the codes as they are: whether an image has the thing at all. Centring takes
            away a part of what all of an image shares, and that tells more about this.
        sure_of: The images in which "this" was clicked.
    """

    tokens: Bumps
    whole: Bumps
    sure_of: frozenset[int]


def fit(
    codes: Codes, images: NDArray[np.intp], labels: NDArray[np.intp], level: Level = USUAL
) -> Concept:
    """The concept of clicks.

    Args:
        codes: (m, d), of the clicked tokens, each token once, in the order of the clicks.
        images: (m,) int, the image of each.
        labels: (m,) int, 1 for "this" and -1 for "not this".
        level: How like the first positive click a centred code must be.

    Raises:
        ValueError: No label is 1.

    The equations of f, with l(x, y) = z(x) . z(y) of centred codes z, and the clicks x1 (the first
    positive one), x2, ... with labels y = 1 or -1:

        f1(x) = (l(x, x1) - level) / (1 - level)
        fj(x) = f(x) + max(0, STEP - yj f(xj)) yj exp(-(1 - l(x, xj)) / tj(x)),   j = 2, 3, ...
        tj(x) = min(REACH, (1 - l of the nearest click of the other label) / ln(1 / LEFT))

    with `NEGATIVE_REACH_ELSEWHERE` in the place of `REACH` where yj is -1 and x in another image,
    and LEFT for `LEFT_AT_OPPOSITE`. Those of g are the same, with the codes as they are in the
    place of z, and `UNCENTRED_LEVEL` for the level.

    Source: the passive-aggressive update (Crammer et al. 2006, Online Passive-Aggressive
        Algorithms, section 3, with a kernel), its kernel's width limited by the clicks themselves.
    """
    if not (labels == 1).any():
        raise ValueError("A concept needs a positive click.")
    return Concept(
        tokens=_fit(codes.centred, images, labels, level),
        whole=_fit(codes.plain, images, labels, Level(UNCENTRED_LEVEL, UNCENTRED_LEVEL)),
        sure_of=frozenset(images[labels == 1].tolist()),
    )


def _fit(
    codes: FloatArray, images: NDArray[np.intp], labels: NDArray[np.intp], level: Level
) -> Bumps:
    likeness = codes @ codes.T
    first = int(np.argmax(labels == 1))
    scores = level.guess(likeness[first], images == images[first])
    mending, heights, reaches, reaches_elsewhere = [], [], [], []
    for j in (j for j in range(len(labels)) if j != first):
        missing = STEP - labels[j] * scores[j]
        if missing <= 0:
            continue
        opposite = likeness[j, labels != labels[j]].max(initial=-np.inf)
        most = max(1 - opposite, 1e-3) / math.log(1 / LEFT_AT_OPPOSITE)
        reach = min(REACH, most)
        elsewhere = min(REACH if labels[j] > 0 else NEGATIVE_REACH_ELSEWHERE, most)
        height = labels[j] * missing
        scores += height * _influence(likeness[j], np.where(images == images[j], reach, elsewhere))
        mending.append(j)
        heights.append(height)
        reaches.append(reach)
        reaches_elsewhere.append(elsewhere)
    return Bumps(
        level=level,
        codes=codes[[first, *mending]],
        heights=np.array(heights, np.float32),
        reach=np.array(reaches, np.float32),
        reach_elsewhere=np.array(reaches_elsewhere, np.float32),
        first=int(images[first]),
        images=images[mending],
    )


def _influence(likeness: FloatArray, reach: FloatArray) -> FloatArray:
    """What is left of a click where a code is so like its own, 1 at its own: of the arrays' shape.

    Args:
        likeness: float32, of codes to clicks.
        reach: Of the click in the image of the code; of that shape, or spread to it.
    """
    influence: FloatArray = np.exp((likeness - 1) / reach.astype(np.float32))
    return influence
