"""The guided filter: margins on the token grid -> margins of pixels that follow the colours.

Knows arrays. Does not know clicks, what margins mean, or the other planes that are fused with it.
"""

from __future__ import annotations

import math
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

from pointprompt.grid import enlarge
from pointprompt.types import ByteArray, FloatArray

Doubles = NDArray[np.float64]

# Radii of the windows as shares of a square grid: 3 and 8 of 64 tokens. The small one keeps small
# things, the large one finds the edges of large ones; their mean is better than either.
RADII = (3 / 64, 8 / 64)
# Variance of a colour in a window, in units of (black to white) squared, that counts as flat.
FLAT = 1e-4


def guided(margins: FloatArray, pixels: ByteArray) -> FloatArray:
    """The margins (H, W) float32 of pixels.

    Args:
        margins: (h, w) float32.
        pixels: (H, W, 3) uint8, RGB.

    Source: He and Sun 2015, Fast Guided Filter, algorithm 1, with the colour guide of He, Sun and
        Tang 2013, Guided Image Filtering, equations 19 to 21: in every window the margin is taken
        for a linear function of the colour. The functions are found on the token grid, which is
        the subsampling of the paper, and applied to the pixels.
    """
    h, w = margins.shape
    height, width = pixels.shape[:2]
    small = Image.fromarray(pixels).resize((w, h), Image.Resampling.BOX)
    # Here in double precision: the spread of a flat colour is a small difference of large means.
    guide = np.asarray(small, np.float64).transpose(2, 0, 1) / 255
    exact = margins.astype(np.float64)
    linear = np.mean([_linear(guide, exact, share) for share in RADII], axis=0).astype(np.float32)
    # One colour after another: half the time and memory of a product over a last axis of 3.
    filtered = enlarge(linear[3], height, width)
    for channel in range(3):
        slope = enlarge(linear[channel], height, width)
        filtered += slope * (pixels[..., channel] * np.float32(1 / 255))
    return filtered


def _linear(guide: Doubles, margins: Doubles, share: float) -> Doubles:
    """The three slopes and the offset (4, h, w) of margin against colour around every token."""
    h, w = margins.shape
    window = 2 * max(1, round(share * math.sqrt(h * w))) + 1

    def mean(planes: Doubles) -> Doubles:
        filtered: Doubles = uniform_filter(planes, [1, window, window], mode="reflect")
        return filtered

    colour = mean(guide)
    margin = mean(margins[None])
    together = mean(guide * margins) - colour * margin
    spread = np.empty((h, w, 3, 3))
    for i, j in combinations_with_replacement(range(3), 2):
        variance = mean((guide[i] * guide[j])[None])[0] - colour[i] * colour[j]
        spread[..., i, j] = spread[..., j, i] = variance + (FLAT if i == j else 0)
    slopes = np.linalg.solve(spread, together.transpose(1, 2, 0)[..., None])[..., 0]
    slopes = slopes.transpose(2, 0, 1)
    offset = margin - (slopes * colour).sum(axis=0, keepdims=True)
    return mean(np.concatenate([slopes, offset]))
