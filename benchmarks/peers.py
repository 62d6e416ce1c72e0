"""What else answers clicks, on the same features: rules without a cut, of others, or learned.

Knows features, photos and clicks. Knows nothing of the package's own rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.labelled import shrunk
from benchmarks.person import Rule
from pointprompt.analysis.cut import seeded
from pointprompt.grid import enlarge, token_of, upscale
from pointprompt.types import BoolArray, ByteArray, Click, FloatArray

# Of the masks that are asked for.
Sizes = Sequence[tuple[int, ...]]

# The forest sees photos of at most so many pixels a side, as people make them small for it.
FOREST_SIDE = 160
# Pixels around a click that are labelled with it, as by a brush.
BRUSH = 2
TREES = 100
# Numbers of a token that the forest is given: their principal axes. Of more, it would mostly pick
# features where it picks numbers at random, and hardly see a filter.
FOREST_FEATURES = 32
# Widths of the filters in pixels, from and to.
_SIGMAS = (0.7, 6.0)

# The same clicks are answered alike.
_SEED = 0


def cosine(features: FloatArray, sizes: Sizes) -> Rule:
    """No cut: cosine of the features to the nearest positive less that to the nearest negative.

    The threshold is Otsu's, over all images. There is none in the tutorial's place that does better
    without a cut: of the fixed ones the best differs from set to set.
    """
    from skimage.filters import threshold_otsu

    tokens = features.reshape(-1, features.shape[-1])

    def similarity(clicks: Sequence[Click], positive: bool) -> FloatArray:
        rows = _tokens_of(clicks, positive, features)
        if not len(rows):
            return np.zeros(len(tokens), np.float32)
        nearest: FloatArray = (tokens @ tokens[rows].T).max(axis=1)
        return nearest

    def answer(clicks: Sequence[Click]) -> BoolArray:
        scores = similarity(clicks, True) - similarity(clicks, False)
        inside: BoolArray = scores > threshold_otsu(scores)
        return inside.reshape(features.shape[:3])

    return _timed(answer, sizes)


def ncut_clicks(features: FloatArray, sizes: Sizes) -> Rule:
    """The click predictor of ncut-pytorch 3, as it comes: it cuts anew at every click.

    Driven by token, since its own mapping of points to tokens is wrong where a grid is not square.
    """
    import torch
    from ncut_pytorch.predictor import NcutPredictor

    predictor = NcutPredictor()
    with seeded(_SEED):
        # The segments are only for its previews: as few as it takes.
        predictor.initialize(torch.from_numpy(features.reshape(-1, features.shape[-1])), [2])

    def answer(clicks: Sequence[Click]) -> BoolArray:
        this, not_this = (_tokens_of(clicks, positive, features) for positive in (True, False))
        with seeded(_SEED):
            mask, _ = predictor.predict_clicks(this, not_this, click_weight=0.5)
        inside: BoolArray = mask.cpu().numpy().reshape(features.shape[:3])
        return inside

    return _timed(answer, sizes)


def forest(photos: Sequence[ByteArray], features: FloatArray, sizes: Sizes) -> Rule:
    """A random forest on classic filters and features of pixels, as in ilastik and its like.

    Before there is a negative click everything is "this".

    Source: Berg et al. 2019, ilastik: interactive machine learning for (bio)image analysis.
    """
    from sklearn.ensemble import RandomForestClassifier

    small = [shrunk(photo, FOREST_SIDE) for photo in photos]
    planes = [
        np.concatenate([_filters(photo), _enlarged(plane, photo)], axis=-1)
        for photo, plane in zip(small, _principal(features, FOREST_FEATURES), strict=True)
    ]

    def answer(clicks: Sequence[Click]) -> list[BoolArray]:
        brushed = [_brushed(clicks, image, photo.shape) for image, photo in enumerate(small)]
        known = [labels != 0 for labels in brushed]
        trees = RandomForestClassifier(TREES, random_state=_SEED)
        trees.fit(_picked(planes, known), _picked(brushed, known) > 0)
        return [
            trees.predict(plane.reshape(-1, plane.shape[-1])).reshape(plane.shape[:2])
            for plane in planes
        ]

    return _timed(answer, sizes)


def _timed(
    answer: Callable[[Sequence[Click]], Sequence[BoolArray] | BoolArray], sizes: Sizes
) -> Rule:
    """The rule that enlarges what small masks, (h, w) of each image, answer to clicks."""

    def rule(clicks: Sequence[Click]) -> tuple[list[BoolArray], float]:
        start = time.perf_counter()
        masks = answer(clicks)
        spent = time.perf_counter() - start
        return [upscale(m, *size[:2]) for m, size in zip(masks, sizes, strict=True)], spent

    return rule


def _tokens_of(clicks: Sequence[Click], positive: bool, features: FloatArray) -> NDArray[np.int64]:
    """Which of all tokens, in their order, the clicks of one label are on."""
    n, h, w, _ = features.shape
    places = [(c.image, *token_of(c, h, w)) for c in clicks if c.positive == positive]
    rows = [np.ravel_multi_index(place, (n, h, w)) for place in places]
    return np.array(rows, np.int64)


def _filters(photo: ByteArray) -> FloatArray:
    """The photo (H, W) smoothed, its gradients and the eigenvalues of its Hessian: (H, W, c)."""
    from skimage.feature import multiscale_basic_features

    low, high = _SIGMAS
    planes: FloatArray = multiscale_basic_features(
        photo, sigma_min=low, sigma_max=high, channel_axis=-1
    )
    return planes


def _principal(features: FloatArray, count: int) -> FloatArray:
    """The features (n, h, w, <= count) along the axes that they vary along most."""
    centred = features - features.mean(axis=(0, 1, 2))
    flat = centred.reshape(-1, features.shape[-1])
    _, axes = np.linalg.eigh(flat.T @ flat)
    found: FloatArray = centred @ axes[:, ::-1][:, :count]
    return found


def _enlarged(tokens: FloatArray, photo: ByteArray) -> FloatArray:
    """The tokens (h, w, c) at the pixels of a photo."""
    height, width = photo.shape[:2]
    return np.stack([enlarge(plane, height, width) for plane in np.moveaxis(tokens, -1, 0)], -1)


def _brushed(clicks: Sequence[Click], image: int, shape: tuple[int, ...]) -> NDArray[np.int8]:
    """The labels (H, W) of an image's pixels, 1 and -1; 0 where nobody clicked."""
    height, width = shape[:2]
    rows, columns = np.mgrid[:height, :width]
    labels = np.zeros((height, width), np.int8)
    for click in clicks:
        if click.image == image:
            row, column = token_of(click, height, width)
            near = np.hypot(rows - row, columns - column) <= BRUSH
            labels[near] = 1 if click.positive else -1
    return labels


def _picked(planes: Sequence[NDArray], known: Sequence[BoolArray]) -> NDArray:
    """The values of all images at their known pixels, one after the other."""
    return np.concatenate([plane[where] for plane, where in zip(planes, known, strict=True)])
