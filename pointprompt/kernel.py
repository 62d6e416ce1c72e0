"""Clicks -> margins and masks at token resolution, by our own rule: all clicks together.

Knows arrays. Does not know images, pixels, sessions, HTTP or files.

The rule knows a token by its embedding (`embedding.Embedder`): the inner product of two says how
alike they are. The first positive click makes a guess from that. Every further click, in their
order, mends the margins around its own token: a bump just high enough to bring the token to where
its label wants it, and never reaching as far as a click of the other label. A click that is already
right adds nothing of its own.

In its own image a click answers what the person sees. In all others it is a guess, and a negative
one the worse: it takes away what only looks like the wrong thing. There it reaches less far.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from pointprompt.scoring import token_of
from pointprompt.types import Click, FloatArray

# Each was chosen on every second evaluation set, and checked on the others.
# Likeness to the first click above which a token belongs to the first guess.
THRESHOLD = 0.25
# How far beyond the boundary a further click brings its own token.
STEP = 0.5
# Difference (1 less likeness) over which the influence of a click falls by the factor e.
REACH = 0.2
# The same of a negative click, in the images it was not made in. As much as `REACH` gains nothing,
# and lets twice as many clicks do harm there.
NEGATIVE_REACH_ELSEWHERE = 0.12
# What is left of a click's influence at the nearest click of the other label, at most.
LEFT_AT_OPPOSITE = 0.2
# An image that nobody clicked "this" in has the thing only where the mean margin of this share of
# its tokens, the best ones, is above that. Few tokens, for the thing may be small.
SURE_SHARE = 0.0025
SURE = 0.1
# Presence is the mean margin of this share of an image's tokens, the best ones.
PRESENCE_SHARE = 0.01
# Clicks whose likeness to all tokens is computed together: of 100 images, 80 MB.
_TOGETHER = 50


def margins(embedding: FloatArray, clicks: Sequence[Click], strength: float = 0.5) -> FloatArray:
    """How far inside (above 0) or outside (below) the mask every token is: (n, h, w) in [-1, 1].

    It is exactly 1 or -1 at the tokens that were clicked and nowhere else. Without a positive click
    all are -1. An image without the thing has none above 0.

    Args:
        embedding: (n, h, w, d) float32, each token of length 1, from `embedding.Embedder`.
        clicks: In the order they were made. On one token, the last one counts.
        strength: In [0, 1]; 0.5 adds nothing, more takes more in.

    The equations, with z(x) the embedding of token x, l(x, y) = z(x) . z(y), and the clicks x1 (the
    first positive one), x2, ... with labels y = 1 or -1:

        f1(x) = (l(x, x1) - THRESHOLD) / (1 - THRESHOLD)
        fj(x) = f(x) + max(0, STEP - yj f(xj)) yj exp(-(1 - l(x, xj)) / tj(x)),   j = 2, 3, ...
        tj(x) = min(REACH, (1 - l of the nearest click of the other label) / ln(1 / LEFT))

    with `NEGATIVE_REACH_ELSEWHERE` in the place of `REACH` where yj is -1 and x in another image.
    Last, where an image has no positive click and only a few weak tokens inside, see `SURE`, those
    are put outside as far as they were inside.

    Source: the passive-aggressive update (Crammer et al. 2006, Online Passive-Aggressive
        Algorithms, section 3, with a kernel), its kernel's width limited by the clicks themselves.
    """
    n, h, w, d = embedding.shape
    labels = _labels(clicks, h, w)
    first = next((token for token, label in labels.items() if label > 0), None)
    if first is None:
        return np.full((n, h, w), -1, np.float32)

    tokens = embedding.reshape(n * h * w, d)
    scores = (tokens @ tokens[first] - np.float32(THRESHOLD)) / np.float32(1 - THRESHOLD)
    others = [token for token in labels if token != first]
    for token, row in zip(others, _likeness(tokens, others), strict=True):
        label = labels[token]
        missing = STEP - label * scores[token]
        if missing > 0:
            opposite = [other for other in labels if labels[other] != label]
            image = token // (h * w)
            own = slice(image * h * w, (image + 1) * h * w)
            scores += np.float32(label * missing) * _bump(row, own, label, row[opposite])
    inside = np.nextafter(np.float32(1), np.float32(0))
    scores = np.clip(scores + np.float32(strength - 0.5), -inside, inside).reshape(n, h * w)
    unsure = _mean_of_best(scores, SURE_SHARE) <= SURE
    unsure[[token // (h * w) for token, label in labels.items() if label > 0]] = False
    scores[unsure] = -np.abs(scores[unsure])
    for token, label in labels.items():
        scores.ravel()[token] = label
    result: FloatArray = scores.reshape(n, h, w).astype(np.float32, copy=False)
    return result


def presence(margins: FloatArray) -> FloatArray:
    """How sure it is that the thing is in each image at all: (n,) float32 in [0, 1].

    Args:
        margins: (n, h, w) float32 in [-1, 1].
    """
    mean = _mean_of_best(margins.reshape(len(margins), -1), PRESENCE_SHARE)
    share: FloatArray = ((mean + 1) / 2).astype(np.float32, copy=False)
    return share


def _mean_of_best(scores: FloatArray, share: float) -> FloatArray:
    """The mean (n,) of the highest scores (n, tokens) of each image, so large a share of them."""
    best = max(1, round(share * scores.shape[1]))
    mean: FloatArray = np.partition(scores, -best, axis=1)[:, -best:].mean(axis=1)
    return mean


def _labels(clicks: Sequence[Click], h: int, w: int) -> dict[int, int]:
    """1 or -1 for the index, in the flattened grid of all images, of every clicked token."""
    labels: dict[int, int] = {}
    for click in clicks:
        row, column = token_of(click, h, w)
        token = (click.image * h + row) * w + column
        labels.pop(token, None)  # so that the order is that of the clicks that count
        labels[token] = 1 if click.positive else -1
    return labels


def _likeness(tokens: FloatArray, clicked: Sequence[int]) -> Iterator[FloatArray]:
    """For every click, the inner product of its token and every one: (tokens,)."""
    for start in range(0, len(clicked), _TOGETHER):
        # One row a click: what is read together lies together.
        yield from tokens[clicked[start : start + _TOGETHER]] @ tokens.T


def _bump(likeness: FloatArray, own: slice, label: int, opposite: FloatArray) -> FloatArray:
    """The influence (tokens,) of a click on every token, 1 on its own.

    Args:
        likeness: (tokens,) float32, of the click's token and every one.
        own: The tokens of the click's image.
        label: 1 or -1.
        opposite: Likeness of the clicks of the other label.
    """
    nearest = 1 - float(opposite.max(initial=-math.inf))
    most = max(nearest, 1e-3) / math.log(1 / LEFT_AT_OPPOSITE)
    elsewhere = REACH if label > 0 else NEGATIVE_REACH_ELSEWHERE
    bump: FloatArray = np.exp((likeness - 1) / np.float32(min(elsewhere, most)))
    bump[own] = np.exp((likeness[own] - 1) / np.float32(min(REACH, most)))
    return bump
