"""What a browser sent, which may be anything -> a message of `wire`, every field checked.

Knows JSON-like values. Nothing of a message comes back in what is said about it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Literal, TypeVar

from pointprompt.edits import MAX_STROKE_POINTS, MAX_STROKES, Lock, Stroke, check_locks
from pointprompt.formats.prompt_json import read_prompt
from pointprompt.formats.registry import FORMATS
from pointprompt.server.wire import (
    MAX_CLICKS,
    MAX_EDGED,
    MAX_HUB_CHARS,
    MAX_LOCKED_CLICKS,
    MAX_RECALL_CHARS,
    MAX_RECIPE_CHARS,
    MAX_SIDE,
    MAX_TOKEN_CHARS,
    EdgesRequest,
    ExportRequest,
    OpenRequest,
    PredictRequest,
    PushRequest,
    RecallRequest,
    RecipeRequest,
    RemoveRequest,
    RestoreRequest,
    WireError,
)
from pointprompt.settings import Settings
from pointprompt.things import MAX_THINGS, THING_COLORS, Color, Thing, check_things
from pointprompt.types import Click

Made = TypeVar("Made")

# No set has so many; a number of thousands of digits would come back in what is said about it.
_MAX_IMAGE = 100_000
_CHANNELS = 3
_NO_IMAGE = "There is no image with such a number in this set."

# In the place of those of a prompt file, which are checked by what reads it.
_ANY_THING = {"name": "mask", "color": [0, 0, 0], "clicks": []}

_CLICK = tuple(field.name for field in fields(Click))
_STROKE = tuple(field.name for field in fields(Stroke))


def parse_predict(message: object) -> PredictRequest:
    """The checked message; settings that it lacks have their defaults.

    Raises:
        WireError: It is not of this form, a value is out of its range, or there are more than
            MAX_CLICKS clicks.
    """
    heat = _mapping(message, "A message").get("heat", False)
    if not isinstance(heat, bool):
        raise WireError("A message wants heatmaps or does not.")
    return PredictRequest(**_prompt(message), heat=heat)


def parse_edges(message: object) -> EdgesRequest:
    """The checked message, whose images may be beyond those of the set: `require_images`.

    Raises:
        WireError: As for `parse_predict`; or it asks for no images, or more than MAX_EDGED, or for
            more than MAX_SIDE pixels.
    """
    fields_ = _mapping(message, "A message")
    return EdgesRequest(
        **_prompt(message),
        images=_images(fields_.get("images")),
        side=_side(fields_.get("side")),
    )


def parse_export(message: object) -> ExportRequest:
    """The checked message.

    Raises:
        WireError: As for `parse_predict`; or a thing has no name, two have the same, or there are
            none, or too many.
    """
    fields_ = _mapping(message, "A message")
    things = fields_.get("things")
    if not isinstance(things, list) or len(things) > MAX_THINGS:
        raise WireError(f"A message must have a list of 1 to {MAX_THINGS} things.")
    found = tuple(map(_thing, things))
    if sum(len(thing.clicks) for thing in found) > MAX_CLICKS:
        raise WireError(f"A message has more than {MAX_CLICKS} clicks.")
    _checked(lambda: check_things(found))
    return ExportRequest(
        session=_secret(message, "session"),
        seq=_seq(fields_.get("seq")),
        things=found,
        exclusive=_switch(fields_, "exclusive"),
        overlaps=_switch(fields_, "overlaps"),
        skipped=_numbers(fields_.get("skipped", [])),
        formats=_formats(fields_.get("formats")),
        coco_polygons=_switch(fields_, "coco_polygons"),
        coco_regions=_switch(fields_, "coco_regions"),
        orientation=_orientation(fields_.get("orientation", "upright")),
    )


def parse_things(session: object, things: object, formats: object = ()) -> ExportRequest:
    """The checked prompt of a program, which need not say what a page does.

    Args:
        session: The token of a session.
        things: A list of things, each with clicks, and perhaps with a name, settings, a colour and
            edits, as in a message of the page; a click that does not say so is positive. Or the
            content of a prompt file.
        formats: Names of formats.

    Raises:
        WireError: As for `parse_export`.
        ValueError: The prompt file is none; a sentence.
    """
    how = {"formats": formats or [], "coco_polygons": False, "coco_regions": False}
    asked = {"session": session, "seq": 0, **how}
    if isinstance(things, dict):
        file = read_prompt(json.dumps(things))
        bare = {"things": [_ANY_THING], "exclusive": False, "overlaps": False}
        return replace(
            parse_export({**asked, **bare}),
            things=file.things,
            exclusive=file.exclusive,
            overlaps=file.keeps_overlaps,
            skipped=file.skipped,
        )
    if not isinstance(things, list):
        raise WireError(f"There must be a list of 1 to {MAX_THINGS} things, each with clicks.")
    filled = [_filled(thing, place) for place, thing in enumerate(things[: MAX_THINGS + 1])]
    return parse_export({**asked, "things": filled, "exclusive": True, "overlaps": False})


def _filled(thing: object, place: int) -> dict[str, Any]:
    """A thing of a program with what it did not say."""
    fields_ = dict(_mapping(thing, "A thing"))
    color = list(THING_COLORS.values())[place % len(THING_COLORS)]
    clicks = [
        {"positive": True, **_mapping(click, "A click")}
        for click in _list(fields_.get("clicks"), "clicks")
    ]
    return {"name": f"thing {place + 1}", "color": list(color), **fields_, "clicks": clicks}


def parse_formats(names: object) -> tuple[str, ...]:
    """The formats that are asked for, in the order that they have everywhere.

    Raises:
        WireError: There is one that there is none of, or there are none.
    """
    found = _formats(names)
    if not found:
        raise WireError(f"There must be a format, of {', '.join(FORMATS)}.")
    return found


def parse_images(images: object, n: int) -> tuple[int, ...]:
    """The indices of the images of a set of n that are asked for; of all where that is None.

    Raises:
        WireError: They are no list of such, or there are none.
    """
    if images is None:
        return tuple(range(n))
    found = _numbers(images)
    if not found or max(found) >= n:
        raise WireError(_NO_IMAGE)
    return found


def parse_push(message: object) -> PushRequest:
    """The checked message, of whose name and token nothing is known but that they are texts.

    Raises:
        WireError: As for `parse_export`; or there is no name or token, or one is too long.
    """
    fields_ = _mapping(message, "A message")
    name, token = (fields_.get(field) for field in ("name", "token"))
    for text in (name, token):
        if not isinstance(text, str) or len(text) > MAX_HUB_CHARS:
            raise WireError("A message must have the name of a data set and a token.")
    return PushRequest(
        parse_export(fields_.get("export")), str(name), str(token), _switch(fields_, "private")
    )


def parse_open(message: object) -> OpenRequest:
    """The checked message, of whose text nothing is known yet.

    Raises:
        WireError: It has no text.
    """
    text = _mapping(message, "A message").get("text")
    if not isinstance(text, str):
        raise WireError("A message must hold the text of a prompt file.")
    return OpenRequest(_secret(message, "session"), text)


def parse_recipe(message: object) -> tuple[RecipeRequest, bytes]:
    """The checked message, and the bytes of its recipe's file, of which nothing is known yet.

    Raises:
        WireError: It has none, or it is not base64.
    """
    request = RecipeRequest(_secret(message, "session"), _secret(message, "data", MAX_RECIPE_CHARS))
    try:
        return request, base64.b64decode(request.data, validate=True)
    except ValueError as error:
        raise WireError("A message must hold the content of a recipe.") from error


def parse_recall(message: object) -> RecallRequest:
    """The checked message.

    Raises:
        WireError: There is no text to recall a set by, or it cannot be one.
    """
    return RecallRequest(_secret(message, "recall", MAX_RECALL_CHARS))


def parse_remove(message: object) -> RemoveRequest:
    """The checked message, whose image may be beyond those of the set.

    Raises:
        WireError: It names no session or no image.
    """
    image = _number(_mapping(message, "A message").get("image"))
    return RemoveRequest(_secret(message, "session"), image)


def parse_restore(message: object) -> RestoreRequest:
    """The checked message.

    Raises:
        WireError: There is no ticket, or it cannot be one.
    """
    return RestoreRequest(_secret(message, "ticket"))


def require_images(request: EdgesRequest, n: int) -> None:
    """Check that a set of n has all the images that are asked for.

    Raises:
        WireError: It has not.
    """
    if max(request.images) >= n:
        raise WireError(_NO_IMAGE)


def seq_of(message: object) -> int:
    """The number of a message, however malformed the rest of it; 0 where it has none."""
    try:
        return _seq(_mapping(message, "A message").get("seq"))
    except WireError:
        return 0


def _prompt(message: object) -> dict[str, Any]:
    """The fields of a `PredictRequest`."""
    fields_ = _mapping(message, "A message")
    return {
        "session": _secret(message, "session"),
        "seq": _seq(fields_.get("seq")),
        "locks": _locks(fields_.get("locks", [])),
        **_clicks_and_settings(fields_),
    }


def _clicks_and_settings(fields_: Mapping[str, Any]) -> dict[str, Any]:
    clicks = _list(fields_.get("clicks"), "clicks", MAX_CLICKS)
    return _checked(
        lambda: {
            "clicks": tuple(_click(click) for click in clicks),
            "settings": _settings(fields_.get("settings", {})),
        }
    )


def _thing(value: object) -> Thing:
    fields_ = _mapping(value, "A thing")
    name, color = fields_.get("name"), fields_.get("color")
    if not isinstance(name, str) or not isinstance(color, list) or len(color) != _CHANNELS:
        raise WireError("A thing must have a name and a colour.")
    rest = {
        **_clicks_and_settings(fields_),
        "locks": _locks(fields_.get("locks", [])),
        "strokes": _strokes(fields_.get("strokes", [])),
    }
    return _checked(lambda: Thing(name=name, color=Color(*color), **rest))


def _locks(value: object) -> tuple[Lock, ...]:
    entries = [_mapping(lock, "A lock") for lock in _list(value, "locks", MAX_LOCKED_CLICKS)]
    if sum(len(_list(entry.get("clicks"), "clicks")) for entry in entries) > MAX_LOCKED_CLICKS:
        raise WireError("There are too many clicks in locked images.")
    locks = _checked(
        lambda: tuple(
            Lock(_numbers(entry.get("images")), **_clicks_and_settings(entry)) for entry in entries
        )
    )
    _checked(lambda: check_locks(locks))
    return locks


def _strokes(value: object) -> tuple[Stroke, ...]:
    strokes = _list(value, "strokes", MAX_STROKES)
    return _checked(lambda: tuple(map(_stroke, strokes)))


def _stroke(value: object) -> Stroke:
    stroke = _mapping(value, "A stroke")
    if set(stroke) != set(_STROKE):
        raise WireError(f"A stroke must have exactly {', '.join(_STROKE)}.")
    points = _list(stroke["points"], "points", MAX_STROKE_POINTS)
    return Stroke(
        image=_number(stroke["image"]),
        adds=stroke["adds"],
        radius=stroke["radius"],
        points=tuple((x, y) for x, y in (_list(point, "points") for point in points)),
    )


def _formats(names: object) -> tuple[str, ...]:
    """Those that are asked for, in the order that they have everywhere."""
    if not isinstance(names, list) or not all(name in FORMATS for name in map(str, names)):
        raise WireError("A message asks for a format that there is none of.")
    return tuple(name for name in FORMATS if name in names)


def _orientation(value: object) -> Literal["upright", "stored"]:
    if value == "upright":
        return "upright"
    if value == "stored":
        return "stored"
    raise WireError("A message asks for an orientation that there is none of.")


def _switch(fields_: Mapping[str, Any], name: str) -> bool:
    value = fields_.get(name)
    if not isinstance(value, bool):
        raise WireError(f"A message must say yes or no to {name}.")
    return value


def _checked(make: Callable[[], Made]) -> Made:
    """What is made of a message; what cannot be is the message's fault."""
    try:
        return make()
    except WireError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        # What the core says quotes the value, and nothing of a message goes back.
        raise WireError("A click or a setting cannot be as this message has it.") from error


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise WireError(f"{what} must be an object, not {type(value).__name__}.")
    return value


def _list(value: object, what: str, most: int = MAX_CLICKS) -> list[Any]:
    if not isinstance(value, list):
        raise WireError(f"A message's {what} must be a list.")
    if len(value) > most:
        raise WireError(f"A message has more than {most} {what}.")
    return value


def _secret(message: object, name: str, most: int = MAX_TOKEN_CHARS) -> str:
    value = _mapping(message, "A message").get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise WireError(f"A message must show its {name}.")
    return value


def _seq(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise WireError("A message must have a number.")
    return value


def _images(images: object) -> tuple[int, ...]:
    if not isinstance(images, list) or not 0 < len(images) <= MAX_EDGED:
        raise WireError(f"A message must ask for 1 to {MAX_EDGED} images.")
    return _numbers(images)


def _numbers(images: object) -> tuple[int, ...]:
    """The indices of images, each once."""
    return tuple(dict.fromkeys(map(_number, _list(images, "images", _MAX_IMAGE))))


def _number(image: object) -> int:
    if isinstance(image, bool) or not isinstance(image, int) or not 0 <= image <= _MAX_IMAGE:
        raise WireError(_NO_IMAGE)
    return image


def _side(side: object) -> int:
    if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= MAX_SIDE:
        raise WireError(f"A message must ask for 1 to {MAX_SIDE} pixels.")
    return side


def _click(value: object) -> Click:
    click = _mapping(value, "A click")
    if set(click) != set(_CLICK):
        raise WireError(f"A click must have exactly {', '.join(_CLICK)}.")
    if isinstance(click["image"], int) and click["image"] > _MAX_IMAGE:
        raise WireError(_NO_IMAGE)
    return Click(**click)


def _settings(value: object) -> Settings:
    return Settings.from_dict(_mapping(value, "Settings"))
