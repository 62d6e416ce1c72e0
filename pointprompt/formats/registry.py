"""The formats that can be chosen, by name.

Knows every format's class. Does not know archives, nor who chooses.
"""

from __future__ import annotations

from typing import NamedTuple

from pointprompt.formats.binary_png import BinaryPng
from pointprompt.formats.coco import Coco
from pointprompt.formats.cutouts import Cutouts
from pointprompt.formats.format import Format
from pointprompt.formats.heatmaps import Heatmaps
from pointprompt.formats.indexed_png import IndexedPng
from pointprompt.formats.labelme import LabelMe
from pointprompt.formats.overlays import Overlays
from pointprompt.formats.parquet import Parquet
from pointprompt.formats.recipe import Recipe
from pointprompt.formats.sheet import Sheet
from pointprompt.formats.summary import Summary
from pointprompt.formats.yolo import Yolo


class Choice(NamedTuple):
    """A format that can be chosen.

    Attributes:
        kind: What writes it.
        line: What it is, in plain words, for a check box.
    """

    kind: type[Format]
    line: str


FORMATS = {
    "png": Choice(BinaryPng, "Black and white masks (PNG), one of each thing"),
    "indexed": Choice(IndexedPng, "Masks of all things in one PNG, by number, with a legend"),
    "coco": Choice(Coco, "COCO instances (JSON)"),
    "yolo": Choice(Yolo, "YOLO segmentation labels, with data.yaml"),
    "labelme": Choice(LabelMe, "LabelMe polygons (JSON), one file an image"),
    "parquet": Choice(Parquet, "A data set (parquet) with photos and masks, for training"),
    "cutouts": Choice(Cutouts, "Cut-outs (PNG): each thing alone, the rest transparent"),
    "overlays": Choice(Overlays, "Photos with the things tinted in their colours"),
    "heatmaps": Choice(Heatmaps, "Heatmaps (16-bit PNG): how well each pixel fits a thing"),
    "csv": Choice(Summary, "A table (CSV): pixels, share and regions of each thing"),
    "sheet": Choice(Sheet, "An overview picture of all images, to show around"),
    "recipe": Choice(Recipe, "Recipe: run the same on any folder of images"),
}
DEFAULT_FORMATS = ("png", "overlays")
