"""A mask -> rings around its regions, each hole cut out by a bridge to what is around it.

Knows arrays of pixels and what programs make of a ring. Does not know files, things or photos.

A ring is a polygon, (k, 2) float64, of the (x, y) of its corners, in pixels from the upper left
corner of the image, so that pixel (x, y) lies between x and x + 1 and between y and y + 1. It goes
clockwise as one sees it, the region on its right, and does not repeat its first corner.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pointprompt.types import BoolArray

Ring = NDArray[np.float64]
_Indices = NDArray[np.intp]
# Where in a pixel a ring `through_pixels` goes at the near side of a region, left or upper, and at
# its far side: below a half, so that rounding finds the pixel as cutting off what follows the dot
# does, whichever of these a program does.
_NEAR, _FAR = 0.05, 0.45


def rings(mask: BoolArray) -> list[Ring]:
    """A ring along the edges of pixels around each 8-connected region of a mask.

    Filled, they are the mask exactly. A bridge goes there and back along the middle of a row of
    pixels, so it encloses nothing; its ends alone have coordinates that are not whole.

    Args:
        mask: (H, W) bool.

    Returns:
        Ordered by their first corners, rows before columns; empty where the mask is.
    """
    corners = _corners(mask)
    if not len(corners.x):
        return []
    following, order = _linked(corners)
    firsts = _firsts(following)
    is_outer = corners.inside[firsts]
    x, y, path = _bridged(mask, corners, following, order, firsts[~is_outer])
    return [_walked(x, y, path, int(first)) for first in firsts[is_outer]]


def through_pixels(ring: Ring) -> Ring:
    """The ring that programs which paint the pixels under a ring too fill to the same mask.

    `cv2.fillPoly` and Pillow's `ImageDraw.polygon` do: a ring along the edges of pixels gives them
    a row and a column too many.

    Args:
        ring: One of `rings`.

    Returns:
        Like it, through the pixels along the inner side of its region's edge, each corner in its
        pixel less than a half from the pixel's left and upper side.
    """
    ends = np.roll(ring, -1, axis=0)
    # What touches a bridge's end is in the middle of a row, and a bridge itself has no pixels.
    whole_start, whole_end = (np.mod(one[:, 1], 1) == 0 for one in (ring, ends))
    step = np.sign(ends - ring)
    inwards = np.stack([-step[:, 1], step[:, 0]], axis=1)
    first = ring + 0.5 * (inwards + step * whole_start[:, None])
    last = ends + 0.5 * (inwards - step * whole_end[:, None])
    is_bridge = ~whole_start & ~whole_end & (step[:, 1] == 0)
    # The sides of a region that this edge is at: +1 at a near one, -1 at a far one, 0 at none.
    first_side = inwards + step * whole_start[:, None]
    last_side = inwards - step * whole_end[:, None]
    path = np.stack([_in_pixel(first, first_side), _in_pixel(last, last_side)], axis=1)
    path = path[~is_bridge].reshape(-1, 2)
    return path[np.any(path != np.roll(path, 1, axis=0), axis=1)]


def area_of(ring: Ring) -> int:
    """How many pixels there are within one of `rings`."""
    x, y = ring.T
    return round(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)


def box_of(around: list[Ring]) -> tuple[int, int, int, int]:
    """The least and the greatest x and y of `rings`: left, upper, right, lower."""
    least = np.min([ring.min(axis=0) for ring in around], axis=0)
    greatest = np.max([ring.max(axis=0) for ring in around], axis=0)
    return int(least[0]), int(least[1]), int(greatest[0]), int(greatest[1])


def _in_pixel(centres: Ring, side: Ring) -> Ring:
    """Points (k, 2) of pixels, towards the sides they are at."""
    middle = (_NEAR + _FAR) / 2
    return np.floor(centres) + np.where(side > 0, _NEAR, np.where(side < 0, _FAR, middle))


class _Corners(NamedTuple):
    """Where the edge of a mask turns, rows before columns: (N,) each.

    Where two regions, or two parts of one, touch at their corners only, both turns are there: what
    is to the left of that point, then what is to its right.
    """

    x: _Indices
    y: _Indices
    # Whether the pixel to the lower right is in the mask.
    inside: BoolArray
    # Of two at one point, whether the edge goes on downwards from this one; else False.
    lower: BoolArray


def _corners(mask: BoolArray) -> _Corners:
    padded = np.pad(mask, 1)
    upper_left, upper_right = padded[:-1, :-1], padded[:-1, 1:]
    lower_left, lower_right = padded[1:, :-1], padded[1:, 1:]
    across = upper_left ^ upper_right
    down = upper_left ^ lower_left
    turns = (across ^ lower_left ^ lower_right) | (across & down)
    y, x = np.nonzero(turns)
    double = across[y, x] & down[y, x] & (upper_left[y, x] == lower_right[y, x])
    times = 1 + double
    is_second = np.zeros(int(times.sum()), bool)
    is_second[np.cumsum(times)[double] - 1] = True
    y, x, double = (np.repeat(one, times) for one in (y, x, double))
    inside = lower_right[y, x]
    # Regions hold together at corners: around the pixel that is out, to the left or to the right.
    lower = double & (is_second ^ inside)
    return _Corners(x, y, inside, lower)


def _linked(corners: _Corners) -> tuple[_Indices, _Indices]:
    """The corner after each, (N,), and all corners, columns before rows, (N,).

    In a row of corners the first two are the ends of an edge, then the next two; in a column too.
    """
    following = np.empty(len(corners.x), np.intp)
    left = np.arange(0, len(following), 2)
    goes_right = corners.inside[left]
    following[np.where(goes_right, left, left + 1)] = np.where(goes_right, left + 1, left)
    order = np.lexsort((corners.lower, corners.y, corners.x))
    upper, lower = order[0::2], order[1::2]
    goes_up = corners.inside[upper]
    following[np.where(goes_up, lower, upper)] = np.where(goes_up, upper, lower)
    return following, order


def _firsts(following: _Indices) -> _Indices:
    """The first corner of each ring, ascending."""
    n = len(following)
    links = coo_array((np.ones(n, np.int8), (np.arange(n), following)), shape=(n, n))
    _, ring_of = connected_components(links, directed=False)
    return np.sort(np.unique(ring_of, return_index=True)[1])


def _bridged(
    mask: BoolArray, corners: _Corners, following: _Indices, order: _Indices, holes: _Indices
) -> tuple[Ring, Ring, list[int]]:
    """The x and y of all corners and ends of bridges, and the one after each, holes joined.

    From the first corner of a hole a bridge goes to the left, through the mask, to the edge there:
    of what is around the hole, or of another hole that begins above it or left of it. So no bridges
    go in circles.
    """
    path: list[int] = following.tolist()
    n = len(path)
    x, y = corners.x[holes], corners.y[holes]
    # Runs of the mask in rows with a column of nothing before them, all in a line.
    height, width = mask.shape
    line = np.zeros((height, width + 1), bool)
    line[:, 1:] = mask
    line = line.ravel()
    starts = np.flatnonzero(line[1:] & ~line[:-1]) + 1
    # The pixel at column x - 1 stands at x in its line.
    run = starts[np.searchsorted(starts, y * (width + 1) + x, "right") - 1]
    edge_x = run % (width + 1) - 1
    upper, lower = order[0::2], order[1::2]
    keys = corners.x[upper] * (height + 1) + corners.y[upper]
    edge = lower[np.searchsorted(keys, edge_x * (height + 1) + y, "right") - 1]
    for number, (hole, before) in enumerate(zip(holes.tolist(), edge.tolist(), strict=True)):
        there, at_hole, from_hole, back = range(n + 4 * number, n + 4 * number + 4)
        # Edges to the left of the mask go up, and holes come from above: the later, the earlier.
        path += [at_hole, path[hole], back, path[before]]
        path[hole], path[before] = from_hole, there
    all_x = np.concatenate([corners.x, np.stack([edge_x, x, x, edge_x], axis=1).ravel()])
    all_y = np.concatenate([corners.y, np.repeat(y + 0.5, 4)])
    return all_x.astype(np.float64), all_y.astype(np.float64), path


def _walked(x: Ring, y: Ring, path: list[int], first: int) -> Ring:
    places = [first]
    while (place := path[places[-1]]) != first:
        places.append(place)
    return np.stack([x[places], y[places]], axis=1)
