"""What other programs read of a download: each opens it with its own code, as its users would.

    python -m benchmarks.readers

They are no dependencies of ours; each that is to be tried must be importable: `pip install labelme
fiftyone ultralytics` into any environment that has pointprompt too. Ultralytics also trains one
epoch of its smallest segmenter, from nothing, on what was written. FiftyOne needs no database to
read. Knows the programs' functions for reading.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from PIL import Image
from scipy import ndimage

from pointprompt.formats.archive import write_zip
from pointprompt.formats.labelled import Labelled
from pointprompt.things import THING_COLORS, Color, Thing
from pointprompt.types import BackboneChoice, BoolArray, Photo

_NAMES = ("cat", "dog")
_SIZES = ((240, 320), (300, 200), (128, 128), (255, 401))
_SEED = 0


def main() -> None:
    """Print how much of every mask each program reads again."""
    print("| program | version | masks | IoU, least | IoU, mean |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        labelled = _written(Path(folder))
        for program, read in _READERS.items():
            try:
                importlib.import_module(program)
            except ImportError:
                print(f"| {program} | not installed | | | |")
                continue
            found = [_iou(mask, other) for mask, other in read(Path(folder), labelled)]
            values = f"{len(found)} | {min(found):.4f} | {np.mean(found):.4f}"
            print(f"| {program} | {metadata.version(program)} | {values} |")
            if program == "ultralytics":
                print(f"\nOne epoch of training: {_trained(Path(folder))}")


def _written(folder: Path) -> Labelled:
    """Made photos and masks of blobs, written as a download is and unpacked."""
    random = np.random.default_rng(_SEED)

    def blobs(size: tuple[int, int]) -> BoolArray:
        return np.asarray(ndimage.gaussian_filter(random.random(size), 12, mode="wrap") > 0.502)

    photos = []
    for number, (height, width) in enumerate(_SIZES):
        path = folder / f"photo-{number}.png"
        pixels = random.integers(0, 255, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(path)
        photos.append(Photo(path.name, height, width, b"", path))
    colors = list(THING_COLORS.values())
    things = [Thing(name, color=Color(*colors[at])) for at, name in enumerate(_NAMES)]
    masks = [[blobs(size) for size in _SIZES] for _ in things]
    shape = (len(things), len(photos))
    labelled = Labelled(
        photos,
        things,
        masks,
        np.zeros((*shape, 4, 4), np.float32),
        np.ones(shape, np.float32),
        BackboneChoice("efficientnet_lite0", "block", 4, 512),
    )
    write_zip(folder / "masks.zip", labelled, ["labelme", "coco", "yolo"])
    with ZipFile(folder / "masks.zip") as archive:
        archive.extractall(folder)
    images = folder / "yolo" / "images"
    images.mkdir()
    for photo in photos:
        for place in (images, folder / "labelme"):
            os.link(folder / photo.name, place / photo.name)
    return labelled


_Pairs = Iterator[tuple[BoolArray, BoolArray]]


def _labelme(folder: Path, labelled: Labelled) -> _Pairs:
    """Each mask, and what LabelMe makes of its file."""
    from labelme._label_file import LabelFile
    from labelme.utils import shapes_to_label

    for image in labelled:
        file: Any = LabelFile(str(folder / "labelme" / f"{image.stem}.json"))
        for number, name in enumerate(_NAMES):
            shapes = [shape for shape in file.shapes if shape["label"] == name]
            drawn, _ = shapes_to_label((*image.shape, 3), shapes, {name: 1})
            yield image.mask(number), drawn == 1


def _fiftyone(folder: Path, labelled: Labelled) -> _Pairs:
    """Each mask, and what FiftyOne makes of the COCO file."""
    from fiftyone.utils.coco import COCODetectionDatasetImporter

    importer: Any = COCODetectionDatasetImporter(
        data_path=str(folder / "labelme"), labels_path=str(folder / "coco.json")
    )
    with importer:
        read = {Path(path).name: found["segmentations"] for path, _, found in importer}
    for image in labelled:
        for number, name in enumerate(_NAMES):
            drawn = np.zeros(image.shape, bool)
            for one in read[image.photo.name].detections:
                if one.label == name:
                    x, y = (
                        round(s * o)
                        for s, o in zip(image.shape[::-1], one.bounding_box[:2], strict=True)
                    )
                    height, width = one.mask.shape
                    drawn[y : y + height, x : x + width] |= one.mask
            yield image.mask(number), drawn


def _ultralytics(folder: Path, labelled: Labelled) -> _Pairs:
    """Each mask, and what Ultralytics makes of its label file."""
    from ultralytics.data.utils import polygons2masks, verify_image_label

    for image in labelled:
        photo = folder / "yolo" / "images" / image.photo.name
        label = folder / "yolo" / "labels" / f"{image.stem}.txt"
        asked = (str(photo), str(label), "", False, len(_NAMES), 0, 0, False)
        _, lines, _, segments, *_, said = verify_image_label(asked)
        if lines is None:
            raise ValueError(said)
        height, width = image.shape
        for number in range(len(_NAMES)):
            polygons = [
                (segment * [width, height]).ravel()
                for line, segment in zip(lines, segments, strict=True)
                if line[0] == number
            ]
            drawn = [polygons2masks((height, width), [one], color=1)[0] > 0 for one in polygons]
            yield image.mask(number), np.any([np.zeros((height, width), bool), *drawn], axis=0)


_READERS = {"labelme": _labelme, "fiftyone": _fiftyone, "ultralytics": _ultralytics}


def _trained(folder: Path) -> str:
    """How one epoch ended, of the smallest model with weights of nothing."""
    from ultralytics import YOLO

    result: Any = YOLO("yolo11n-seg.yaml", verbose=False).train(
        data=str(folder / "yolo" / "data.yaml"),
        epochs=1,
        imgsz=64,
        batch=2,
        device="cpu",
        workers=0,
        plots=False,
        pretrained=False,
        project=str(folder / "runs"),
        verbose=False,
    )
    return f"it ended, and was tried on {len(_SIZES)} images, {len(result.keys)} figures"


def _iou(mask: BoolArray, other: BoolArray) -> float:
    either = np.count_nonzero(mask | other)
    return np.count_nonzero(mask & other) / either if either else 1.0


if __name__ == "__main__":
    main()
