"""Margins at token resolution -> masks at image resolution whose edges follow the photo.

Knows sizes, clicked tokens, and what is prepared of a photo once. What makes an edge of margins and
colours, `fusion` knows. Does not know clicks, sessions or files.
"""

from __future__ import annotations

import io
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image

from pointprompt.grid import enlarge, tokens_of_pixels
from pointprompt.masks.fusion import WEIGHTS, fuse
from pointprompt.masks.segments import SCALES, Segments, segment
from pointprompt.types import BoolArray, ByteArray, FloatArray, Photo

# Longest side, in pixels, at which edges are looked for. The mask is the same one at every size,
# since all of them are enlarged from this.
SIDE = 320

# The most memory that what is prepared of one photo takes: its pixels and its regions.
MAX_BYTES = SIDE * SIDE * (3 + 4 * len(SCALES))

# What was prepared of photos, for as long as they are there.
_PREPARED: WeakKeyDictionary[Photo, PhotoEdges] = WeakKeyDictionary()


class PhotoEdges:
    """What drawing along a photo's edges needs of the photo: made once, used after every click.

    Attributes:
        pixels: (H', W', 3) uint8, RGB, no side above `SIDE`.
    """

    def __init__(self, photo: ByteArray) -> None:
        """Draw along the edges of this photo.

        Args:
            photo: (H', W', 3) uint8, RGB: the image at any size.
        """
        self.pixels = _small(photo)

    @classmethod
    def of(cls, photo: Photo) -> PhotoEdges:
        """Those of a photo, the same ones whenever they are asked for."""
        edges = _PREPARED.get(photo)
        if edges is None:
            preview = Image.open(io.BytesIO(photo.preview), formats=["JPEG"])
            edges = _PREPARED[photo] = cls(np.asarray(preview))
        return edges

    def mask(
        self, margins: FloatArray, size: tuple[int, int], weights: FloatArray = WEIGHTS
    ) -> BoolArray:
        """The mask (H, W) bool of the image, with edges where the photo has them.

        Tokens with a margin of exactly 1 or -1, which a person clicked, keep their side.

        Args:
            margins: (h, w) float32 in [-1, 1]; above 0 is inside.
            size: H and W.
            weights: Of `fusion.fuse`.
        """
        if not (margins > 0).any():  # Colours could find something in nothing.
            return np.zeros(size, np.bool_)
        fused = fuse(margins, self.pixels, self.segments, weights)
        mask: BoolArray = enlarge(fused, *size) > 0
        keep_clicked(mask, margins)
        return mask

    @cached_property
    def segments(self) -> Segments:
        """Those of the pixels, looked for when they are first needed."""
        return segment(self.pixels)


def follow_edges(
    margins: FloatArray, photo: ByteArray, size: tuple[int, int] | None = None
) -> BoolArray:
    """The mask (H, W) bool of `PhotoEdges`, of a photo (H', W', 3) uint8; None takes its size."""
    return PhotoEdges(photo).mask(margins, size or photo.shape[:2])


def keep_clicked(mask: BoolArray, margins: FloatArray) -> None:
    """Give the tokens that a person clicked, whose margin is exactly 1 or -1, their side.

    Args:
        mask: (H, W) bool, changed in place.
        margins: (h, w) float32 in [-1, 1].
    """
    h, w = margins.shape
    height, width = mask.shape
    for row, column in np.argwhere(np.abs(margins) == 1):
        mask[_pixels(row, h, height), _pixels(column, w, width)] = margins[row, column] > 0


def _small(photo: ByteArray) -> ByteArray:
    """The photo with no side above `SIDE`."""
    longest = max(photo.shape[:2])
    if longest <= SIDE:
        return photo
    height, width = (max(1, round(side * SIDE / longest)) for side in photo.shape[:2])
    resized = Image.fromarray(photo).resize((width, height), Image.Resampling.BOX)
    return np.asarray(resized)


def _pixels(token: int, tokens: int, pixels: int) -> slice:
    """The pixels along one axis whose centres are in the token; the nearest one where none is."""
    first, stop = np.searchsorted(tokens_of_pixels(tokens, pixels), [token, token + 1])
    if first == stop:
        first = min(int(first), pixels - 1)
        stop = first + 1
    return slice(int(first), int(stop))
