"""Features -> the same in few numbers, which a rule can compare many times a second.

Knows arrays. Knows nothing of the cut, of clicks or of images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pointprompt.types import FloatArray

DIMENSIONS = 32
# Of at most so many tokens the principal axes are taken; all are projected on them.
_SAMPLE = 40_000


@dataclass(frozen=True)
class PrincipalAxes:
    """What the features of one image set vary along most.

    Attributes:
        mean: (c,) float32.
        axes: (c, d) float32.
    """

    mean: FloatArray
    axes: FloatArray

    @property
    def nbytes(self) -> int:
        """Bytes of memory it holds."""
        return self.mean.nbytes + self.axes.nbytes

    def embed(self, features: FloatArray) -> FloatArray:
        """The embedding (n, h, w, d) float32, each token of length 1.

        Args:
            features: (n, h, w, c) float32, of this set or of other images.
        """
        # The mean is taken away after the projection, where tokens are small.
        return unit(features @ self.axes - self.mean @ self.axes)


def fit_axes(features: FloatArray, dimensions: int = DIMENSIONS) -> PrincipalAxes:
    """The principal axes of all tokens together.

    Args:
        features: (n, h, w, c) float32.
        dimensions: d, how many axes to keep; c where that is less.

    Source: Principal component analysis.
    """
    tokens = features.reshape(-1, features.shape[-1])
    mean = tokens.mean(axis=0)
    sample = tokens[:: math.ceil(len(tokens) / _SAMPLE)] - mean
    _, axes = np.linalg.eigh(sample.T @ sample)
    return PrincipalAxes(mean, np.ascontiguousarray(axes[:, ::-1][:, :dimensions]))


def unit(vectors: FloatArray) -> FloatArray:
    """The vectors along the last axis, each of length 1; those of length 0 stay."""
    lengths = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    scaled: FloatArray = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32, copy=False)
    return scaled
