"""A simulated person, who clicks on what is most wrong, again and again.

Knows masks. Knows nothing of how they come about, which is the rule's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.labelled import boundary_f, mean_iou
from pointprompt.types import BoolArray, Click

CLICKS = 10

_TOUCHING = np.ones((3, 3), bool)

# Clicks to the masks of all images, each (H, W) bool, and the seconds until they were scored.
Rule = Callable[[Sequence[Click]], tuple[list[BoolArray], float]]


@dataclass(frozen=True)
class Course:
    """How one set went with one rule, after 1, 2, ... `CLICKS` clicks.

    Attributes:
        clicks: All of them; fewer than `CLICKS` where nothing was left to mend.
        iou: (CLICKS,) mean over its images.
        seconds: (CLICKS,) of scoring.
        boundary: After the last click, the mean boundary F-score of the images with the thing.
    """

    clicks: tuple[Click, ...]
    iou: NDArray[np.float64]
    seconds: NDArray[np.float64]
    boundary: float


def run(rule: Rule, truth: Sequence[BoolArray]) -> Course:
    """The course of one set: the simulated person clicks, the rule answers."""
    first = truth[0]
    clicks = [click_at(0, innermost(first), first.shape, positive=True)]
    means: list[float] = []
    seconds: list[float] = []
    while True:
        masks, spent = rule(clicks)
        means.append(mean_iou(masks, truth))
        seconds.append(spent)
        correction = next_click(masks, truth)
        if len(means) == CLICKS or correction is None:
            break
        clicks.append(correction)
    short = CLICKS - len(means)  # Nothing was left to mend.
    outlines = [boundary_f(m, t) for m, t in zip(masks, truth, strict=True) if t.any()]
    return Course(
        tuple(clicks),
        np.pad(np.array(means), (0, short), "edge"),
        np.pad(np.array(seconds), (0, short), "edge"),
        float(np.mean(outlines)),
    )


def next_click(masks: Sequence[BoolArray], truth: Sequence[BoolArray]) -> Click | None:
    """The innermost point of the largest wrong region of all images; None where all is right."""
    largest = 0
    found: tuple[int, bool, BoolArray] | None = None
    for image, (mask, true) in enumerate(zip(masks, truth, strict=True)):
        for positive, wrong in ((True, true & ~mask), (False, mask & ~true)):
            if wrong.sum() <= largest:
                continue
            regions, _ = ndimage.label(wrong, structure=_TOUCHING)
            sizes = np.bincount(regions.ravel())
            sizes[0] = 0
            if sizes.max() > largest:
                largest = int(sizes.max())
                found = image, positive, regions == sizes.argmax()
    if found is None:
        return None
    image, positive, region = found
    return click_at(image, innermost(region), region.shape, positive=positive)


def innermost(region: BoolArray) -> tuple[int, int]:
    """The row and column that is furthest from all that is not region, the outside included."""
    # What is beyond the region's box is no nearer than the frame around that.
    (box,) = ndimage.find_objects(region.view(np.int8))
    depth = ndimage.distance_transform_edt(np.pad(region[box], 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return int(box[0].start + row), int(box[1].start + column)


def click_at(image: int, at: tuple[int, int], shape: tuple[int, ...], *, positive: bool) -> Click:
    """A click in the middle of the pixel in this row and column of an image of this (H, W)."""
    row, column = at
    return Click(image, (column + 0.5) / shape[1], (row + 0.5) / shape[0], positive)
