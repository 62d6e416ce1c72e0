"""Labelled codes -> a concept: a fitted prompt, by our own rule.

Knows codes. Does not know tokens, images but by their number, or what is made of a concept: `joint`
finds the margins of an image with it.

The first positive click makes a guess from how like its code another one is. Every further click,
in their order, mends the guess around its own code: a bump that brings that code to where its label
wants it, and that gives way wherever a code is more like an earlier click of the other label. A
click that is already right adds nothing of its own, and still holds its ground against others.

In its own image a click answers what the person sees. In all others it is a guess, and takes codes
hardly beyond the boundary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pointprompt.analysis.codes import unit
from pointprompt.types import Codes, FloatArray

# Each was chosen on every second evaluation set, and checked on the others.
# The first guess of what is nothing like the first click: no more than further clicks can overcome
# around them, when another thing is meant as well.
LEAST_GUESS = -0.5
# How far beyond the boundary a further click brings its own code, in its own image and in others.
# As much in others gains a little, and lets half as many clicks again do harm there.
STEP = 0.4
STEP_ELSEWHERE = 0.15
# Difference (1 less likeness) over which the influence of a click falls by the factor e.
REACH = 0.4
# How much liker a code must be to a click than to the nearest earlier one of the other label for
# their influence to be as e to 1.
TIE = 0.1
# Share of an image's tokens, those most like the thing, that say whether it is there. Few, for the
# thing may be small.
BEST = 0.0025
# How like the thing they must be: at least that, and such a part of what is to be expected, which
# so many images say.
LEAST_LIKE = 0.3
OF_EXPECTED = 0.85
ENOUGH = 3
# How like the looks a token must be for them to say nothing of it, and how much they say at most.
USUALLY_LIKE = 0.45
OF_LOOKS = 0.5


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
        guess: FloatArray = np.maximum((likeness - level) / (1 - level), np.float32(LEAST_GUESS))
        return guess


# Where nothing is known of what was clicked.
USUAL = Level(0.30, 0.30)


@dataclass(frozen=True)
class Bumps:
    """A first guess and what mends it: a function of codes.

    Attributes:
        level: Likeness to the first click at which the guess is 0.
        codes: (m, d) float32, of all clicks: the first positive one, whose guess it is, and then
            the others in their order.
        images: (m,) int, the image of each.
        labels: (m,) int, 1 or -1.
        heights: (m,) float32, what each adds or takes at its own code, in its own image.
        heights_elsewhere: (m,) float32, the same in all others.
    """

    level: Level
    codes: FloatArray = field(repr=False)
    images: NDArray[np.intp] = field(repr=False)
    labels: NDArray[np.intp] = field(repr=False)
    heights: FloatArray = field(repr=False)
    heights_elsewhere: FloatArray = field(repr=False)

    def scores(self, codes: FloatArray, image: int | None) -> FloatArray:
        """The function's values (t,) float32 of codes (t, d) of one image, above 0 for "this".

        Args:
            codes: (t, d) float32, each of length 1.
            image: The number of their image; None where no click was made in it.
        """
        likeness = self.codes @ codes.T
        own = self.images == image
        scores = self.level.guess(likeness[0], own[0])
        heights = self.labels * np.where(own, self.heights, self.heights_elsewhere)
        for click in np.flatnonzero(heights):
            scores += heights[click] * _influence(likeness, self.labels, int(click))
        return scores


@dataclass(frozen=True)
class Looks:
    """What the thing looks like where it was clicked.

    It says whether an image has it at all, and which tokens are more like it.

    Attributes:
        codes: (k, d) float32 of length 1, of codes as they are: one of each image with a click.
        level: How like one of them the best tokens of an image must be.
    """

    codes: FloatArray = field(repr=False)
    level: float

    def likeness(self, codes: FloatArray) -> FloatArray:
        """How like the nearest look codes (t, d) are, (t,) float32."""
        return _likeness_to_nearest(self.codes, codes)

    def of_tokens(self, likeness: FloatArray) -> FloatArray:
        """What is added to tokens' scores, (t,) float32: 0 with one look, which says little."""
        weight = OF_LOOKS * (1 - 1 / len(self.codes))
        return np.float32(weight) * (likeness - np.float32(USUALLY_LIKE))

    def of_image(self, likeness: FloatArray) -> float:
        """Above 0 where the image of all these tokens (t,) has the thing, and at most 1."""
        return (_best(likeness) - self.level) / (1 - self.level)


@dataclass(frozen=True)
class Concept:
    """A fitted prompt: a few kB that say of the tokens of any image whether they are "this".

    It holds in the terms of the analysis its codes are from.

    Attributes:
        tokens: f, of centred codes: which tokens. A foreign or blank image does not move these.
        looks: Of codes as they are: whether an image has the thing at all. Centring takes away a
            part of what all of an image shares, and that tells more about this.
        sure_of: The images in which "this" was clicked.
    """

    tokens: Bumps
    looks: Looks
    sure_of: frozenset[int]

    def knows(self, code: FloatArray, image: int, label: int) -> bool:
        """Whether it was fitted to a click on a token of this centred code (d,)."""
        of = self.tokens
        same = (of.images == image) & (of.labels == label) & (of.codes == code).all(axis=1)
        return bool(same.any())


def fit(
    codes: Codes,
    images: NDArray[np.intp],
    labels: NDArray[np.intp],
    seen: Mapping[int, Codes],
    level: Level = USUAL,
    *,
    start: Concept | None = None,
) -> Concept:
    """The concept of clicks.

    Args:
        codes: (m, d), of the clicked tokens, each token once, in the order of the clicks.
        images: (m,) int, the image of each.
        labels: (m,) int, 1 for "this" and -1 for "not this".
        seen: Of each image with a label of 1, the codes (t, d) of all its tokens.
        level: How like the first positive click a centred code must be.
        start: A concept that the clicks go on from, as if they came after its own; then any labels
            will do, and the level is that of the start. Its looks stay, and how like them an image
            must be; looks of `seen` come to them.

    Raises:
        ValueError: No label is 1, and there is no start.

    The equations of f, with l(x, y) = z(x) . z(y) of centred codes z, and the clicks x1 (the first
    positive one), x2, ... with labels y = 1 or -1:

        f1(x) = max(LEAST_GUESS, (l(x, x1) - level) / (1 - level))
        fj(x) = f(x) + yj max(0, STEP - yj f(xj)) wj(x),   j = 2, 3, ...
        wj(x) = exp(-(1 - l(x, xj)) / REACH) / (1 + exp((oj(x) - l(x, xj)) / TIE))
        oj(x) = the largest l(x, xi) of the clicks i < j with the other label

    with `STEP_ELSEWHERE` in the place of `STEP` where x is in another image. Those of the looks,
    with codes e as they are:

        u(i)    = unit(sum of max(f, 0) e over the tokens of image i, and of e of those with y = 1)
        look(i) = unit(u(i) + unit(sum of u)),   i in the k images with y = 1
        level   = LEAST_LIKE, and from `ENOUGH` images on at least OF_EXPECTED times the mean, over
                  them, of how like the looks of all the others the best tokens of one are

    Sources: The passive-aggressive update (Crammer et al. 2006, Online Passive-Aggressive
        Algorithms, section 3, with a kernel), gated by the nearest click of either label as a
        mixture of experts is (Jacobs et al. 1991, Adaptive Mixtures of Local Experts, equation 1).
        Looks are the prototypes of Snell et al. 2017, Prototypical Networks for Few-shot Learning,
        equation 1, each drawn half way to their mean; their level leaves one image out.
    """
    if start is not None:
        tokens = _mended(start.tokens, codes.centred, images, labels)
    elif (labels == 1).any():
        first = int(np.argmax(labels == 1))
        one, others = [first], np.delete(np.arange(len(labels)), first)
        z, none = codes.centred, np.zeros(1, np.float32)
        guess = Bumps(level, z[one], images[one], labels[one], none, none)
        tokens = _mended(guess, z[others], images[others], labels[others])
    else:
        raise ValueError("A concept needs a positive click.")
    means = []
    for image, its in seen.items():
        inside = np.maximum(tokens.scores(its.centred, image), 0) @ its.plain
        this = codes.plain[(images == image) & (labels == 1)]
        means.append(unit(inside + this.sum(axis=0)))
    if start is None:
        looks = _looks(np.array(means), [its.plain for its in seen.values()])
        return Concept(tokens, looks, frozenset(seen))
    all_looks = np.array([*start.looks.codes, *means])
    looks = Looks(_to_their_mean(all_looks) if means else all_looks, start.looks.level)
    return Concept(tokens, looks, start.sure_of | frozenset(seen))


def _looks(means: FloatArray, seen: Sequence[FloatArray]) -> Looks:
    """The looks of the thing.

    Args:
        means: (k, d) float32 of length 1, u of each image.
        seen: The codes (t, d) of each image.
    """
    level = LEAST_LIKE
    if len(means) >= ENOUGH:
        others = (_to_their_mean(np.delete(means, image, axis=0)) for image in range(len(means)))
        expected = [
            _best(_likeness_to_nearest(looks, codes))
            for looks, codes in zip(others, seen, strict=True)
        ]
        level = max(level, OF_EXPECTED * float(np.mean(expected)))
    return Looks(_to_their_mean(means), level)


def _to_their_mean(codes: FloatArray) -> FloatArray:
    """The codes (k, d), each half way to the mean of all."""
    return unit(codes + unit(codes.sum(axis=0)))


def _likeness_to_nearest(looks: FloatArray, codes: FloatArray) -> FloatArray:
    """How like the nearest look (k, d) codes (t, d) are, (t,) float32."""
    likeness: FloatArray = (looks @ codes.T).max(axis=0)
    return likeness


def _best(likeness: FloatArray) -> float:
    """The mean of the highest ones (t,), so large a share as `BEST`."""
    best = max(1, round(BEST * len(likeness)))
    return float(np.partition(likeness, -best)[-best:].mean())


def _mended(
    bumps: Bumps, codes: FloatArray, images: NDArray[np.intp], labels: NDArray[np.intp]
) -> Bumps:
    """The bumps with those of further clicks (m, d), in their order."""
    were = len(bumps.codes)
    codes = np.concatenate([bumps.codes, codes])
    images, labels = np.r_[bumps.images, images], np.r_[bumps.labels, labels]
    none = np.zeros(len(codes) - were, np.float32)
    heights = np.concatenate([bumps.heights, none])
    heights_elsewhere = np.concatenate([bumps.heights_elsewhere, none])
    likeness = codes @ codes.T
    scores = bumps.level.guess(likeness[0], images == images[0])
    for click in range(1, len(codes)):
        if click >= were:
            right = labels[click] * scores[click]
            heights[click] = max(0, STEP - right)
            heights_elsewhere[click] = max(0, STEP_ELSEWHERE - right)
        height = np.where(images == images[click], heights[click], heights_elsewhere[click])
        scores += labels[click] * height * _influence(likeness, labels, click)
    return Bumps(bumps.level, codes, images, labels, heights, heights_elsewhere)


def _influence(likeness: FloatArray, labels: NDArray[np.intp], click: int) -> FloatArray:
    """How much of what a click says holds for codes: (t,) float32 in [0, 1].

    Args:
        likeness: (m, t) float32, of all clicks to the codes.
        labels: (m,) int, of the clicks.
        click: Which one.
    """
    its = likeness[click]
    influence: FloatArray = np.exp((its - 1) / np.float32(REACH))
    rivals = likeness[:click][labels[:click] != labels[click]]
    if len(rivals):
        influence /= 1 + np.exp((rivals.max(axis=0) - its) / np.float32(TIE))
    return influence
