"""The fast global smoother: a plane that is smooth where the photo is, and breaks where it breaks.

Knows arrays. Does not know what is smoothed.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solveh_banded

from pointprompt.types import ByteArray, FloatArray

# Each round smooths along the rows and then along the columns, and less by this factor than the
# one before, so that no streaks are left.
_ROUNDS = 3
_FADING = 4


class Smoother:
    """Smooths planes along one photo.

    Source: Min et al. 2014, Fast Global Image Smoothing Based on Weighted Least Squares,
        equations 7 to 10: a row, and then a column, is one tridiagonal system.
    """

    def __init__(self, pixels: ByteArray) -> None:
        """Smooth planes of this photo's size.

        Args:
            pixels: (H, W, 3) uint8, RGB.
        """
        colours = pixels.astype(np.float32)
        self._steps = [_steps(colours), _steps(colours.transpose(1, 0, 2))]

    def smooth(self, plane: FloatArray, strength: float, contrast: float) -> FloatArray:
        """The plane (H, W) float32, smoothed.

        Args:
            plane: (H, W) float32.
            strength: How much neighbours are drawn together, against the plane as it is.
            contrast: Difference of neighbours' colours, 0 to 441, at which that is less by the
                factor e.
        """
        weights = [np.exp(steps / np.float32(-contrast)) for steps in self._steps]
        smoothed = plane
        for _ in range(_ROUNDS):
            for along in weights:
                smoothed = _solved(smoothed, np.float32(strength) * along).T
            strength /= _FADING
        return np.ascontiguousarray(smoothed)


def _steps(colours: FloatArray) -> FloatArray:
    """How far each pixel's colour is from the next one's in its row (H, W); after the last, inf."""
    steps = np.full(colours.shape[:2], np.inf, np.float32)
    steps[:, :-1] = np.sqrt(np.square(colours[:, 1:] - colours[:, :-1]).sum(axis=-1))
    return steps


def _solved(plane: FloatArray, weights: FloatArray) -> FloatArray:
    """Solve (I + L) x = plane, with L the Laplacian of all rows, for x (H, W).

    Args:
        plane: (H, W) float32.
        weights: (H, W) float32, between each pixel and the next of its row; 0 after the last.
    """
    if plane.size == 1:  # LAPACK has no such system.
        return plane
    flat = weights.ravel()
    # In LAPACK's order: each pixel's tie to the one before, and the diagonal.
    bands = np.empty((2, flat.size), np.float32)
    bands[0, 0] = 0
    bands[0, 1:] = -flat[:-1]
    bands[1] = 1 + flat - bands[0]
    solved: FloatArray = solveh_banded(bands, plane.ravel(), overwrite_ab=True, check_finite=False)
    return solved.reshape(plane.shape)
