"""A mask over its photo, as people look at it: tinted and outlined.

Knows pixels and one colour. Does not know where masks come from, nor what file a picture goes into.
"""

from __future__ import annotations

import numpy as np

from pointprompt.masks.lazy import MASK_RGB
from pointprompt.types import BoolArray, ByteArray

# Pixels drawn at once: what is computed of them stays in a core's cache.
_BAND_PIXELS = 1 << 17
# Shares of the mask's colour are counted in these, since whole numbers are fast.
_WHOLE = 256
# The outline is this part of the shorter side: 2 pixels of 600. A token, of 64 a side, is wider.
_OUTLINE_PART = 1 / 300


def overlay(pixels: ByteArray, mask: BoolArray, opacity: float, outline: bool) -> ByteArray:
    """The photo (H, W, 3) uint8 with its mask tinted in `lazy.MASK_RGB`.

    Args:
        pixels: (H, W, 3) uint8.
        mask: (H, W) bool.
        opacity: In [0, 1]; of the tint. An outline is always opaque.
        outline: Draw the mask's edge, within the mask; not along the edge of the photo.

    Raises:
        ValueError: The photo and its mask have different sizes, or the opacity is out of range.
    """
    if pixels.shape != (*mask.shape, 3):
        raise ValueError(f"A mask of {mask.shape} does not fit a photo of {pixels.shape}.")
    if not 0 <= opacity <= 1:
        raise ValueError(f"The opacity must be from 0 to 1, not {opacity!r}.")
    height, width = mask.shape
    shares = np.array([0, round(opacity * _WHOLE), _WHOLE], np.uint16)
    share_of = mask.astype(np.uint8)
    if outline:
        share_of += _outline(mask, max(1, round(min(height, width) * _OUTLINE_PART)))
    result = np.empty_like(pixels)
    rows_at_once = max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows_at_once):
        rows = slice(top, top + rows_at_once)
        share = shares[share_of[rows]]
        for channel, value in enumerate(MASK_RGB):
            blend = pixels[rows, :, channel] * (_WHOLE - share) + value * share
            result[rows, :, channel] = (blend + _WHOLE // 2) // _WHOLE
    return result


def _outline(mask: BoolArray, thickness: int) -> BoolArray:
    """The pixels of `mask` (H, W) bool that are `thickness` or less from its edge."""
    inside = mask.copy()
    inside[thickness:] &= mask[:-thickness]
    inside[:-thickness] &= mask[thickness:]
    inside[:, thickness:] &= mask[:, :-thickness]
    inside[:, :-thickness] &= mask[:, thickness:]
    return mask & ~inside
