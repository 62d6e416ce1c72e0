"""Masks and photos -> one picture of all images, to show around.

Knows previews, masks, colours and names. Does not know other formats, nor full photos.
"""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pointprompt.formats.format import DEFAULT_OPTIONS, Format, Member, Options
from pointprompt.formats.labelled import Labelled, LabelledImage, UnreadablePhoto
from pointprompt.formats.overlays import OVERLAY_OPACITY, as_jpeg
from pointprompt.grid import upscale
from pointprompt.masks.draw import overlay
from pointprompt.things import Thing
from pointprompt.types import Photo

# A page, in pixels; and a cell's, which holds a photo with its name below it.
MAX_SIDE = 4096
_LEAST_SIDE, _MOST_SIDE, _STEP = 256, 640, 8
_GAP = 8
_TEXT = 16
_LINE = 24
_FONTS = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "Arial Unicode.ttf", "Arial.ttf", "arial.ttf")
# A place in Unicode that never has one.
_NO_LETTER = "\uffff"
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_PAPER, _INK = (255, 255, 255), (0, 0, 0)


class Sheet(Format):
    """sheet.jpg, or sheet-1.jpg and so on: all images with their things and names, and a legend.

    Upright in any case: it is for looking.
    """

    lacks = "picture on the sheet"
    streams = False
    gathers = True

    def __init__(self, labelled: Labelled, options: Options = DEFAULT_OPTIONS) -> None:
        super().__init__(labelled, options)
        self._font = _font()
        count = len(labelled.written)
        photos = [labelled.photos[index] for index in labelled.written]
        # The largest that have room on one page; the smallest where none have.
        for side in range(_MOST_SIDE, _LEAST_SIDE - 1, -_STEP):
            self._side = side
            self._columns = min(MAX_SIDE // side, math.ceil(math.sqrt(count)))
            self._legend = _legend(labelled.things, self._columns * side, self._font)
            self._cell = side - round((side - 2 * _GAP) * (1 - _tallest(photos))) + _LINE
            room = (MAX_SIDE - self._legend.height) // self._cell
            if self._columns * room >= count:
                break
        self._rows = min(math.ceil(count / self._columns), room)
        self._page: Image.Image | None = None
        self._finished: list[bytes] = []
        self._added = 0

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """No file yet.

        Raises:
            UnreadablePhoto: Its preview is damaged; its name has its place all the same.
        """
        place = self._added % (self._rows * self._columns)
        self._added += 1
        if place == 0:
            self._turn_page()
        assert self._page is not None  # noqa: S101 - images come in their order
        row, column = divmod(place, self._columns)
        left, upper = column * self._side, self._legend.height + row * self._cell
        text = _shortened(image.photo.name, self._side - 2 * _GAP, self._font)
        draw = ImageDraw.Draw(self._page)
        draw.text((left + _GAP, upper + self._cell - _LINE), text, _INK, self._font)
        picture = self._picture(image)
        free = self._side - picture.width, self._cell - _LINE - picture.height
        self._page.paste(picture, (left + free[0] // 2, upper + free[1] // 2))
        return iter(())

    def finish(self) -> Iterator[Member]:
        """The pages."""
        self._turn_page(new=False)
        for number, page in enumerate(self._finished, start=1):
            yield f"sheet-{number}.jpg" if len(self._finished) > 1 else "sheet.jpg", page

    def _turn_page(self, new: bool = True) -> None:
        """Keep the page that is full as a file's content, and begin another."""
        if self._page:
            self._finished.append(as_jpeg(np.asarray(self._page)))
        if not new:
            return
        height = self._legend.height + self._rows * self._cell
        self._page = Image.new("RGB", (self._columns * self._side, height), _PAPER)
        self._page.paste(self._legend, (0, 0))

    def _picture(self, image: LabelledImage) -> Image.Image:
        """The photo with its things, as large as a cell has room for."""
        try:
            preview = Image.open(io.BytesIO(image.photo.preview)).convert("RGB")
        except (OSError, ValueError) as error:
            raise UnreadablePhoto("The preview is damaged.") from error
        shape = image.upright_shape
        scale = (self._side - 2 * _GAP) / max(shape)
        height, width = (max(1, round(side * scale)) for side in shape)
        pixels = np.asarray(preview.resize((width, height), Image.Resampling.LANCZOS))
        masks = (
            upscale(image.upright_mask(thing), height, width) for thing in range(len(image.counts))
        )
        colors = [thing.color for thing in self.labelled.things]
        return Image.fromarray(overlay(pixels, masks, colors, OVERLAY_OPACITY, outline=True))


def _tallest(photos: Sequence[Photo]) -> float:
    """The greatest height of all photos in a square: 1 where one is as high as wide, or more."""
    return max((min(1.0, photo.height / photo.width) for photo in photos), default=1.0)


def _legend(things: Sequence[Thing], width: int, font: _Font) -> Image.Image:
    """Each thing's colour and name, in lines of this width in pixels."""
    mark = _LINE - _GAP
    places, x, line = [], _GAP, 0
    for thing in things:
        name = _shortened(thing.name, width - mark - 3 * _GAP, font)
        extent = mark + _GAP + math.ceil(font.getlength(name))
        if x > _GAP and x + extent + _GAP > width:
            x, line = _GAP, line + 1
        places.append((x, _GAP + line * _LINE, name, thing.color))
        x += extent + 3 * _GAP
    legend = Image.new("RGB", (width, 2 * _GAP + (line + 1) * _LINE), _PAPER)
    draw = ImageDraw.Draw(legend)
    for left, upper, name, color in places:
        draw.rectangle((left, upper, left + mark, upper + mark), color, _INK)
        draw.text((left + mark + _GAP, upper), name, _INK, font)
    return legend


def _font() -> _Font:
    """One of this computer's that has many letters; else Pillow's own, which has ASCII's alone."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, _TEXT)
        except OSError:
            continue
    return ImageFont.load_default(_TEXT)


def _drawable(text: str, font: _Font) -> str:
    """A text with those letters that a font lacks replaced: by what is like them, or by "?"."""
    missing = bytes(font.getmask(_NO_LETTER))

    def shown(letter: str) -> str:
        if letter.isascii() or bytes(font.getmask(letter)) != missing:
            return letter
        plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
        return plain or "?"

    return "".join(map(shown, text))


def _shortened(text: str, width: int, font: _Font) -> str:
    """As much of a text as there is room for, in pixels."""
    text = _drawable(text, font)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
