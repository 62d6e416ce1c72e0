"""What is wanted in all images: named things, each by clicks, settings and edits of its own.

Knows clicks, settings and edits. Does not know how masks are made of them, nor who keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pointprompt.edits import Lock, Stroke, check_locks, check_strokes
from pointprompt.settings import Settings
from pointprompt.types import Click, is_whole

MAX_THINGS = 20
MAX_NAME_CHARS = 60

# Red, green and blue of the things in the order they are made. The first one is rare in photos;
# each of the next is chosen to be told from all before it, by people with colour-blindness too.
THING_COLORS = {
    "magenta": (255, 0, 255),
    "lime": (120, 255, 0),
    "cyan": (0, 225, 255),
    "navy": (20, 30, 140),
    "orange": (255, 120, 0),
    "white": (255, 255, 255),
    "olive": (120, 120, 0),
    "mint": (150, 255, 200),
    "grey": (125, 125, 125),
    "pink": (255, 150, 200),
    "brown": (130, 70, 10),
    "pine": (0, 60, 40),
    "violet": (70, 70, 190),
    "apricot": (255, 205, 150),
    "maroon": (120, 0, 50),
    "green": (0, 130, 60),
    "red": (255, 70, 110),
    "purple": (120, 40, 220),
    "teal": (0, 130, 130),
    "yellow": (255, 225, 0),
}


class Color(NamedTuple):
    """Red, green and blue, from 0 to 255."""

    red: int
    green: int
    blue: int


FIRST_COLOR = Color(*THING_COLORS["magenta"])
_DEFAULTS = Settings()


@dataclass(frozen=True)
class Thing:
    """One thing that is wanted in all images.

    Attributes:
        name: What a person calls it: 1 to MAX_NAME_CHARS printable characters, no space at an end.
        clicks: The prompt.
        settings: How its clicks become masks.
        color: What it is drawn in.
        locks: Images whose masks were accepted, and what made those.
        strokes: Of a brush over the masks that clicks make, in their order.

    Raises:
        ValueError: A value is not of its kind, or an image is locked twice.
    """

    name: str = "mask"
    clicks: tuple[Click, ...] = ()
    settings: Settings = _DEFAULTS
    color: Color = FIRST_COLOR
    locks: tuple[Lock, ...] = ()
    strokes: tuple[Stroke, ...] = ()

    def __post_init__(self) -> None:
        name = self.name
        if not isinstance(name, str) or not name.isprintable() or name != name.strip():
            raise ValueError("The name of a thing must be a text without line breaks.")
        if not 0 < len(name) <= MAX_NAME_CHARS:
            raise ValueError(f"The name of a thing must have 1 to {MAX_NAME_CHARS} characters.")
        if not all(is_whole(value) and 0 <= value <= 255 for value in self.color):
            raise ValueError("The colour of a thing must be three whole numbers from 0 to 255.")
        check_locks(self.locks)

    @property
    def said(self) -> tuple[Thing | Lock, ...]:
        """What says its masks: its own clicks and settings, and those of each lock."""
        return (self, *self.locks)

    @property
    def is_marked(self) -> bool:
        """Whether anything can be in its masks."""
        return (
            any(click.positive for click in self.clicks)
            or bool(self.settings.concept)
            or any(stroke.adds for stroke in self.strokes)
            or bool(self.locks)
        )


def clicks_of(things: Sequence[Thing], index: int, *, exclusive: bool) -> tuple[Click, ...]:
    """The clicks that make a thing's masks: with what others are not, where that is wanted.

    Its own come last, since on one token the last one counts.

    Args:
        things: All of them.
        index: Of the thing.
        exclusive: Whether a "this" of one is a "not this" of the others.
    """
    own = things[index].clicks
    if not exclusive or not (own or things[index].settings.concept):
        return own
    theirs = [
        replace(click, positive=False)
        for other, thing in enumerate(things)
        if other != index
        for click in thing.clicks
        if click.positive
    ]
    return (*theirs, *own)


def check_things(things: Sequence[Thing]) -> None:
    """Check that things can stand side by side.

    Raises:
        ValueError: There are none, or more than MAX_THINGS, or two of the same name, or too many
            strokes.
    """
    if not 0 < len(things) <= MAX_THINGS:
        raise ValueError(f"There must be 1 to {MAX_THINGS} things, not {len(things)}.")
    names = [thing.name.casefold() for thing in things]
    for name in names:
        if names.count(name) > 1:
            raise ValueError("Two things have the same name.")
    check_strokes([stroke for thing in things for stroke in thing.strokes])
