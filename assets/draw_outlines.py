"""Draw docs/quality.md's figure: masks before and after, large, of the example photos.

    python assets/draw_outlines.py

Both are of the same clicks and margins: before, along the guided filter alone; after, of all planes
that are fused. Run it again when outlines change, and look at what it made.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import pointprompt
from pointprompt.masks.draw import overlay
from pointprompt.masks.guided_filter import guided
from pointprompt.masks.lazy import MASK_RGB
from pointprompt.sources.examples import example_set
from pointprompt.types import BoolArray, ByteArray

FIGURE = Path(__file__).parent / "outlines.jpg"
BACKBONE = "efficientnet_lite0"
COLUMNS = ("clicks", "before: the guided filter alone", "after")
PANEL = (480, 360)
GAP, HEAD = 8, 34
MARK = 7


class Shown(NamedTuple):
    """A set, the clicks on its first image, and the images that are drawn."""

    key: str
    clicks: tuple[pointprompt.Click, ...]
    images: tuple[int, ...]


SHOWN = (
    Shown("still-life", (pointprompt.Click(0, 0.3, 0.55),), (0, 3)),
    Shown("motorcycle", (pointprompt.Click(0, 0.4, 0.45),), (0, 2)),
    Shown("cat", (pointprompt.Click(0, 0.5, 0.5),), (0, 4)),
)


def main() -> None:
    """Draw the clicked image of each set, and another one."""
    rows = [row for shown in SHOWN for row in _rows(shown)]
    width, height = PANEL
    size = (len(COLUMNS) * (width + GAP) - GAP, HEAD + len(rows) * (height + GAP) - GAP)
    figure = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(figure)
    for column, name in enumerate(COLUMNS):
        draw.text((column * (width + GAP), 6), name, "black", ImageFont.load_default(20))
        for row, pictures in enumerate(rows):
            place = (column * (width + GAP), HEAD + row * (height + GAP))
            figure.paste(Image.fromarray(pictures[column]).resize(PANEL), place)
    figure.save(FIGURE, quality=88, optimize=True)


def _rows(shown: Shown) -> list[tuple[ByteArray, ...]]:
    photos = [image.load() for image in example_set(shown.key).images]
    analysis = pointprompt.analyze(photos, backbone=BACKBONE)
    tokens = pointprompt.Predictor(analysis).predict(shown.clicks, pointprompt.Settings())
    masks = pointprompt.predict(analysis, shown.clicks).masks
    rows = []
    for index in shown.images:
        photo = photos[index]
        before: BoolArray = guided(tokens.margins[index], photo) > 0
        tinted = [
            overlay(photo, [mask], [MASK_RGB], 0.45, outline=True)
            for mask in (before, masks[index])
        ]
        rows.append((_marked(photo, shown.clicks, index), *tinted))
    return rows


def _marked(photo: ByteArray, clicks: tuple[pointprompt.Click, ...], index: int) -> ByteArray:
    """The photo with the clicks on it, as large as it is in the figure."""
    picture = Image.fromarray(photo).resize(PANEL)
    draw = ImageDraw.Draw(picture)
    for click in clicks:
        if click.image == index:
            x, y = click.x * PANEL[0], click.y * PANEL[1]
            sign = "green" if click.positive else "red"
            for radius, color in ((MARK + 2, "white"), (MARK, sign)):
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), color)
    return np.asarray(picture)


if __name__ == "__main__":
    main()
