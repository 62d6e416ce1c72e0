"""Corrections of single images: strokes of a brush, and masks that were accepted as they stand.

Knows clicks and settings. Does not know things, pixels, nor who keeps corrections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from pointprompt.settings import Settings
from pointprompt.types import Click, is_number, is_whole

# Of all things together; and points of one stroke, and of all.
MAX_STROKES = 2000
MAX_STROKE_POINTS = 1000
MAX_POINTS = 100_000
# A stroke may leave the image: so far, in widths and heights of it, on each side.
_MARGIN = 1


@dataclass(frozen=True)
class Stroke:
    """What a round brush touched in one image: all that is within its radius of a line.

    Attributes:
        image: Index of the image in its set.
        adds: True where it makes pixels part of the mask, False where it takes them out.
        radius: In (0, 1], a share of the longer side of the image.
        points: The corners of the line, 1 to MAX_STROKE_POINTS: x and y of each as in `Click`, or
            up to one width or height outside the image.

    Raises:
        ValueError: A value is not of its kind or not in its range.
    """

    image: int
    adds: bool
    radius: float
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not is_whole(self.image) or self.image < 0:
            raise ValueError(
                f"A stroke's image must be a whole number from 0 on, not {self.image!r}."
            )
        if not isinstance(self.adds, bool):
            raise ValueError(f"A stroke's adds must be true or false, not {self.adds!r}.")
        if not is_number(self.radius) or not 0 < self.radius <= 1:
            raise ValueError(f"A stroke's radius must be above 0 and up to 1, not {self.radius!r}.")
        if not 0 < len(self.points) <= MAX_STROKE_POINTS:
            raise ValueError(f"A stroke must have 1 to {MAX_STROKE_POINTS} points.")
        for value in chain.from_iterable(self.points):
            if not is_number(value) or not -_MARGIN <= value <= 1 + _MARGIN:
                raise ValueError(
                    f"A stroke's points must be from {-_MARGIN} to {1 + _MARGIN}, not {value!r}."
                )


@dataclass(frozen=True)
class Lock:
    """Images whose masks were accepted: what later clicks and settings do not change in them.

    Attributes:
        images: Their indices in the set, at least one.
        clicks: The clicks that made the masks, those of other things among them.
        settings: How they did.

    Raises:
        ValueError: There is no image, or one is no whole number from 0 on.
    """

    images: tuple[int, ...]
    clicks: tuple[Click, ...]
    settings: Settings

    def __post_init__(self) -> None:
        if not self.images or not all(is_whole(image) and image >= 0 for image in self.images):
            raise ValueError("A lock must have images, each a whole number from 0 on.")


def check_strokes(strokes: Sequence[Stroke]) -> None:
    """Check that there are not too many.

    Raises:
        ValueError: There are more than MAX_STROKES, or they have more than MAX_POINTS.
    """
    if len(strokes) > MAX_STROKES:
        raise ValueError(f"There are more than {MAX_STROKES} strokes.")
    if sum(len(stroke.points) for stroke in strokes) > MAX_POINTS:
        raise ValueError(f"Strokes have more than {MAX_POINTS} points.")


def check_locks(locks: Iterable[Lock]) -> None:
    """Check that no image is locked twice.

    Raises:
        ValueError: One is.
    """
    images = [image for lock in locks for image in lock.images]
    if len(set(images)) < len(images):
        raise ValueError("An image is locked twice.")
