"""Clicks -> margins and masks at token resolution, by our own rule: all clicks together.

Knows arrays. Does not know images, pixels, sessions, HTTP or files.

The rule needs two descriptions of every token, both made once for a set:

    coarse   the first `COARSE` eigenvectors after the trivial one, each times the root of its
             eigenvalue, then of length 1. What belongs together, says the cut of the whole set.
    fine     the embedding (`embedding.PrincipalAxes`): the features in few numbers, of length 1.
             What is nearly the same, says the backbone.

The first positive click makes a guess from the coarse description alone. Every further click, in
their order, mends the margins around its own token, in the fine description: a bump of Gaussian
shape, just high enough to bring the token to where its label wants it, and never reaching as far
as a click of the other label. A click that is already right changes nothing at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pointprompt.embedding import unit
from pointprompt.scoring import token_of
from pointprompt.types import Click, FloatArray

# Each was chosen on the evaluation sets; a third more or less moves the mean IoU at 1, 3 or 10
# clicks by 0.025 at most.
COARSE = 20
# Cosine to the first click above which a token belongs to the first guess.
THRESHOLD = 0.25
# How far beyond the boundary a further click brings its own token.
STEP = 0.5
# Cosine distance over which the influence of a click falls by the factor e. More reach gains a
# little with each click, and makes twice as many clicks do harm elsewhere.
REACH = 0.25
# What is left of a click's influence at the nearest click of the other label, at most.
LEFT_AT_OPPOSITE = 0.2
# Presence is the mean margin of this share of an image's tokens, the best ones.
PRESENCE_SHARE = 0.01


def coarse(eigvecs: FloatArray, eigvals: FloatArray, k: int = COARSE) -> FloatArray:
    """The coarse description (n, h, w, <= k) float32, each token of length 1.

    The first eigenvector of a cut is the same everywhere and says nothing. The root of the
    eigenvalue makes the inner product of two tokens what the affinity between them is, as far as
    these eigenvectors tell.

    Args:
        eigvecs: (n, h, w, k) float32.
        eigvals: (k,) float32, falling.
        k: How many of them to use at most.
    """
    used = slice(1, k + 1) if eigvecs.shape[-1] > 1 else slice(None)
    return unit(eigvecs[..., used] * np.sqrt(np.maximum(eigvals[used], 0)))


def margins(
    coarse_tokens: FloatArray,
    fine_tokens: FloatArray,
    clicks: Sequence[Click],
    strength: float = 0.5,
) -> FloatArray:
    """How far inside (above 0) or outside (below) the mask every token is: (n, h, w) in [-1, 1].

    It is exactly 1 or -1 at the tokens that were clicked and nowhere else. Without a positive click
    all are -1.

    Args:
        coarse_tokens: From `coarse`.
        fine_tokens: From `embedding.PrincipalAxes.embed`.
        clicks: In the order they were made. On one token, the last one counts.
        strength: In [0, 1]; 0.5 adds nothing, more takes more in.

    The equations, with a(x) the coarse and b(x) the fine description of token x, and the clicks
    x1 (the first positive one), x2, ... with labels y = 1 or -1:

        f1(x) = (a(x) . a(x1) - THRESHOLD) / (1 - THRESHOLD)
        fj(x) = f(x) + max(0, STEP - yj f(xj)) yj exp(-(1 - b(x) . b(xj)) / tj),   j = 2, 3, ...
        tj    = min(REACH, distance to the nearest click of the other label / ln(1 / LEFT))

    Source: the passive-aggressive update (Crammer et al. 2006, Online Passive-Aggressive
        Algorithms, section 3, with a kernel), its kernel's width limited by the clicks themselves.
    """
    n, h, w, _ = fine_tokens.shape
    labels = _labels(clicks, h, w)
    positives = [token for token, label in labels.items() if label > 0]
    if not positives:
        return np.full((n, h, w), -1, np.float32)
    first = positives[0]
    others = [token for token in labels if token != first]

    a = coarse_tokens.reshape(n * h * w, -1)
    scores = (a @ a[first] - THRESHOLD) / (1 - THRESHOLD)
    if others:
        b = fine_tokens.reshape(n * h * w, -1)
        # One row a click: what is read together lies together.
        distances = 1 - b[others] @ b.T
        for row, token in enumerate(others):
            label = labels[token]
            missing = STEP - label * scores[token]
            if missing <= 0:
                continue
            opposite = [t for t in labels if labels[t] != label]
            reach = _reach(1 - b[opposite] @ b[token])
            scores += np.float32(label * missing) * np.exp(distances[row] / np.float32(-reach))
    inside = np.nextafter(np.float32(1), np.float32(0))
    scores = np.clip(scores + np.float32(strength - 0.5), -inside, inside)
    for token, label in labels.items():
        scores[token] = label
    result: FloatArray = scores.reshape(n, h, w).astype(np.float32, copy=False)
    return result


def presence(margins: FloatArray) -> FloatArray:
    """How sure it is that the thing is in each image at all: (n,) float32 in [0, 1].

    Args:
        margins: (n, h, w) float32 in [-1, 1].
    """
    tokens = margins.reshape(len(margins), -1)
    best = max(1, round(PRESENCE_SHARE * tokens.shape[1]))
    mean = np.partition(tokens, -best, axis=1)[:, -best:].mean(axis=1)
    share: FloatArray = ((mean + 1) / 2).astype(np.float32, copy=False)
    return share


def _labels(clicks: Sequence[Click], h: int, w: int) -> dict[int, int]:
    """1 or -1 for the index, in the flattened grid of all images, of every clicked token."""
    labels: dict[int, int] = {}
    for click in clicks:
        row, column = token_of(click, h, w)
        token = (click.image * h + row) * w + column
        labels.pop(token, None)  # so that the order is that of the clicks that count
        labels[token] = 1 if click.positive else -1
    return labels


def _reach(opposite: FloatArray) -> float:
    """The tj of `margins`, given the fine distances to the clicks of the other label."""
    if not len(opposite):
        return REACH
    nearest = max(float(opposite.min()), 1e-3)
    return min(REACH, nearest / math.log(1 / LEFT_AT_OPPOSITE))
