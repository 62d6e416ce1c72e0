"""One of several alike things: of each image, only the regions that were meant.

Knows arrays. Does not know eigenvectors, pixels, sessions or files.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from scipy import ndimage

from pointprompt.grid import regions
from pointprompt.types import BoolArray, FloatArray


def only_one(margins: FloatArray, positives: Collection[tuple[int, int, int]]) -> BoolArray:
    """The masks (n, h, w) bool with, in each image, only the regions that were meant.

    Those are the 8-connected regions that hold a positive click; in an image without one, the
    region with the largest sum of margins: large and sure.

    Args:
        margins: (n, h, w) float32; above 0 is inside.
        positives: Image, row and column of the tokens that were clicked as "this".
    """
    masks = np.zeros(margins.shape, np.bool_)
    for image, margin in enumerate(margins):
        numbers, count = regions(margin > 0)
        if not count:
            continue
        kept = {int(numbers[row, column]) for i, row, column in positives if i == image} - {0}
        if not kept:
            sums = ndimage.sum_labels(margin, numbers, np.arange(1, count + 1))
            kept = {int(np.argmax(sums)) + 1}
        masks[image] = np.isin(numbers, list(kept))
    return masks
