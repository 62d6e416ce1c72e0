"""Tokens and pixels: which token a point is in, which pixels a token has, what touches what.

Knows arrays. Does not know what the values on a grid mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pointprompt.types import BoolArray, Click, FloatArray

# Tokens of one image that touch, diagonally too, are connected; those of two images never are.
_TOUCHING = np.stack([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))])


def token_of(click: Click, h: int, w: int) -> tuple[int, int]:
    """The row and column of the token under `click`, in a grid of h by w tokens."""
    return int(float(click.y) * h), int(float(click.x) * w)


def check_image(image: int, n: int) -> None:
    """Pass the index of one of `n` images.

    Raises:
        ValueError: It is of another one.
    """
    if image >= n:
        raise ValueError(
            f"A click or an edit is on image {image}, counted from 0, but the set has only {n}."
        )


def tokens_of_pixels(tokens: int, pixels: int) -> NDArray[np.intp]:
    """For each of `pixels` along an axis, which of `tokens` its centre is in: (pixels,)."""
    # The arithmetic of token_of, so that both round alike.
    centres = (np.arange(pixels) + 0.5) / pixels
    return (centres * tokens).astype(np.intp)


def upscale(mask: BoolArray, height: int, width: int) -> BoolArray:
    """The mask of an image (H, W) bool: each pixel has the value of the token its centre is in.

    That is the token a click on the centre selects (`token_of`).

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
    columns = mask.astype(np.bool_, copy=False)[:, tokens_of_pixels(mask.shape[1], width)]
    return columns[tokens_of_pixels(mask.shape[0], height)]


def enlarge(plane: FloatArray, height: int, width: int) -> FloatArray:
    """(height, width) float32, interpolated between the centres of the plane's cells."""
    resized = Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)
    return np.array(resized)


def regions(mask: BoolArray) -> tuple[NDArray[np.int32], int]:
    """The number of the 8-connected region that each token is in, and how many regions there are.

    Numbers, of the mask's shape, are from 1 on, and 0 outside the mask. A region lies within one
    image.

    Args:
        mask: (h, w) or (n, h, w) bool.
    """
    touching = _TOUCHING if mask.ndim == 3 else _TOUCHING[1]
    numbers, count = ndimage.label(mask, structure=touching)
    return numbers, count
