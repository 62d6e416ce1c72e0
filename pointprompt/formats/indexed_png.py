"""Masks -> one PNG an image whose colours are numbers of things, and a legend.

Knows palettes. Does not know photos' pixels.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from pointprompt.formats.format import Format, Member, as_json
from pointprompt.formats.labelled import LabelledImage
from pointprompt.things import Thing
from pointprompt.types import ByteArray

_BACKGROUND = (0, 0, 0)


class IndexedPng(Format):
    """indexed/cat.png, indexed/legend.json and indexed/legend.txt.

    0 is the background, 1 the first thing. A pixel holds one number, so where things overlap the
    earlier one has it in any case.
    """

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """One file."""
        data = as_indexed_png(numbers_of(image), self.labelled.things)
        yield f"indexed/{image.stem}.png", data

    def finish(self) -> Iterator[Member]:
        """The legend, for programs and for people."""
        entries = [{"index": 0, "name": "background", "color": list(_BACKGROUND)}] + [
            {"index": number, "name": thing.name, "color": list(thing.color)}
            for number, thing in enumerate(self.labelled.things, start=1)
        ]
        yield "indexed/legend.json", as_json(entries)
        lines = [f"{entry['index']}\t{entry['name']}\n" for entry in entries]
        yield "indexed/legend.txt", "".join(lines).encode()


def numbers_of(image: LabelledImage) -> ByteArray:
    """Which thing each pixel belongs to, (H, W) uint8: 0 none, 1 the first."""
    numbers = np.zeros(image.shape, np.uint8)
    for thing, mask in enumerate(image.masks(), start=1):
        numbers[mask & (numbers == 0)] = thing
    return numbers


def as_indexed_png(numbers: ByteArray, things: Sequence[Thing]) -> bytes:
    """The content of a PNG of the numbers (H, W) uint8, with the things' colours as palette."""
    picture = Image.fromarray(numbers)
    colors = [_BACKGROUND, *(thing.color for thing in things)]
    picture.putpalette([value for color in colors for value in color])
    file = io.BytesIO()
    # Eight bits a pixel whatever the palette's length, as readers expect.
    picture.save(file, "PNG", bits=8)
    return file.getvalue()
