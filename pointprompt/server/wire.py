"""Browser messages, both ways: parsed, checked, encoded. `static/` holds the other side.

Knows JSON-like values and the package's types. Knows nothing of gradio or sessions.

Up, at every change, the whole prompt (newest wins, so it may be sent again at any time):

    {"session": str, "seq": int,
     "clicks": [{"image": int, "x": float, "y": float, "positive": bool}, ...],
     "settings": {"rule": {"name": str, "threshold": float, ...}, "one_only": bool, "outline": str}}

Down, as an answer, all masks at token resolution, and for each image how sure it is that the thing
is there:

    {"seq": int, "masks": str, "presence": [float, ...]}
    or, whenever something is wrong, {"seq": int, "error": str, "message": str}

Up, the same with some "images": [int, ...] and the most pixels that their masks are shown with, as
"side": int, for masks with edges that follow the photo; down:

    {"seq": int, "masks": [{"image": int, "height": int, "width": int, "mask": str}, ...]}

Down, once an analysis, the manifest: `manifest`.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from pointprompt.analysis.analysis import Analysis
from pointprompt.masks.lazy import MASK_RGB
from pointprompt.settings import OUTLINES, Settings
from pointprompt.types import BoolArray, Click, TokenPrediction

MAX_CLICKS = 1000
MAX_TOKEN_CHARS = 100
# Images that may be asked for at once.
MAX_EDGED = 16
# Height and width of a mask on a screen, at most.
MAX_SIDE = 4096
# No set has so many; a number of thousands of digits would come back in what is said about it.
_MAX_IMAGE = 100_000

_CLICK = tuple(field.name for field in fields(Click))


class WireError(ValueError):
    """A message that the page would not have sent."""


@dataclass(frozen=True)
class Request:
    """A checked message from the page.

    Attributes:
        session: The token it shows.
        seq: Its number; the answer carries it back.
        clicks: The whole prompt.
        settings: How clicks become masks.
    """

    session: str
    seq: int
    clicks: tuple[Click, ...]
    settings: Settings


def parse_request(message: object) -> Request:
    """The checked message.

    Raises:
        WireError: It is not of the form that this module's docstring gives, a value is out of its
            range, or there are more than MAX_CLICKS clicks.
    """
    fields_ = _mapping(message, "A message")
    clicks = fields_.get("clicks")
    if not isinstance(clicks, list):
        raise WireError("A message's clicks must be a list.")
    if len(clicks) > MAX_CLICKS:
        raise WireError(f"There are more than {MAX_CLICKS} clicks.")
    try:
        return Request(
            session=parse_token(message),
            seq=_parse_seq(fields_.get("seq")),
            clicks=tuple(_parse_click(click) for click in clicks),
            settings=_parse_settings(fields_.get("settings", {})),
        )
    except WireError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        # What the core says quotes the value, and nothing of a message goes back.
        raise WireError("A click or a setting cannot be as this message has it.") from error


def parse_images(message: object, n: int) -> tuple[int, ...]:
    """The images that a message asks for: some of n, each once.

    Raises:
        WireError: They are not that, or more than MAX_EDGED.
    """
    images = _mapping(message, "A message").get("images")
    if not isinstance(images, list) or not 0 < len(images) <= MAX_EDGED:
        raise WireError(f"A message must ask for 1 to {MAX_EDGED} images.")
    for image in images:
        if isinstance(image, bool) or not isinstance(image, int) or not 0 <= image < n:
            raise WireError("There is no image with such a number in this set.")
    return tuple(dict.fromkeys(images))


def parse_side(message: object) -> int:
    """The most pixels, in height and width, that a message asks for.

    Raises:
        WireError: It is not a whole number from 1 to MAX_SIDE.
    """
    side = _mapping(message, "A message").get("side")
    if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= MAX_SIDE:
        raise WireError(f"A message must ask for 1 to {MAX_SIDE} pixels.")
    return side


def parse_token(message: object) -> str:
    """The session token that a message shows.

    Raises:
        WireError: There is none, or it cannot be one.
    """
    return _parse_secret(message, "session")


def parse_ticket(message: object) -> str:
    """The ticket of a session that a reloaded page shows.

    Raises:
        WireError: There is none, or it cannot be one.
    """
    return _parse_secret(message, "ticket")


def seq_of(message: object) -> int:
    """The number of a message, however malformed the rest of it; 0 where it has none."""
    try:
        return _parse_seq(_mapping(message, "A message").get("seq"))
    except WireError:
        return 0


def answer(seq: int, prediction: TokenPrediction) -> dict[str, Any]:
    """What the clicks of a request select, for the page."""
    presence = [round(float(value), 3) for value in prediction.presence]
    return {"seq": seq, "masks": encode_masks(prediction.masks), "presence": presence}


def edged_answer(seq: int, masks: Mapping[int, BoolArray]) -> dict[str, Any]:
    """Masks (H, W) of some images of a request, for the page."""
    return {
        "seq": seq,
        "masks": [
            {
                "image": image,
                "height": mask.shape[0],
                "width": mask.shape[1],
                "mask": encode_masks(mask),
            }
            for image, mask in masks.items()
        ],
    }


def failure(seq: int, error: str, message: str) -> dict[str, Any]:
    """What went wrong with a request: a word for the page and a sentence for its user."""
    return {"seq": seq, "error": error, "message": message}


def encode_masks(masks: BoolArray) -> str:
    """Masks of any shape as base64 of zlib of packed bits, first token in the highest bit."""
    return base64.b64encode(zlib.compress(np.packbits(masks).tobytes(), 6)).decode("ascii")


def manifest(
    session: str,
    analysis: Analysis,
    tiles: Sequence[str],
    colors: str,
    *,
    joins: str = "",
    ticket: str = "",
) -> dict[str, Any]:
    """All that the page must know to show an analysis.

    Args:
        session: Its token, which the page keeps to itself.
        analysis: What to show.
        tiles: Addresses of a JPEG file an image.
        colors: Address of one PNG file, the colour views of all images one below the other.
        joins: The token of the session that the last images joined; its clicks go on.
        ticket: What the page may keep for its own reload, and only its own browser can use.
    """
    _, h, w, k = analysis.eigvecs.shape
    can_sam = analysis.image_embeddings is not None
    return {
        "session": session,
        "ticket": ticket,
        "joins": joins,
        "grid": [h, w],
        "eigvecs": k,
        "backbone": analysis.backbone.name,
        "outlines": [outline for outline in OUTLINES if outline != "sam" or can_sam],
        "maskColor": list(MASK_RGB),
        "colors": colors,
        "images": [
            {
                "name": photo.name,
                "width": photo.width,
                "height": photo.height,
                "remark": photo.remark,
                "tile": tile,
            }
            for photo, tile in zip(analysis.photos, tiles, strict=True)
        ],
    }


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise WireError(f"{what} must be an object, not {type(value).__name__}.")
    return value


def _parse_secret(message: object, name: str) -> str:
    value = _mapping(message, "A message").get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TOKEN_CHARS:
        raise WireError(f"A message must show its {name}.")
    return value


def _parse_seq(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise WireError("A message must have a number.")
    return value


def _parse_click(value: object) -> Click:
    click = _mapping(value, "A click")
    if set(click) != set(_CLICK):
        raise WireError(f"A click must have exactly {', '.join(_CLICK)}.")
    if isinstance(click["image"], int) and click["image"] > _MAX_IMAGE:
        raise WireError("There is no image with such a number in this set.")
    return Click(**click)


def _parse_settings(value: object) -> Settings:
    return Settings.from_dict(_mapping(value, "Settings"))
