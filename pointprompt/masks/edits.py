"""Corrections of a mask at any size: small holes filled, specks removed, strokes of a brush.

Knows arrays and strokes. Does not know who made them. `ui/static/state/strokes.js` paints the same
strokes to the same pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pointprompt.edits import Stroke
from pointprompt.grid import regions
from pointprompt.types import BoolArray

# Of a box that is looked at at once.
_BAND_PIXELS = 1 << 18


def cleaned(mask: BoolArray, *, holes: float, specks: float) -> BoolArray:
    """The mask (H, W) bool without its small holes and regions.

    A hole is background that is connected over sides of pixels and does not touch the edge of the
    image; a region is connected over corners too.

    Args:
        mask: (H, W) bool.
        holes: Holes of fewer pixels of the mask are filled.
        specks: Regions of fewer pixels are removed, after that.
    """
    if holes > 0:
        numbers, count = ndimage.label(~mask)
        sizes = np.bincount(numbers.ravel(), minlength=count + 1)
        small = sizes < holes
        # The mask itself, and the background around all.
        small[0] = False
        for edge in (numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]):
            small[edge] = False
        mask = mask | small[numbers]
    if specks > 0:
        numbers, count = regions(mask)
        small = np.bincount(numbers.ravel(), minlength=count + 1) < specks
        mask = mask & ~small[numbers]
    return mask


def painted(mask: BoolArray, strokes: Sequence[Stroke], size: tuple[int, int]) -> BoolArray:
    """The mask (h, w) bool after strokes, in their order: what a later one touches is as it says.

    A pixel is touched where its centre is within the radius of the line, as measured in the image.

    Args:
        mask: (h, w) bool, of any size; it stays as it is.
        strokes: On its image.
        size: H and W of the image, by which it may be squeezed.
    """
    if not strokes:
        return mask
    found = mask.copy()
    longer = max(size)
    rows, columns = (
        _centres(pixels) * extent / longer for pixels, extent in zip(mask.shape, size, strict=True)
    )
    for stroke in strokes:
        points = [(x * size[1] / longer, y * size[0] / longer) for x, y in stroke.points]
        # A dot is a line from its point to itself.
        for start, end in pairwise(points if len(points) > 1 else points * 2):
            for box, touched in _touched(rows, columns, (start, end), stroke.radius):
                found[box][touched] = stroke.adds
    return found


def _centres(pixels: int) -> NDArray[np.float64]:
    """The centres of pixels along an axis, from 0 to 1: (pixels,)."""
    return (np.arange(pixels) + 0.5) / pixels


def _touched(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    segment: tuple[tuple[float, float], tuple[float, float]],
    radius: float,
) -> Iterator[tuple[tuple[slice, slice], BoolArray]]:
    """Boxes of pixels that cover a segment, and which of them are within the radius of it."""
    (x, y), (to_x, to_y) = segment
    dx, dy = to_x - x, to_y - y
    length = dx * dx + dy * dy
    across = slice(*np.searchsorted(columns, [min(x, to_x) - radius, max(x, to_x) + radius]))
    upper, lower = np.searchsorted(rows, [min(y, to_y) - radius, max(y, to_y) + radius])
    from_x = columns[None, across] - x
    # In bands: a wide brush on a large image would else take its memory several times over.
    step = max(1, _BAND_PIXELS // max(1, from_x.size))
    for top in range(upper, lower, step):
        down = slice(top, min(top + step, lower))
        from_y = rows[down, None] - y
        # How far along the segment the nearest point is, from 0 to 1.
        along = np.clip((from_x * dx + from_y * dy) / length, 0, 1) if length else 0.0
        off_x, off_y = from_x - along * dx, from_y - along * dy
        yield (down, across), off_x * off_x + off_y * off_y <= radius * radius
