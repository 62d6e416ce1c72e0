"""Margins at token resolution -> masks at image resolution whose edges follow the photo.

Knows numpy, scipy's box filter and Pillow's resizing. Does not know clicks, sessions or files.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

from pointprompt.grid import enlarge, tokens_of_pixels
from pointprompt.types import BoolArray, ByteArray, FloatArray

# Radii of the windows as shares of the grid: 3 and 8 of 64 tokens. The small one keeps small
# things, the large one finds the edges of large ones; their mean is better than either.
RADII = (3 / 64, 8 / 64)
# Variance of a colour in a window, in units of (black to white) squared, that counts as flat.
FLAT = 1e-4


def follow_edges(
    margins: FloatArray, photo: ByteArray, size: tuple[int, int] | None = None
) -> BoolArray:
    """The mask (H, W) bool of one image, with edges where the photo has them.

    Tokens with a margin of exactly 1 or -1, which a person clicked, keep their side.

    Args:
        margins: (h, w) float32 in [-1, 1]; above 0 is inside.
        photo: (H', W', 3) uint8, RGB: the image at any size.
        size: H and W, of the mask; None takes the photo's.

    Source: He and Sun 2015, Fast Guided Filter, algorithm 1, with the colour guide of He, Sun and
        Tang 2013, Guided Image Filtering, equations 19 to 21: in every window the margin is taken
        for a linear function of the colour. The functions are found on the token grid, which is
        the subsampling of the paper, and applied to the pixels.
    """
    height, width = size or photo.shape[:2]
    if not (margins > 0).any():  # The filter could find something in nothing.
        return np.zeros((height, width), np.bool_)
    filtered = _filtered(margins, photo)
    if filtered.shape != (height, width):
        filtered = enlarge(filtered, height, width)
    mask: BoolArray = filtered > 0
    keep_clicked(mask, margins)
    return mask


def keep_clicked(mask: BoolArray, margins: FloatArray) -> None:
    """Give the tokens that a person clicked, whose margin is exactly 1 or -1, their side.

    Args:
        mask: (H, W) bool, changed in place.
        margins: (h, w) float32 in [-1, 1].
    """
    h, w = margins.shape
    height, width = mask.shape
    for row, column in np.argwhere(np.abs(margins) == 1):
        mask[_pixels(row, h, height), _pixels(column, w, width)] = margins[row, column] > 0


def _filtered(margins: FloatArray, photo: ByteArray) -> FloatArray:
    """The margins (H', W') float32 of the photo's pixels."""
    h, w = margins.shape
    height, width = photo.shape[:2]
    small = Image.fromarray(photo).resize((w, h), Image.Resampling.BOX)
    guide = np.asarray(small, np.float32).transpose(2, 0, 1) / np.float32(255)
    linear = np.mean([_linear(guide, margins, share) for share in RADII], axis=0)
    # One colour after another: half the time and memory of a product over a last axis of 3.
    filtered = enlarge(linear[3], height, width)
    for channel in range(3):
        slope = enlarge(linear[channel], height, width)
        filtered += slope * (photo[..., channel] * np.float32(1 / 255))
    return filtered


def _pixels(token: int, tokens: int, pixels: int) -> slice:
    """The pixels along one axis whose centres are in the token; the nearest one where none is."""
    first, stop = np.searchsorted(tokens_of_pixels(tokens, pixels), [token, token + 1])
    if first == stop:
        first = min(int(first), pixels - 1)
        stop = first + 1
    return slice(int(first), int(stop))


def _linear(guide: FloatArray, margins: FloatArray, share: float) -> FloatArray:
    """The three slopes and the offset (4, h, w) of margin against colour around every token."""
    h, w = margins.shape
    size = [1, *(2 * max(1, round(share * side)) + 1 for side in (h, w))]

    def mean(planes: FloatArray) -> FloatArray:
        filtered: FloatArray = uniform_filter(planes, size, mode="reflect")
        return filtered

    colour = mean(guide)
    margin = mean(margins[None])
    together = mean(guide * margins) - colour * margin
    spread = np.empty((h, w, 3, 3), np.float32)
    for i, j in combinations_with_replacement(range(3), 2):
        variance = mean((guide[i] * guide[j])[None])[0] - colour[i] * colour[j]
        spread[..., i, j] = spread[..., j, i] = variance + (FLAT if i == j else 0)
    slopes = np.linalg.solve(spread, together.transpose(1, 2, 0)[..., None])[..., 0]
    slopes = slopes.transpose(2, 0, 1)
    offset = margin - (slopes * colour).sum(axis=0, keepdims=True)
    return mean(np.concatenate([slopes, offset]))
