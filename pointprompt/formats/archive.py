"""Masks and what made them -> one ZIP archive, in the formats that are asked for.

Knows ZIP, and what a format is. Does not know how masks are computed, nor who asks for them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pointprompt.formats import prompt_json
from pointprompt.formats.format import DEFAULT_OPTIONS, Format, Options, as_table
from pointprompt.formats.labelled import Labelled, LabelledImage, UnreadablePhoto
from pointprompt.formats.registry import DEFAULT_FORMATS, FORMATS
from pointprompt.types import Progress, ProgressFn

# The same content gives the same bytes, whenever and wherever it is written.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ZIP_UNIX = 3
# Images are compressed already.
_TEXTS = (".json", ".csv", ".txt", ".yaml")


def write_zip(
    target: str | Path | BinaryIO,
    labelled: Labelled,
    formats: Sequence[str] = DEFAULT_FORMATS,
    *,
    options: Options = DEFAULT_OPTIONS,
    progress: ProgressFn | None = None,
) -> None:
    """Write the masks of all images, and what made them, as one ZIP archive.

    docs/formats.md says what is in it. There always is `prompt.json`: the things with their clicks
    and settings, backbone, versions, and a list of the images with the files of each. Where a photo
    cannot be read again, or no longer has its size, its masks are written all the same, and
    `prompt.json` lists under "problems" what could not be. One image is in memory at a time.

    Args:
        target: A path, or a file open for writing bytes. Incomplete if this raises.
        labelled: The masks.
        formats: Names from `FORMATS`.
        options: What is chosen within formats.
        progress: Told after every file and every image, with the stage "export" and how many images
            are done; it may raise to cancel.

    Raises:
        ValueError: A format is unknown, a mask is not of its image's size, or a click is on an
            image that is not there.
        OSError: The target cannot be written.
    """
    unknown = set(formats) - set(FORMATS)
    if unknown:
        raise ValueError(f"There is no format {min(unknown)!r}, only {', '.join(FORMATS)}.")
    # In the registry's order, whatever the order they were chosen in.
    writers = [
        choice.kind(labelled, options) for name, choice in FORMATS.items() if name in formats
    ]
    document = prompt_json.describe(labelled.things, labelled.backbone, labelled.photos)
    images: list[dict[str, Any]] = []
    problems: list[dict[str, str]] = []

    def tell(done: int) -> None:
        if progress:
            progress(Progress("export", done, len(labelled.photos)))

    with zipfile.ZipFile(target, "w") as archive:
        for index in range(len(labelled.photos)):
            # Not by a name, which would keep one image until the next one's masks are there.
            said = _written(
                archive,
                LabelledImage(labelled, index, options.orientation),
                writers,
                problems,
                lambda: tell(len(images)),
            )
            images.append(said)
            tell(len(images))
        for writer in writers:
            for name, data in writer.finish():
                _add(archive, name, data)
        if changed := _changed_names(labelled):
            _add(archive, "names.csv", changed)
        document |= {
            "orientation": options.orientation,
            "keeps_overlaps": labelled.keeps_overlaps,
            "exclusive": labelled.exclusive,
            "images": images,
            "problems": problems,
        }
        _add(archive, "prompt.json", prompt_json.encode(document))


def _written(
    archive: zipfile.ZipFile,
    image: LabelledImage,
    writers: Sequence[Format],
    problems: list[dict[str, str]],
    tell: Callable[[], None],
) -> dict[str, Any]:
    """Write the files of an image; what prompt.json says of it."""
    files = []
    for writer in writers:
        try:
            for name, data in writer.add(image):
                _add(archive, name, data)
                files.append(name)
                tell()
        except UnreadablePhoto as error:
            problems.append({"image": image.photo.name, "problem": f"No {writer.lacks}: {error}"})
    names = [thing.name for thing in image.labelled.things]
    return {
        "name": image.photo.name,
        "width": image.photo.width,
        "height": image.photo.height,
        "exif_orientation": image.photo.orientation,
        "mask_pixels": dict(zip(names, image.counts, strict=True)),
        "files": files,
    }


def _changed_names(labelled: Labelled) -> bytes:
    """A table of the things whose folders are called otherwise; empty if none is."""
    pairs = zip(labelled.things, labelled.folders, strict=True)
    changed = [(thing.name, folder) for thing, folder in pairs if thing.name != folder]
    if not changed or len(labelled.things) == 1:
        return b""
    return as_table([("thing", "folder"), *changed])


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    member = zipfile.ZipInfo(name, _ZIP_TIME)
    member.create_system = _ZIP_UNIX
    member.external_attr = 0o644 << 16
    if name.endswith(_TEXTS):
        member.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(member, data)
