"""The formats that can be chosen, by name.

Knows every format's class. Does not know archives, nor who chooses.
"""

from __future__ import annotations

from typing import NamedTuple

from pointprompt.formats.binary_png import BinaryPng
from pointprompt.formats.coco import Coco
from pointprompt.formats.format import Format
from pointprompt.formats.labelme import LabelMe
from pointprompt.formats.overlays import Overlays
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
    "coco": Choice(Coco, "COCO instances (JSON)"),
    "yolo": Choice(Yolo, "YOLO segmentation labels, with data.yaml"),
    "labelme": Choice(LabelMe, "LabelMe polygons (JSON), one file an image"),
    "overlays": Choice(Overlays, "Photos with the things tinted in their colours"),
}
DEFAULT_FORMATS = ("png", "overlays")
