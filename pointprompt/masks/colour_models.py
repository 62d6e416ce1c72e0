"""Which colours the thing has and which all else: in the whole photo, and near by.

Knows arrays. Does not know where the first guess of inside and outside comes from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, gaussian_filter

from pointprompt.types import ByteArray, FloatArray

# Of a colour, from black to white.
BINS = 12
# Side of the squares, in pixels, that "near by" is counted in.
CELL = 48
# Margins from 0 that say nothing sure of a pixel, and those from which on a pixel counts in full.
_UNSURE, _SURE = 0.1, 0.5
# Largest logarithm of how much likelier a colour is inside than outside.
_MOST = 2.0
# Share of a colour that is nowhere.
_RARE = 1e-5
# Weight, near by, of not knowing.
_PRIOR = 0.5


def of_photo(margins: FloatArray, pixels: ByteArray) -> FloatArray:
    """How much a pixel's colour is that of the inside, (H, W) float32 in [-1, 1].

    It is 0 where the inside or the outside is not known at all.

    Args:
        margins: (H, W) float32, a first guess; above 0 is inside.
        pixels: (H, W, 3) uint8, RGB.

    Source: Boykov and Jolly 2001, Interactive Graph Cuts, section 2.4: the ratio of the smoothed
        histograms of what is surely inside and surely outside.
    """
    sides = _sides(margins)
    if min(side.sum() for side in sides) <= 1:
        return np.zeros(margins.shape, np.float32)
    place = np.ravel_multi_index(tuple(_levels(pixels, 0)), (BINS,) * 3)
    shares = []
    for side in sides:
        counts = np.bincount(place.ravel(), side.ravel(), BINS**3).reshape((BINS,) * 3)
        smooth = gaussian_filter(counts, 1.0, mode="nearest")
        shares.append(smooth / smooth.sum() + _RARE)
    ratio = np.clip(np.log(shares[0] / shares[1]), -_MOST, _MOST) / _MOST
    return ratio.astype(np.float32).ravel()[place]


def near_by(margins: FloatArray, pixels: ByteArray) -> FloatArray:
    """The same of the pixels near by: (H, W) float32 in [-1, 1].

    Args:
        margins: (H, W) float32, a first guess; above 0 is inside.
        pixels: (H, W, 3) uint8, RGB.

    Source: Chen, Paris and Durand 2007, Real-time Edge-Aware Image Processing with the Bilateral
        Grid, section 3: pixels are counted by place and colour, blurred there and looked up. The
        mean of two grids, half a cell apart, has no steps at the cells' borders.
    """
    sides = _sides(margins)
    inside, outside = _counted(sides, pixels, 0) + _counted(sides, pixels, 0.5)
    known = inside + outside + np.float32(_PRIOR)
    likely: FloatArray = np.divide(inside - outside, known)
    return likely


def _sides(margins: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How surely each pixel is inside, and outside: each (H, W) float32."""
    sure: FloatArray = np.where(np.abs(margins) > _UNSURE, margins, np.float32(0))
    return np.clip(sure, 0, _SURE), np.clip(-sure, 0, _SURE)


def _levels(pixels: ByteArray, offset: float) -> NDArray[np.intp]:
    """The bin of each pixel's red, green and blue: (3, H, W)."""
    levels = pixels.transpose(2, 0, 1) * np.float32(BINS / 256) + np.float32(offset)
    return levels.astype(np.intp)


def _counted(sides: Sequence[FloatArray], pixels: ByteArray, offset: float) -> FloatArray:
    """How much of each side is near each pixel, in place and colour: (2, H, W) float32."""
    height, width = pixels.shape[:2]
    rows, columns = (
        ((np.arange(extent) + offset * CELL) / CELL).astype(np.intp) for extent in (height, width)
    )
    shape = (rows[-1] + 1, columns[-1] + 1, *[BINS + 1] * 3)
    place = np.ravel_multi_index((rows[:, None], columns[None], *_levels(pixels, offset)), shape)
    near = np.empty((len(sides), height, width), np.float32)
    for side, its in zip(sides, near, strict=True):
        counts = np.bincount(place.ravel(), side.ravel(), int(np.prod(shape)))
        grid = counts.astype(np.float32).reshape(shape)
        for axis in range(grid.ndim):
            if shape[axis] > 1:
                grid = convolve1d(grid, [0.25, 0.5, 0.25], axis=axis, mode="constant")
        its[:] = grid.ravel()[place]
    return near
