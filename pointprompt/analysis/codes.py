"""Features and eigenvectors -> few numbers a token, whose inner products say how alike tokens are.

Knows arrays. Knows nothing of clicks or of pixels.

Two descriptions of a token go into them, both of length 1:

    coarse   the first `COARSE` eigenvectors after the trivial one, each times the root of its
             eigenvalue. What belongs together, says the cut of the whole set.
    fine     the features along their principal axes. What is nearly the same, says the backbone.

Side by side, each times the root of a half, their inner product is the mean of both. The principal
axes of that, in turn, keep nearly all of it in `DIMENSIONS` numbers: the code of a token. Each
number is one of 255, so that a browser can have the same codes in a byte a number.

Both halves have their zero at the mean of the set. An image unlike the others (blank, a page of
text) moves it away from them, and then all tokens of a photo look alike. `centred` gives most of
the difference back, for every image by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointprompt.types import Codes, FloatArray

COARSE = 20
FINE = 32
DIMENSIONS = 32
# How much of its image's mean is taken from every code: with all of it, what fills an image would
# be like nothing. Chosen on every second evaluation set, and checked on the others.
CENTRED = 0.5
# Of at most so many tokens principal axes are taken; all are projected on them.
_SAMPLE = 40_000
# The largest number of a packed code.
_MOST = 127


@dataclass(frozen=True)
class Embedder:
    """What describes tokens of an image set, and of images that join it.

    Attributes:
        mean: (c,) float32, of the set's features.
        axes: (c, <= FINE) float32, what they vary along most.
        scales: (<= COARSE,) float32, of the eigenvectors after the first.
        joint: (coarse and fine, d) float32, the axes of both together.
    """

    mean: FloatArray
    axes: FloatArray
    scales: FloatArray
    joint: FloatArray

    def embed(self, features: FloatArray, eigvecs: FloatArray) -> FloatArray:
        """The codes (n, h, w, d) float32, each token of length 1 but for its rounding.

        Args:
            features: (n, h, w, c) float32, of this set or of other images.
            eigvecs: (n, h, w, k) float32, of the same images, in terms of this set's cut.
        """
        codes = np.empty((*features.shape[:3], self.joint.shape[1]), np.float32)
        # One by one, since what is made on the way is many times as large as codes are.
        for its, tokens, vectors in zip(codes, features, eigvecs, strict=True):
            fine = _fine(tokens, self.mean, self.axes)
            exact = unit(_side_by_side(_coarse(vectors, self.scales), fine) @ self.joint)
            packed = Packed.of(exact)
            its[:] = packed.numbers * packed.scales
        return codes


@dataclass(frozen=True)
class Packed:
    """The codes of one image, in a byte a number.

    Attributes:
        numbers: (h, w, d) int8, from -127 to 127. Times the scales they are the codes.
        scales: (d,) float32. Of this image alone: what joins the set changes none.
    """

    numbers: NDArray[np.int8]
    scales: FloatArray

    @classmethod
    def of(cls, codes: FloatArray) -> Packed:
        """Those of codes (h, w, d) float32; of codes that were packed before, the same ones."""
        most = np.abs(codes).max(axis=(0, 1))
        scales = (np.where(most > 0, most, 1) / _MOST).astype(np.float32)
        return cls(np.rint(codes / scales).astype(np.int8), scales)


def fit_embedder(
    features: FloatArray,
    eigvecs: FloatArray,
    eigvals: FloatArray,
    dimensions: int = DIMENSIONS,
) -> Embedder:
    """The embedder of a set of images.

    Args:
        features: (n, h, w, c) float32.
        eigvecs: (n, h, w, k) float32, of the set's cut.
        eigvals: (k,) float32, falling.
        dimensions: d, at most; less where coarse and fine together have less.

    Source: Principal component analysis; for the coarse part, Shi and Malik 2000, Normalized Cuts
        and Image Segmentation: the root of the eigenvalue makes the inner product of two tokens
        what the affinity between them is, as far as these eigenvectors tell.
    """
    # The first eigenvector of a cut is the same everywhere and says nothing.
    used = slice(1, COARSE + 1) if len(eigvals) > 1 else slice(None)
    scales = np.sqrt(np.maximum(eigvals[used], 0))
    some = _sample(features)
    mean = features.mean(axis=(0, 1, 2))
    axes = _principal_axes(some - mean, FINE)
    both = _side_by_side(_coarse(_sample(eigvecs), scales), _fine(some, mean, axes))
    return Embedder(mean, axes, scales, _principal_axes(both, dimensions))


def centred(codes: FloatArray) -> FloatArray:
    """The codes (n, h, w, d) float32 less a part of their own image's mean, again of length 1.

    z(x) = unit(e(x) - CENTRED * mean of e over all tokens of the image of x)

    What is made of an image depends on that image alone.

    Args:
        codes: (n, h, w, d) float32, e, each token of length 1.
    """
    found = np.empty_like(codes)
    for image, its in zip(codes, found, strict=True):
        its[:] = unit(image - np.float32(CENTRED) * image.mean(axis=(0, 1)))
    return found


def with_centred(codes: FloatArray) -> Codes:
    """Both kinds of codes of all images.

    Args:
        codes: (n, h, w, d) float32, each token of length 1.
    """
    return Codes(codes, centred(codes))


def unit(vectors: FloatArray) -> FloatArray:
    """The vectors along the last axis, each of length 1; those of length 0 stay."""
    lengths = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    scaled: FloatArray = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32, copy=False)
    return scaled


def _coarse(eigvecs: FloatArray, scales: FloatArray) -> FloatArray:
    first = 1 if eigvecs.shape[-1] > 1 else 0
    return unit(eigvecs[..., first : first + len(scales)] * scales)


def _fine(features: FloatArray, mean: FloatArray, axes: FloatArray) -> FloatArray:
    # The mean is taken away after the projection, where tokens are small.
    return unit(features @ axes - mean @ axes)


def _side_by_side(coarse: FloatArray, fine: FloatArray) -> FloatArray:
    both: FloatArray = np.concatenate([coarse, fine], axis=-1) * np.float32(math.sqrt(0.5))
    return both


def _sample(tokens: FloatArray) -> FloatArray:
    """Some of the tokens (n, h, w, c), as (m, c): the same of any array with these n, h and w."""
    flat = tokens.reshape(-1, tokens.shape[-1])
    return flat[:: math.ceil(len(flat) / _SAMPLE)]


def _principal_axes(tokens: FloatArray, count: int) -> FloatArray:
    """The axes (c, <= count) that the tokens (m, c) are longest along, the longest first."""
    _, axes = np.linalg.eigh(tokens.T @ tokens)
    return np.ascontiguousarray(axes[:, ::-1][:, :count])
