"""Features -> the same in few numbers, which a rule can compare many times a second.

Knows arrays. Knows nothing of the cut, of clicks or of images.
"""

from __future__ import annotations

import math

import numpy as np

from pointprompt.types import FloatArray

DIMENSIONS = 32
# Of at most so many tokens the principal axes are taken; all are projected on them.
_SAMPLE = 40_000


def embed(features: FloatArray, dimensions: int = DIMENSIONS) -> FloatArray:
    """The embedding (n, h, w, d) float32, each token of length 1; d is at most `dimensions`.

    Args:
        features: (n, h, w, c) float32.
        dimensions: How many principal components to keep.

    Source: Principal component analysis of the tokens of all images together.
    """
    n, h, w, c = features.shape
    tokens = features.reshape(-1, c)
    mean = tokens.mean(axis=0)
    sample = tokens[:: math.ceil(len(tokens) / _SAMPLE)] - mean
    _, axes = np.linalg.eigh(sample.T @ sample)
    axes = axes[:, ::-1][:, :dimensions]
    # The mean is taken away after the projection, where tokens are small.
    return unit((tokens @ axes - mean @ axes).reshape(n, h, w, -1))


def unit(vectors: FloatArray) -> FloatArray:
    """The vectors along the last axis, each of length 1; those of length 0 stay."""
    lengths = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    scaled: FloatArray = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32, copy=False)
    return scaled
