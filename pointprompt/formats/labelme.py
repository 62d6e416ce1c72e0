"""Masks -> LabelMe files: a JSON of polygons an image.

Knows LabelMe's fields. Does not know how masks become polygons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pointprompt.formats.format import Format, Member
from pointprompt.formats.labelled import LabelledImage
from pointprompt.formats.rings import Ring, rings, through_pixels

# Of LabelMe, whose fields these are.
_VERSION = "5.5.0"


class LabelMe(Format):
    """labelme/cat.json: opened with the photo beside it, under its own name.

    Where a thing has several regions in an image, they are a group.
    """

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """One file, without shapes where no thing is."""
        height, width = image.shape
        shapes: list[dict[str, Any]] = []
        for number, (thing, mask) in enumerate(
            zip(self.labelled.things, image.masks(), strict=True)
        ):
            around = rings(mask)
            group = number if len(around) > 1 else None
            shapes += [_shape(thing.name, ring, group) for ring in around]
        document: dict[str, Any] = {
            "version": _VERSION,
            "flags": {},
            "shapes": shapes,
            "imagePath": image.photo.name,
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        text = json.dumps(document, ensure_ascii=False)
        yield f"labelme/{image.stem}.json", text.encode()


def _shape(label: str, ring: Ring, group: int | None) -> dict[str, Any]:
    return {
        "label": label,
        # Two digits say where in a pixel a corner is; floats have more.
        "points": through_pixels(ring).round(2).tolist(),
        "group_id": group,
        "description": "",
        "shape_type": "polygon",
        "flags": {},
        "mask": None,
    }
