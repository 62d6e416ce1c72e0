"""Masks at token resolution -> masks at image resolution.

Knows numpy. Does not know eigenvectors, clicks, sessions or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from pointprompt.types import BoolArray

# The colour masks are drawn in, on the page and in files: magenta is rare in photos, and far from
# the red and the blue of the points.
MASK_RGB = (255, 0, 255)


def upscale(mask: BoolArray, height: int, width: int) -> BoolArray:
    """The mask of an image (H, W) bool: each pixel has the value of the token its centre is in.

    That is the token a click on the centre selects (`scoring.token_of`).

    Args:
        mask: (h, w) bool.
        height: H, at least 1; it may be smaller than h.
        width: W, at least 1; it may be smaller than w.

    Raises:
        ValueError: The mask is not of two axes with tokens along both, or H or W is below 1.
    """
    if mask.ndim != 2 or mask.size == 0:
        raise ValueError(
            f"A mask must have the axes (h, w) and tokens, not the shape {mask.shape}."
        )
    if height < 1 or width < 1:
        raise ValueError(f"An image must have pixels, not a size of {width} x {height}.")
    # Columns first: only h rows of them are gathered one by one, and whole rows are copied after.
    columns = mask.astype(np.bool_, copy=False)[:, _tokens_of_pixels(mask.shape[1], width)]
    return columns[_tokens_of_pixels(mask.shape[0], height)]


class ImageMasks(Sequence[BoolArray]):
    """The masks of images at their own sizes, each (H, W) bool, computed anew when asked for.

    So the masks of a hundred large images take no memory until they are looked at, one by one.

    Args:
        masks: (n, h, w) bool. They are not copied: leave them as they are.
        sizes: (H, W) of each of the n images.

    Raises:
        ValueError: There are not as many sizes as masks.
    """

    def __init__(self, masks: BoolArray, sizes: Sequence[tuple[int, int]]) -> None:
        if len(masks) != len(sizes):
            raise ValueError(f"There are {len(masks)} masks for {len(sizes)} images.")
        self._masks = masks
        self._sizes = tuple(sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    @overload
    def __getitem__(self, index: int) -> BoolArray: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[BoolArray, ...]: ...
    def __getitem__(self, index: int | slice) -> BoolArray | tuple[BoolArray, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        return upscale(self._masks[index], *self._sizes[index])


def _tokens_of_pixels(tokens: int, pixels: int) -> NDArray[np.intp]:
    """For each of `pixels` along an axis, which of `tokens` its centre is in: (pixels,)."""
    # The arithmetic of scoring.token_of, so that both round alike.
    centres = (np.arange(pixels) + 0.5) / pixels
    return (centres * tokens).astype(np.intp)
