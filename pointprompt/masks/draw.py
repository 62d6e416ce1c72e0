"""Masks over their photo, as people look at them: tinted and outlined.

Knows pixels and colours. Does not know where masks come from, nor what file a picture goes into.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pointprompt.types import BoolArray, ByteArray

# Pixels drawn at once: what is computed of them stays in a core's cache.
_BAND_PIXELS = 1 << 17
# Shares of a mask's colour are counted in these, since whole numbers are fast.
_WHOLE = 256
# The outline is this part of the shorter side: 2 pixels of 600. A token, of 64 a side, is wider.
_OUTLINE_PART = 1 / 300


def overlay(
    pixels: ByteArray,
    masks: Iterable[BoolArray],
    colors: Sequence[tuple[int, int, int]],
    opacity: float,
    outline: bool,
) -> ByteArray:
    """The photo (H, W, 3) uint8 with masks tinted, each in its colour.

    Where masks overlap, the earlier one is seen.

    Args:
        pixels: (H, W, 3) uint8.
        masks: Each (H, W) bool, and no more than 127; one is in memory at a time.
        colors: Red, green and blue of each mask.
        opacity: In [0, 1]; of the tint. An outline is always opaque.
        outline: Draw each mask's edge, within the mask; not along the edge of the photo.

    Raises:
        ValueError: The photo and a mask have different sizes, there are not as many masks as
            colours, or the opacity is out of range.
    """
    if not 0 <= opacity <= 1:
        raise ValueError(f"The opacity must be from 0 to 1, not {opacity!r}.")
    inks = _inks(pixels, masks, len(colors), outline)
    shares = np.array([0] + [round(opacity * _WHOLE), _WHOLE] * len(colors), np.uint16)
    values = np.repeat(np.array([(0, 0, 0), *colors], np.uint16), 2, axis=0)[1:]
    result = np.empty_like(pixels)
    rows_at_once = max(1, _BAND_PIXELS // pixels.shape[1])
    for top in range(0, len(pixels), rows_at_once):
        rows = slice(top, top + rows_at_once)
        ink = inks[rows]
        share = shares[ink]
        for channel in range(3):
            value = (values[:, channel] * shares)[ink]
            blend = pixels[rows, :, channel] * (_WHOLE - share) + value
            result[rows, :, channel] = (blend + _WHOLE // 2) // _WHOLE
    return result


def _inks(pixels: ByteArray, masks: Iterable[BoolArray], count: int, outline: bool) -> ByteArray:
    """What each pixel (H, W) is drawn in: 0 nothing, 1 the first mask's tint, 2 its outline, ..."""
    height, width = pixels.shape[:2]
    thickness = max(1, round(min(height, width) * _OUTLINE_PART))
    inks = np.zeros((height, width), np.uint8)
    number = 0
    for mask in masks:
        if pixels.shape != (*mask.shape, 3):
            raise ValueError(f"A mask of {mask.shape} does not fit a photo of {pixels.shape}.")
        ink = mask * np.uint8(2 * number + 1)
        if outline:
            ink += _outline(mask, thickness)
        np.copyto(inks, ink, where=inks == 0)
        number += 1
    if number != count:
        raise ValueError(f"There are {number} masks and {count} colours for them.")
    return inks


def _outline(mask: BoolArray, thickness: int) -> BoolArray:
    """The pixels of `mask` (H, W) bool that are `thickness` or less from its edge."""
    inside = mask.copy()
    inside[thickness:] &= mask[:-thickness]
    inside[:-thickness] &= mask[thickness:]
    inside[:, thickness:] &= mask[:, :-thickness]
    inside[:, :-thickness] &= mask[:, thickness:]
    return mask & ~inside
