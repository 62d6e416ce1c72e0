"""What every format is, and what many of them are made of.

Knows PNG, JSON and CSV. Does not know archives, nor any one format.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pointprompt.formats.labelled import Labelled, LabelledImage
from pointprompt.formats.orientation import ORIENTATIONS
from pointprompt.types import ByteArray

# The name of a file, with folders before it, and its content: bytes, or a file to read to its end.
Content = bytes | BinaryIO
Member = tuple[str, Content]

# Half the time of Pillow's own 6 for photos and heatmaps, and a tenth more bytes at most.
_PNG_LEVEL = 3
# What a spreadsheet takes for the beginning of a formula.
_OF_FORMULAS = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Options:
    """What can be chosen within formats.

    Attributes:
        coco_polygons: Have COCO say masks as polygons, not by the lengths of runs of pixels.
        coco_regions: Have COCO say each region of a thing in an image apart.
        orientation: Of `ORIENTATIONS`: everything upright, or each image as its file stores it.

    Raises:
        ValueError: There is no such orientation.
    """

    coco_polygons: bool = False
    coco_regions: bool = False
    orientation: str = "upright"

    def __post_init__(self) -> None:
        if self.orientation not in ORIENTATIONS:
            raise ValueError(
                f"The orientation must be one of {', '.join(ORIENTATIONS)}, "
                f"not {self.orientation!r}."
            )


DEFAULT_OPTIONS = Options()


class Format:
    """Writes one kind of file of the masks of all images, one image at a time, in their order.

    Attributes:
        lacks: What an image is without where its photo cannot be read again; "" if nothing.
        streams: Whether it can begin before it is known which images there are.
        gathers: Whether its files are of all images together, so that it must see each of them in
            their order; else an image's files need no other image.

    Args:
        labelled: What is to be written.
        options: What is chosen.
    """

    lacks: ClassVar[str] = ""
    streams: ClassVar[bool] = True
    gathers: ClassVar[bool] = False

    def __init__(self, labelled: Labelled, options: Options = DEFAULT_OPTIONS) -> None:
        self.labelled = labelled
        self.options = options

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """The files of the next image, made one by one.

        Raises:
            UnreadablePhoto: Its pixels are needed and cannot be had.
        """
        raise NotImplementedError

    def finish(self) -> Iterator[Member]:
        """The files of all images together, once each was added or could not be."""
        return iter(())

    def close(self) -> None:
        """Let go of what it holds beyond memory, whether all went well or not."""


def as_png(pixels: ByteArray | NDArray[np.uint16]) -> bytes:
    """The content of a PNG: (H, W) uint8 or uint16, (H, W, 3) or (H, W, 4) uint8."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=_PNG_LEVEL)
    return file.getvalue()


def as_table(rows: Iterable[Sequence[object]]) -> bytes:
    """The content of a CSV file in UTF-8.

    A name that a spreadsheet would run as a formula has ' before it.
    """
    file = io.StringIO()
    csv.writer(file).writerows([[_cell(value) for value in row] for row in rows])
    return file.getvalue().encode()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_OF_FORMULAS) else value


def as_json(document: Any) -> bytes:
    """A document as people can read it."""
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False).encode()
