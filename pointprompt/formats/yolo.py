"""Masks -> YOLO segmentation labels: a text file an image, and what a training reads first.

Knows YOLO's files. Does not know how masks become polygons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from pointprompt.formats.format import Format, Member
from pointprompt.formats.labelled import LabelledImage
from pointprompt.formats.rings import Ring, rings, through_pixels

_DATA = """\
# Put the photos into a folder images/ beside this file, under their own names: labels/ is found
# from there. All of them are for training; name others under val.
train: images
val: images
names:
"""


class Yolo(Format):
    """yolo/labels/cat.txt and yolo/data.yaml.

    A line is a region: the thing's number from 0, then x and y of each corner, as shares of the
    image's width and height. Photos are not copied.
    """

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """One file, empty where no thing is."""
        height, width = image.shape
        lines = [
            f"{thing} {_shares(ring, width, height)}\n"
            for thing, mask in enumerate(image.masks())
            for ring in rings(mask)
        ]
        yield f"yolo/labels/{image.stem}.txt", "".join(lines).encode()

    def finish(self) -> Iterator[Member]:
        """What names the things."""
        # A text as JSON has it is one as YAML has it, too.
        names = [
            f"  {number}: {json.dumps(thing.name, ensure_ascii=False)}\n"
            for number, thing in enumerate(self.labelled.things)
        ]
        yield "yolo/data.yaml", (_DATA + "".join(names)).encode()


def _shares(ring: Ring, width: int, height: int) -> str:
    shares = through_pixels(ring) / np.array([width, height])
    # A tenth of the least that tells pixels apart, in the longest image.
    return " ".join(f"{value:.7f}" for value in shares.ravel().tolist())
