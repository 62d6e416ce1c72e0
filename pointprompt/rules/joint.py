"""Clicks -> margins and masks at token resolution, by our own rule: all clicks together.

Knows arrays. Does not know images, pixels, sessions, HTTP or files.

The rule knows a token by its code (`embedding.Embedder`): the inner product of two says how alike
they are. The first positive click makes a guess from that. Every further click, in their order,
mends the margins around its own token: a bump just high enough to bring the token to where its
label wants it, and never reaching as far as a click of the other label. A click that is already
right adds nothing of its own.

In its own image a click answers what the person sees. In all others it is a guess, and a negative
one the worse: it takes away what only looks like the wrong thing. There it reaches less far.

The rule is run on both kinds of codes, since each answers one question better:

    f   on the centred codes z (`embedding.centred`), with `THRESHOLD`: which tokens. A foreign or
        blank image in the set does not move these.
    g   on the codes e themselves, with `UNCENTRED_THRESHOLD`: which images. How sure it is that an
        image has the thing at all, and so whether it stays empty. Centring takes away a part of
        what all of an image shares, and that tells more about this than about its tokens.

Every coefficient of f and of g depends on the codes of the clicked tokens alone, and what is said
of an image on f and g in that image alone: other images of the set change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from pointprompt.grid import token_of
from pointprompt.types import Click, FloatArray

# Each was chosen on every second evaluation set, and checked on the others.
# Likeness to the first click above which a token belongs to the first guess: of centred codes,
# and of the codes as they are.
THRESHOLD = 0.30
UNCENTRED_THRESHOLD = 0.25
# How far beyond the boundary a further click brings its own token.
STEP = 0.5
# Difference (1 less likeness) over which the influence of a click falls by the factor e.
REACH = 0.2
# The same of a negative click, in the images it was not made in. As much as `REACH` gains nothing,
# and lets twice as many clicks do harm there.
NEGATIVE_REACH_ELSEWHERE = 0.12
# What is left of a click's influence at the nearest click of the other label, at most.
LEFT_AT_OPPOSITE = 0.2
# An image that nobody clicked "this" in has the thing only where the mean of g over this share of
# its tokens, the best ones, is above that. Few tokens, for the thing may be small.
SURE_SHARE = 0.0025
SURE = 0.1
# Presence is the mean of g over this share of an image's tokens, the best ones.
PRESENCE_SHARE = 0.01
# Clicks whose likeness to all tokens is computed together: of 100 images, 80 MB.
_TOGETHER = 50


def predict(
    codes: FloatArray, centred: FloatArray, clicks: Sequence[Click], strength: float = 0.5
) -> tuple[FloatArray, FloatArray]:
    """The margins of all tokens, and the presence of all images.

    Margins, (n, h, w) float32 in [-1, 1], say how far inside (above 0) or outside (below) the mask
    a token is. They are exactly 1 or -1 at the tokens that were clicked and nowhere else. Without a
    positive click all are -1. An image without the thing has none above 0.

    Presence, (n,) float32 in [0, 1], says how sure it is that the thing is in an image at all.

    Args:
        codes: (n, h, w, d) float32, e, each token of length 1, from `embedding.Embedder`.
        centred: (n, h, w, d) float32, z, the same from `embedding.centred`.
        clicks: In the order they were made. On one token, the last one counts.
        strength: In [0, 1]; 0.5 adds nothing, more takes more in.

    The equations of f, with l(x, y) = z(x) . z(y), and the clicks x1 (the first positive one), x2,
    ... with labels y = 1 or -1:

        f1(x) = (l(x, x1) - THRESHOLD) / (1 - THRESHOLD)
        fj(x) = f(x) + max(0, STEP - yj f(xj)) yj exp(-(1 - l(x, xj)) / tj(x)),   j = 2, 3, ...
        tj(x) = min(REACH, (1 - l of the nearest click of the other label) / ln(1 / LEFT))

    with `NEGATIVE_REACH_ELSEWHERE` in the place of `REACH` where yj is -1 and x in another image.
    Those of g are the same, with e in the place of z and `UNCENTRED_THRESHOLD` in that of
    `THRESHOLD`. `strength` - 0.5 is added to both. With `best` the mean over the highest values of
    an image i, so large a share of them:

        empty(i)    where nobody clicked "this" in i, and best(g, i, SURE_SHARE) <= SURE
        margin(x)   = f(x), and -|f(x)| in an empty image
        presence(i) = (best(g, i, PRESENCE_SHARE) + 1) / 2, with -|g(x)| in an empty image

    with f and g 1 or -1 on the tokens that were clicked.

    Source: the passive-aggressive update (Crammer et al. 2006, Online Passive-Aggressive
        Algorithms, section 3, with a kernel), its kernel's width limited by the clicks themselves.
    """
    n, h, w, _ = codes.shape
    labels = _labels(clicks, h, w)
    if not any(label > 0 for label in labels.values()):
        return np.full((n, h, w), -1, np.float32), np.zeros(n, np.float32)
    more = np.float32(strength - 0.5)
    margins = _mended(centred, labels, THRESHOLD, more)
    of_images = _mended(codes, labels, UNCENTRED_THRESHOLD, more)
    empty = _mean_of_best(of_images, SURE_SHARE) <= SURE
    empty[[token // (h * w) for token, label in labels.items() if label > 0]] = False
    for scores in (margins, of_images):
        scores[empty] = -np.abs(scores[empty])
        for token, label in labels.items():
            scores.ravel()[token] = label
    presence = (_mean_of_best(of_images, PRESENCE_SHARE) + 1) / 2
    return margins.reshape(n, h, w), presence.astype(np.float32, copy=False)


def _mended(
    codes: FloatArray, labels: dict[int, int], threshold: float, more: np.float32
) -> FloatArray:
    """The first guess, mended by every further click: (n, tokens) float32 within -1 and 1.

    Args:
        codes: (n, h, w, d) float32.
        labels: 1 or -1 of every clicked token, at least one 1.
        threshold: Likeness at which the first guess is 0.
        more: Added to all in the end.
    """
    n, h, w, d = codes.shape
    tokens = codes.reshape(n, h * w, d)
    first = next(token for token, label in labels.items() if label > 0)
    others = [token for token in labels if token != first]
    rows = _likeness(tokens, [first, *others])
    scores = (next(rows) - np.float32(threshold)) / np.float32(1 - threshold)
    for token, row in zip(others, rows, strict=True):
        label = labels[token]
        missing = STEP - label * scores.flat[token]
        if missing > 0:
            opposite = max((row.flat[t] for t in labels if labels[t] != label), default=-math.inf)
            bump = _bump(row, token // (h * w), label, float(opposite))
            scores += np.float32(label * missing) * bump
    inside = np.nextafter(np.float32(1), np.float32(0))
    mended: FloatArray = np.clip(scores + more, -inside, inside)
    return mended


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
    """For every click, the inner product of its token and every one: (n, tokens)."""
    n, count, d = tokens.shape
    for start in range(0, len(clicked), _TOGETHER):
        some = tokens.reshape(n * count, d)[clicked[start : start + _TOGETHER]]
        # A product an image: how it is rounded does not depend on the images beside it.
        yield from (some @ tokens.transpose(0, 2, 1)).transpose(1, 0, 2)


def _bump(likeness: FloatArray, image: int, label: int, opposite: float) -> FloatArray:
    """The influence (n, tokens) of a click on every token, 1 on its own.

    Args:
        likeness: (n, tokens) float32, of the click's token and every one.
        image: That of the click.
        label: 1 or -1.
        opposite: Likeness of the nearest click of the other label; -inf where there is none.
    """
    most = max(1 - opposite, 1e-3) / math.log(1 / LEFT_AT_OPPOSITE)
    elsewhere = REACH if label > 0 else NEGATIVE_REACH_ELSEWHERE
    bump: FloatArray = np.exp((likeness - 1) / np.float32(min(elsewhere, most)))
    bump[image] = np.exp((likeness[image] - 1) / np.float32(min(REACH, most)))
    return bump
