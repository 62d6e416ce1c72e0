"""Masks and what made them -> one ZIP archive, or a folder, in the formats that are asked for.

Knows ZIP, folders, and what a format is. Does not know how masks are computed, nor who asks for
them.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from pointprompt.formats import prompt_json
from pointprompt.formats.format import DEFAULT_OPTIONS, Content, Format, Options, as_table
from pointprompt.formats.labelled import Labelled, LabelledImage, UnreadablePhoto
from pointprompt.formats.registry import DEFAULT_FORMATS, FORMATS
from pointprompt.types import Photo, Progress, ProgressFn

# The same content gives the same bytes, whenever and wherever it is written.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ZIP_UNIX = 3
# Images are compressed already.
_TEXTS = (".json", ".csv", ".txt", ".yaml", ".md")
_CHUNK = 1 << 20

# Has a file with a name and a content.
_Add = Callable[[str, Content], None]


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
    with zipfile.ZipFile(target, "w") as archive:
        _write_all(partial(_add, archive), labelled, formats, options, progress)


def write_folder(
    folder: Path,
    labelled: Labelled,
    formats: Sequence[str],
    *,
    options: Options = DEFAULT_OPTIONS,
    progress: ProgressFn | None = None,
) -> None:
    """Write what `write_zip` does as files in a folder.

    Args:
        folder: An empty one. Incomplete if this raises.
        labelled: As for `write_zip`.
        formats: As for `write_zip`.
        options: As for `write_zip`.
        progress: As for `write_zip`.

    Raises:
        ValueError: As for `write_zip`.
        OSError: A file cannot be written.
    """
    _write_all(partial(_put, folder), labelled, formats, options, progress)


def _write_all(
    add: _Add,
    labelled: Labelled,
    formats: Sequence[str],
    options: Options,
    progress: ProgressFn | None,
) -> None:
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

    def tell() -> None:
        if progress:
            done = sum("skipped" not in image for image in images)
            progress(Progress("export", done, len(labelled.written)))

    with ExitStack() as stack:
        for writer in writers:
            stack.callback(writer.close)
        for index, photo in enumerate(labelled.photos):
            if index in labelled.skipped:
                images.append(_entry(photo) | {"skipped": True})
                continue
            # Not by a name, which would keep one image until the next one's masks are there.
            said = _written(
                add, LabelledImage(labelled, index, options.orientation), writers, problems, tell
            )
            images.append(said)
            tell()
        for writer in writers:
            for name, data in writer.finish():
                add(name, data)
                tell()
        if changed := _changed_names(labelled):
            add("names.csv", changed)
        document |= {
            "orientation": options.orientation,
            "keeps_overlaps": labelled.keeps_overlaps,
            "exclusive": labelled.exclusive,
            "images": images,
            "problems": problems,
        }
        add(prompt_json.PROMPT_FILE, prompt_json.encode(document))


def _written(
    add: _Add,
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
                add(name, data)
                files.append(name)
                tell()
        except UnreadablePhoto as error:
            problems.append({"image": image.photo.name, "problem": f"No {writer.lacks}: {error}"})
    names = [thing.name for thing in image.labelled.things]
    pixels = dict(zip(names, image.counts, strict=True))
    return _entry(image.photo) | {"mask_pixels": pixels, "files": files}


def _entry(photo: Photo) -> dict[str, Any]:
    """What prompt.json says of an image, whatever is written of it."""
    return {
        "name": photo.name,
        "width": photo.width,
        "height": photo.height,
        "exif_orientation": photo.orientation,
        "mask_pixels": {},
        "files": [],
    }


def _changed_names(labelled: Labelled) -> bytes:
    """A table of the things whose folders are called otherwise; empty if none is."""
    pairs = zip(labelled.things, labelled.folders, strict=True)
    changed = [(thing.name, folder) for thing, folder in pairs if thing.name != folder]
    if not changed or len(labelled.things) == 1:
        return b""
    return as_table([("thing", "folder"), *changed])


def _add(archive: zipfile.ZipFile, name: str, data: Content) -> None:
    member = zipfile.ZipInfo(name, _ZIP_TIME)
    member.create_system = _ZIP_UNIX
    member.external_attr = 0o644 << 16
    if name.endswith(_TEXTS):
        member.compress_type = zipfile.ZIP_DEFLATED
    if isinstance(data, bytes):
        archive.writestr(member, data)
        return
    # How large it will be nobody has said.
    with archive.open(member, "w", force_zip64=True) as file:
        shutil.copyfileobj(data, file, _CHUNK)


def _put(folder: Path, name: str, data: Content) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        shutil.copyfileobj(io.BytesIO(data) if isinstance(data, bytes) else data, file, _CHUNK)
