"""Masks -> a table of how much of each thing is in each image.

Knows masks and counts. Does not know photos' pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

from pointprompt.formats.format import DEFAULT_OPTIONS, Format, Member, Options, as_table
from pointprompt.formats.labelled import Labelled, LabelledImage
from pointprompt.grid import regions

_COLUMNS = (
    "image",
    "thing",
    "pixels",
    "share",
    "regions",
    "presence",
    "positive_clicks",
    "negative_clicks",
    "locked",
    "edited",
)


class Summary(Format):
    """summary.csv: a row for each thing in each image.

    The share is of the image's pixels, regions are 8-connected, and clicks are those on this image.
    Locked is what was accepted as it stood, edited what a brush was used on.
    """

    gathers = True

    def __init__(self, labelled: Labelled, options: Options = DEFAULT_OPTIONS) -> None:
        super().__init__(labelled, options)
        self._rows: list[tuple[object, ...]] = []

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """No file yet."""
        height, width = image.shape
        for thing, pixels in enumerate(image.counts):
            _, count = regions(image.mask(thing))
            presence = image.presence[thing]
            of = self.labelled.things[thing]
            signs = [click.positive for click in of.clicks if click.image == image.index]
            is_locked = any(image.index in lock.images for lock in of.locks)
            is_edited = any(stroke.image == image.index for stroke in of.strokes)
            self._rows.append(
                (
                    image.photo.name,
                    of.name,
                    pixels,
                    f"{pixels / (height * width):.6f}",
                    count,
                    f"{presence:.4f}",
                    signs.count(True),
                    signs.count(False),
                    str(is_locked).lower(),
                    str(is_edited).lower(),
                )
            )
        return iter(())

    def finish(self) -> Iterator[Member]:
        """The table."""
        yield "summary.csv", as_table([_COLUMNS, *self._rows])
