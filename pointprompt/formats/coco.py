"""Masks -> COCO instances: one JSON file of all images.

Knows COCO's fields. Does not know how masks become runs or polygons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pointprompt.formats.format import DEFAULT_OPTIONS, Format, Member, Options
from pointprompt.formats.labelled import Labelled, LabelledImage
from pointprompt.formats.rings import Ring, area_of, box_of, rings
from pointprompt.formats.rle import Runs, runs_of, runs_of_regions
from pointprompt.types import BoolArray


class Coco(Format):
    """coco.json: things as categories, an annotation for each in each image, or for each region.

    Masks are compressed runs, exact, or polygons along the edges of pixels, which `pycocotools`
    fills to the same masks. Identifiers count from 1. What is in no pixel has no annotation.
    """

    gathers = True

    def __init__(self, labelled: Labelled, options: Options = DEFAULT_OPTIONS) -> None:
        super().__init__(labelled, options)
        self._images: list[dict[str, Any]] = []
        # As text at once: much smaller than the numbers as objects.
        self._annotations: list[str] = []

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """No file yet."""
        height, width = image.shape
        entry = {"id": image.place + 1, "file_name": image.photo.name}
        self._images.append({**entry, "width": width, "height": height})
        for thing, count in enumerate(image.counts):
            if count:
                for said in self._said(image.mask(thing)):
                    self._annotate(image.place + 1, thing + 1, said)
        return iter(())

    def finish(self) -> Iterator[Member]:
        """The file."""
        start = {
            "info": {"description": "Masks made with pointprompt"},
            "licenses": [],
            "images": self._images,
            "categories": [
                {"id": number, "name": thing.name, "supercategory": ""}
                for number, thing in enumerate(self.labelled.things, start=1)
            ],
        }
        text = json.dumps(start, ensure_ascii=False)
        annotations = ",\n".join(self._annotations)
        yield "coco.json", f'{text[:-1]}, "annotations": [\n{annotations}\n]}}\n'.encode()

    def _said(self, mask: BoolArray) -> list[dict[str, Any]]:
        """What annotations say of a mask that is not empty."""
        if self.options.coco_polygons:
            around = rings(mask)
            groups = [[ring] for ring in around] if self.options.coco_regions else [around]
            return [_polygons(group) for group in groups]
        return list(
            map(_runs, runs_of_regions(mask) if self.options.coco_regions else [runs_of(mask)])
        )

    def _annotate(self, image: int, category: int, said: dict[str, Any]) -> None:
        number = len(self._annotations) + 1
        annotation = {"id": number, "image_id": image, "category_id": category, **said}
        self._annotations.append(json.dumps(annotation, separators=(",", ":")))


def _runs(runs: Runs) -> dict[str, Any]:
    return {
        "segmentation": {"size": [runs.height, runs.width], "counts": runs.counts},
        "area": runs.area,
        "bbox": runs.box,
        "iscrowd": 0,
    }


def _polygons(around: list[Ring]) -> dict[str, Any]:
    left, upper, right, lower = box_of(around)
    return {
        "segmentation": [_numbers(ring) for ring in around],
        "area": sum(map(area_of, around)),
        "bbox": (left, upper, right - left, lower - upper),
        "iscrowd": 0,
    }


def _numbers(ring: Ring) -> list[float]:
    """X and y of each corner in turn, without a dot where they are whole."""
    return [int(value) if value.is_integer() else value for value in ring.ravel().tolist()]
