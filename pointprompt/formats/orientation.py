"""Upright pixels -> as their file stores them, by the number that EXIF has for it.

Knows the eight ways. Does not know files, photos or masks.

Source:
    CIPA DC-008 (Exif), the tag Orientation: where row 0 and column 0 of what is stored are seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What can be asked for, the usual one first.
ORIENTATIONS = ("upright", "stored")

_Pixels = NDArray[Any]
_TURNS: dict[int, Callable[[_Pixels], _Pixels]] = {
    1: lambda pixels: pixels,
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: np.rot90,
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels, -1),
}


def as_stored(upright: _Pixels, orientation: int) -> _Pixels:
    """The pixels as their file stores them, (H, W, ...) or (W, H, ...): a view of the upright ones.

    Args:
        upright: (H, W, ...) of any dtype.
        orientation: From 1 to 8, of `Photo`; from 5 on, rows become columns.
    """
    return _TURNS[orientation](upright)
