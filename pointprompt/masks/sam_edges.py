"""Margins at token resolution -> masks at image resolution, drawn by SAM's mask decoder.

Knows numpy, and a decoder by its one method. Does not know torch, where the decoder comes from,
sessions or files.

The decoder draws one thing a prompt. So each connected region of the mask is a prompt of its own:
the box around it, the points a person clicked in it, or else the token that says most surely where
it is, and the negative clicks close to it. What the decoder draws replaces the region; where it
draws something else, the region stays, with edges that follow the photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pointprompt.grid import enlarge, regions, token_of, upscale
from pointprompt.masks.photo_edges import PhotoEdges, keep_clicked
from pointprompt.types import BoolArray, Click, FloatArray

# Regions the decoder is asked for, at most, the largest first: each takes it 50 to 100 ms.
MOST_REGIONS = 8
# Tokens of the smallest region it is asked for.
LEAST_TOKENS = 4
# How far around its box a region's negative clicks may be, in tokens.
BESIDE = 2
# The IoU of what is drawn and the region below which it is something else; also the IoU of what is
# drawn and the thing, as the decoder itself guesses it, below which it is no use.
LEAST_IOU = 0.5

# What a point of a prompt is to SAM.
_NEGATIVE, _POSITIVE, _TOP_LEFT, _BOTTOM_RIGHT = range(4)


class Decoder(Protocol):
    """What draws: `backbones.load_decoder`."""

    def masks(
        self,
        embedding: NDArray[np.floating],
        points: Sequence[FloatArray],
        labels: Sequence[NDArray[np.intp]],
    ) -> tuple[FloatArray, FloatArray]:
        """The logits (p, H', W') float32 of p prompts, and the quality (p,) of each."""


class _Prompt(NamedTuple):
    """Points for one mask: x and y (m, 2) float32 in [0, 1], and what each of them is (m,)."""

    points: FloatArray
    labels: NDArray[np.intp]


def sam_mask(
    margins: FloatArray,
    edges: PhotoEdges,
    clicks: Sequence[Click],
    embedding: NDArray[np.floating],
    decoder: Decoder,
    *,
    size: tuple[int, int],
) -> BoolArray:
    """The mask (H, W) bool of one image, as the decoder draws it.

    Regions of fewer than `LEAST_TOKENS` tokens, those beyond the `MOST_REGIONS` largest, and those
    that the decoder draws otherwise have those of `PhotoEdges`. Tokens with a margin
    of exactly 1 or -1, which a person clicked, keep their side.

    Args:
        margins: (h, w) float32 in [-1, 1]; above 0 is inside.
        edges: Of the photo, for the regions that are not drawn.
        clicks: Those on this image, whatever their `image` is.
        embedding: (64, 64, 256) floats, of this image, of `Backbone.encode`.
        decoder: What draws.
        size: H and W, of the mask.

    Source: Kirillov et al. 2023, Segment Anything: one mask for a box with points, as in appendix
        A, "Making the model ambiguity-aware"; its logits enlarged and cut at 0.
    """
    height, width = size
    mask = np.zeros((height, width), np.bool_)
    rest = margins > 0
    for logits, region in _drawn(margins, clicks, embedding, decoder):
        mask |= enlarge(logits, height, width) > 0
        rest &= ~region
    if rest.any():
        # Of all margins: regions of one colour of which some count as outside confuse the filter.
        coarse = edges.mask(margins, size)
        mask |= coarse & _around(rest, margins, height, width)
    keep_clicked(mask, margins)
    return mask


def _drawn(
    margins: FloatArray,
    clicks: Sequence[Click],
    embedding: NDArray[np.floating],
    decoder: Decoder,
) -> list[tuple[FloatArray, BoolArray]]:
    """The logits (H', W') float32 of what is drawn, each with the region (h, w) it replaces."""
    largest = _largest_regions(margins > 0)
    if not largest:
        return []
    points, labels = zip(*(_prompt(region, margins, clicks) for region in largest), strict=True)
    logits, quality = decoder.masks(embedding, points, labels)
    return [
        (of_one, region)
        for of_one, good, region in zip(logits, quality, largest, strict=True)
        if good >= LEAST_IOU and _iou(of_one, region) >= LEAST_IOU
    ]


def _around(rest: BoolArray, margins: FloatArray, height: int, width: int) -> BoolArray:
    """The pixels (H, W) that are nearer to the regions `rest` (h, w) than to the drawn ones."""
    nearest = ndimage.distance_transform_edt(
        margins <= 0, return_distances=False, return_indices=True
    )
    return upscale(rest[tuple(nearest)], height, width)


def _largest_regions(mask: BoolArray) -> list[BoolArray]:
    """The 8-connected regions (h, w) of a mask (h, w) that the decoder is asked for."""
    numbers, count = regions(mask)
    tokens = np.bincount(numbers.ravel(), minlength=count + 1)
    order = sorted(range(1, count + 1), key=lambda number: -tokens[number])
    large = [number for number in order if tokens[number] >= LEAST_TOKENS]
    return [numbers == number for number in large[:MOST_REGIONS]]


def _prompt(region: BoolArray, margins: FloatArray, clicks: Sequence[Click]) -> _Prompt:
    """The prompt for a region (h, w) of the margins (h, w)."""
    h, w = region.shape
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    beside = np.zeros_like(region)
    beside[max(0, top - BESIDE) : bottom + BESIDE, max(0, left - BESIDE) : right + BESIDE] = True
    # Of several clicks on one token, the margin tells which one counts.
    beside &= margins <= 0

    this = [(c.x, c.y) for c in clicks if c.positive and region[token_of(c, h, w)]]
    not_this = [(c.x, c.y) for c in clicks if not c.positive and beside[token_of(c, h, w)]]
    corners = [(left / w, top / h), (right / w, bottom / h)]
    if not this:
        row, column = _surest(region, margins)
        this = [((column + 0.5) / w, (row + 0.5) / h)]
    what = [_POSITIVE] * len(this) + [_NEGATIVE] * len(not_this) + [_TOP_LEFT, _BOTTOM_RIGHT]
    return _Prompt(np.array([*this, *not_this, *corners], np.float32), np.array(what, np.intp))


def _surest(region: BoolArray, margins: FloatArray) -> tuple[int, int]:
    """Row and column of the region's token with the highest margin times distance to the rest."""
    # All that is beyond the image is not the region.
    depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(np.argmax(depth * margins * region), region.shape)
    return int(row), int(column)


def _iou(logits: FloatArray, region: BoolArray) -> float:
    """The IoU of a region (h, w) and the tokens that are drawn by half or more."""
    h, w = region.shape
    drawn = Image.fromarray(np.uint8(255) * (logits > 0)).resize((w, h), Image.Resampling.BOX)
    tokens = np.asarray(drawn) >= 128
    return float((tokens & region).sum() / (tokens | region).sum())
