"""Photos with known masks, and how well a mask agrees with one.

Knows folders with a `manifest.json`, paths relative to it, one mask (0 and 255) an image:

    {"sets": [{"name": str, "kind": str, "images": [path, ...], "masks": [path, ...]}, ...]}

Knows nothing of clicks or rules.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from pointprompt.types import BoolArray, ByteArray, FloatArray

# Boundary F-score: pixels of tolerance, when the image has so many rows.
TOLERANCE = 2
ROWS = 480


@dataclass(frozen=True)
class LabelledSet:
    """Photos with known masks.

    Attributes:
        name: Of the set.
        kind: Of the set: class, part, video, egocentric, instance.
        photos: (H, W, 3) uint8.
        masks: (H, W) bool, one a photo.
    """

    name: str
    kind: str
    photos: list[ByteArray]
    masks: list[BoolArray]


def read_sets(folder: Path, count: int | None = None) -> list[LabelledSet]:
    """The sets of a folder; of them `count`, evenly spaced, or all."""
    entries = json.loads((folder / "manifest.json").read_text())["sets"]
    if count is not None and count < len(entries):
        entries = [entries[i * len(entries) // count] for i in range(count)]
    return [_read(folder, entry) for entry in entries]


def reduced(labelled: LabelledSet, side: int) -> LabelledSet:
    """The same photos and masks, each of at most `side` pixels a side."""
    return replace(
        labelled,
        photos=[shrunk(photo, side) for photo in labelled.photos],
        masks=[shrunk(np.uint8(255) * mask, side) > 127 for mask in labelled.masks],
    )


def shrunk(pixels: ByteArray, side: int) -> ByteArray:
    """The picture (H, W) or (H, W, 3) uint8 with its longer side at most so long, averaged."""
    share = side / max(pixels.shape[:2])
    if share >= 1:
        return pixels
    height, width = (max(1, round(share * length)) for length in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX))


def mean_iou(masks: Sequence[BoolArray], truth: Sequence[BoolArray]) -> float:
    """The mean IoU of images."""
    return float(np.mean([iou(m, t) for m, t in zip(masks, truth, strict=True)]))


def iou(mask: BoolArray, truth: BoolArray) -> float:
    """Intersection over union of two masks, in [0, 1]; of two empty ones it is 1."""
    union = (mask | truth).sum()
    return float((mask & truth).sum() / union) if union else 1.0


def boundary_f(mask: BoolArray, truth: BoolArray) -> float:
    """How well the outlines agree, in [0, 1]: the harmonic mean of precision and recall.

    Source: Martin, Fowlkes and Malik 2004, Learning to Detect Natural Image Boundaries, with the
        matching relaxed to distance, as DAVIS does.
    """
    ours, true = (_outline(_at_rows(m)) for m in (mask, truth))
    if not ours.any() or not true.any():
        return float(ours.any() == true.any())
    precision = (ndimage.distance_transform_edt(~true)[ours] <= TOLERANCE).mean()
    recall = (ndimage.distance_transform_edt(~ours)[true] <= TOLERANCE).mean()
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def separation(present: FloatArray, absent: FloatArray) -> float:
    """The AUROC: how often an image with the thing has the higher presence; a tie is half."""
    higher = present[:, None] > absent[None]
    return float((higher + 0.5 * (present[:, None] == absent[None])).mean())


def _read(folder: Path, entry: dict[str, list[str]]) -> LabelledSet:
    masks = [np.asarray(Image.open(folder / name).convert("L")) > 127 for name in entry["masks"]]
    # As stored, since the masks are drawn so: an orientation in a photo's EXIF does not count.
    photos = [np.asarray(Image.open(folder / name).convert("RGB")) for name in entry["images"]]
    return LabelledSet(str(entry["name"]), str(entry["kind"]), photos, masks)


def _at_rows(mask: BoolArray) -> BoolArray:
    width = max(1, round(mask.shape[1] * ROWS / mask.shape[0]))
    return np.asarray(Image.fromarray(mask).resize((width, ROWS), Image.Resampling.NEAREST))


def _outline(mask: BoolArray) -> BoolArray:
    """The pixels of the mask that touch one outside it; the image's border is no outline."""
    inner: BoolArray = mask & ~ndimage.binary_erosion(mask, border_value=1)
    return inner
