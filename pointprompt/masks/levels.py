"""How far a click reaches: the likeness to it at which the region around it is most stable.

Knows likeness and photos. Does not know codes, rules or labels.

One click on a wheel may mean the wheel, the car, or its rim. Lower the level of likeness step by
step and the region around the click grows: slowly while it fills one thing, by leaps where it runs
over into the next. The thing is where it grows least.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.morphology import reconstruction

from pointprompt.masks.guided_filter import guided
from pointprompt.types import ByteArray, FloatArray

# The levels that are looked at, and how many steps apart regions are compared.
LEVELS: NDArray[np.float64] = np.round(np.arange(-0.2, 0.951, 0.025), 3)
APART = 3
# A thing is rarely less like its own middle than `LEAST`, and needs not be more so than `MOST`.
LEAST = 0.30
MOST = 0.85
# What most things are like, how much that differs, and what it counts against stability. Chosen on
# every second evaluation set, and checked on the others.
USUAL, WIDTH, PRIOR = 0.35, 0.15, 0.03
# Share of the photo beyond which a region is all of it, and always stable.
ALL = 0.95
# Longest side of the picture that regions are looked for in; larger ones find no other level.
SIDE = 160


def stable_level(likeness: FloatArray, pixels: ByteArray, at: tuple[float, float]) -> float:
    """The likeness, in [0.3, 0.85], above which a token is of the thing that was clicked.

    With A(t) the share of the pixels that hang together with the click where likeness, drawn along
    the photo's edges, is above t:

        the t that is largest in  A(t + 0.075) / A(t - 0.075) - 0.03 ((t - 0.35) / 0.15)**2

    of those with A(t) in (0, 0.95]; and 0.3 where that is lower, or there are none.

    Args:
        likeness: (h, w) float32 in [-1, 1], of the tokens to the clicked one.
        pixels: (H, W, 3) uint8, RGB: the photo at any size.
        at: x and y of the click, in [0, 1).

    Source: Matas et al. 2002, Robust Wide-Baseline Stereo from Maximally Stable Extremal Regions,
        section 2, for the one region around a point.
    """
    drawn = guided(likeness, small(pixels))
    height, width = drawn.shape
    row, column = int(at[1] * height), int(at[0] * width)
    share = _shares(drawn, row, column)
    last = len(LEVELS) - 1
    steps = np.arange(last + 1)
    above, below = share[np.minimum(steps + APART, last)], share[np.maximum(steps - APART, 0)]
    worth = above / np.maximum(below, 1e-12) - PRIOR * ((LEVELS - USUAL) / WIDTH) ** 2
    worth[(share <= 0) | (share > ALL) | (LEVELS > MOST)] = -np.inf
    return max(LEAST, float(LEVELS[worth.argmax()])) if np.isfinite(worth).any() else LEAST


def _shares(drawn: FloatArray, row: int, column: int) -> NDArray[np.float64]:
    """For each level, the share of the pixels that hang together with one above it."""
    seed = np.full_like(drawn, drawn.min())
    seed[row, column] = drawn[row, column]
    # The highest level at which each pixel still hangs together with that one.
    joined = np.sort(reconstruction(seed, drawn, footprint=np.ones((3, 3))), axis=None)
    share = (joined.size - np.searchsorted(joined, LEVELS, side="right")) / joined.size
    share[drawn[row, column] <= LEVELS] = 0
    return share


def small(pixels: ByteArray) -> ByteArray:
    """The photo with no side above `SIDE`."""
    photo = Image.fromarray(pixels)
    photo.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(photo)
