"""Masks and what made them -> one ZIP archive.

Knows photos, Pillow and ZIP. Does not know how masks are computed, nor who asks for them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import BinaryIO

import numpy as np
from PIL import Image

from pointprompt.formats import prompt_json
from pointprompt.masks.draw import overlay
from pointprompt.settings import Settings
from pointprompt.sources.photos import read_again
from pointprompt.types import (
    BackboneChoice,
    BoolArray,
    ByteArray,
    Photo,
    Progress,
    ProgressFn,
    Prompt,
)

OVERLAY_OPACITY = 0.45
_JPEG_QUALITY = 90
# JPEG has 16 bits for a side; Pillow refuses the last few.
JPEG_MAX_SIDE = 65_500
# The same content gives the same bytes, whenever and wherever it is written.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ZIP_UNIX = 3


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
    document = prompt_json.describe(prompt, settings, backbone, photos)
    images, problems = [], []
    with zipfile.ZipFile(target, "w") as archive:
        for index, (photo, stem) in enumerate(zip(photos, stems, strict=True)):
            mask = masks[index]
            mask_name = f"masks/{stem}.png"
            _add(archive, mask_name, _png(mask.astype(np.uint8) * 255))
            overlay_name = None
            try:
                pixels = read_again(photo)
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
        document |= {"images": images, "problems": problems}
        _add(archive, "prompt.json", prompt_json.encode(document))


def _checked_stems(photos: Sequence[Photo]) -> list[str]:
    """The stem of each photo's name, each different and no path."""
    stems = [PurePath(photo.name).stem for photo in photos]
    for photo, stem in zip(photos, stems, strict=True):
        if not stem or stem == ".." or any(c in photo.name for c in "/\\:\0"):
            raise ValueError(f"{photo.name!r} is not a plain file name.")
    if len({stem.casefold() for stem in stems}) < len(stems):
        raise ValueError("Two photos have the same name, apart from what follows its last dot.")
    return stems


def _overlay_file(pixels: ByteArray, mask: BoolArray) -> tuple[str, bytes]:
    """The suffix and the content of an image's overlay."""
    drawn = overlay(pixels, mask, OVERLAY_OPACITY, outline=True)
    if max(mask.shape) > JPEG_MAX_SIDE:
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
