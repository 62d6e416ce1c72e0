"""Where masks lose: 1 - IoU, split by the place of the wrong pixels.

Knows masks. Knows nothing of how they come about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from scipy import ndimage

from benchmarks.labelled import iou
from pointprompt.types import BoolArray

# An image counts as missed where IoU and recall are below this.
MISSED = 0.1


@dataclass(frozen=True)
class Loss:
    """Parts of 1 - IoU, each the mean over images.

    Attributes:
        missed: All of it, where next to nothing of the thing was found.
        outline: Wrong pixels within one token of the true outline.
        background: Pixels further away that were taken.
        part: Pixels further away that were left out.
    """

    missed: float
    outline: float
    background: float
    part: float

    @property
    def total(self) -> float:
        """1 - IoU."""
        return sum(astuple(self))


def loss(masks: Sequence[BoolArray], truth: Sequence[BoolArray], near: Sequence[BoolArray]) -> Loss:
    """The mean loss of images.

    Args:
        masks: (H, W) bool, one an image.
        truth: The true ones.
        near: `near_outline` of the true ones.
    """
    parts = [_parts(*of_image) for of_image in zip(masks, truth, near, strict=True)]
    return Loss(*np.mean(parts, axis=0).tolist())


def near_outline(truth: BoolArray, grid: tuple[int, int]) -> BoolArray:
    """The pixels (H, W) that are at most one token from the outline of a mask.

    Args:
        truth: (H, W) bool.
        grid: How many rows and columns of tokens the image has.
    """
    if truth.all() or not truth.any():
        return np.zeros_like(truth)
    # In tokens, which need not be square.
    pixel = [tokens / pixels for tokens, pixels in zip(grid, truth.shape, strict=True)]
    across = [ndimage.distance_transform_edt(side, sampling=pixel) for side in (truth, ~truth)]
    near: BoolArray = np.maximum(*across) <= 1
    return near


def _parts(mask: BoolArray, truth: BoolArray, near: BoolArray) -> tuple[float, ...]:
    """The fields of the `Loss` of one image."""
    union = (mask | truth).sum()
    if not union:
        return 0.0, 0.0, 0.0, 0.0
    found = iou(mask, truth)
    if found < MISSED and (mask & truth).sum() < MISSED * truth.sum():
        return 1 - found, 0.0, 0.0, 0.0
    wrong = mask ^ truth
    places = (wrong & near, mask & wrong & ~near, truth & wrong & ~near)
    return 0.0, *(float(place.sum() / union) for place in places)
