"""Masks and what made them -> one ZIP archive, or a folder, in the formats that are asked for.

Knows ZIP, folders, and what a format is. Does not know how masks are computed, nor who asks for
them.
"""

from __future__ import annotations

import io
import secrets
import shutil
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from pointprompt.formats import prompt_json
from pointprompt.formats.format import DEFAULT_OPTIONS, Content, Options, as_table
from pointprompt.formats.labelled import Labelled, LabelledImage, UnreadablePhoto
from pointprompt.formats.registry import DEFAULT_FORMATS, FORMATS
from pointprompt.things import Thing
from pointprompt.types import (
    BackboneChoice,
    BoolArray,
    FloatArray,
    Photo,
    Progress,
    ProgressFn,
)

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
) -> dict[str, int]:
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

    Returns:
        In how many of the images each thing is, by its name.

    Raises:
        ValueError: A format is unknown, a mask is not of its image's size, or a click is on an
            image that is not there.
        OSError: The target cannot be written.
    """
    with zipfile.ZipFile(target, "w") as archive:
        return _write_all(partial(_add, archive), labelled, formats, options, progress)


def write_folder(
    folder: Path,
    labelled: Labelled,
    formats: Sequence[str],
    *,
    options: Options = DEFAULT_OPTIONS,
    progress: ProgressFn | None = None,
) -> dict[str, int]:
    """Write what `write_zip` does as files in a folder.

    Args:
        folder: An empty one. Incomplete if this raises.
        labelled: As for `write_zip`.
        formats: As for `write_zip`.
        options: As for `write_zip`.
        progress: As for `write_zip`.

    Returns:
        As for `write_zip`.

    Raises:
        ValueError: As for `write_zip`.
        OSError: A file cannot be written.
    """
    return _write_all(partial(_put, folder), labelled, formats, options, progress)


def check_new(path: Path) -> None:
    """Check that nothing is there that would be written over.

    Raises:
        ValueError: Something is.
    """
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists():
        raise ValueError(f"{path} is there already. Name another one, or remove it.")


class Written(NamedTuple):
    """What was written of one image alone.

    Attributes:
        counts: How many pixels each thing has in it.
        files: The names of its files.
        problems: What could not be written: the number of the format, and a sentence.
    """

    counts: tuple[int, ...]
    files: tuple[str, ...]
    problems: tuple[tuple[int, str], ...]


class FolderWriter:
    """Writes masks into a folder one image at a time, however many are to come.

    Files are those of `write_folder`, and each is there whole or not at all. To write an image, or
    all of them, once more gives the same files. Several may write into one folder, so long as one
    of them alone adds the images in their order, and finishes.

    Attributes:
        folder: Where they go.
        gathers: Whether one of the formats is of all images together.
        found: In how many of the images that were added each thing is, by its name.

    Args:
        folder: As above; it is made where it is missing.
        unfinished: A folder on the same file system for what is being written.
        things: As in `Labelled`.
        backbone: As there.
        formats: Names from `FORMATS`, of formats that stream.
        options: What is chosen within formats.
        recipe: As in `Labelled`.

    Raises:
        ValueError: A format is unknown, or needs all images at once.
    """

    def __init__(
        self,
        folder: Path,
        unfinished: Path,
        *,
        things: Sequence[Thing],
        backbone: BackboneChoice,
        formats: Sequence[str],
        options: Options = DEFAULT_OPTIONS,
        keeps_overlaps: bool = False,
        recipe: Callable[[], bytes] | None = None,
    ) -> None:
        self.folder = folder
        self._unfinished = unfinished
        _check_formats(formats)
        whole = [name for name in formats if not FORMATS[name].kind.streams]
        if whole:
            raise ValueError(f"{whole[0]!r} needs all images at once, so it cannot be had here.")
        t = len(things)
        self._labelled = Labelled(
            (),
            things,
            [()] * t,
            np.zeros((t, 0, 1, 1), np.float32),
            np.zeros((t, 0), np.float32),
            backbone,
            keeps_overlaps=keeps_overlaps,
            recipe=recipe,
        )
        self._writing = _Writing(self._put, self._labelled, formats, options)
        self._count = 0
        self._own_name = f"unfinished-{secrets.token_hex(8)}"
        self.gathers = self._writing.gathers
        self.found = self._writing.found

    def __enter__(self) -> FolderWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._writing.close()

    def write(
        self,
        photo: Photo,
        masks: Sequence[BoolArray],
        heatmaps: FloatArray,
        presence: Sequence[float],
    ) -> Written:
        """Write the files of one image alone, whatever others there are.

        Args:
            photo: The image, with a stem that no other one has.
            masks: (H, W) bool of each thing.
            heatmaps: (t, h, w) float32.
            presence: Of each thing.

        Raises:
            OSError: A file cannot be written.
        """
        return self._writing.write(self._image(photo, masks, heatmaps, presence))

    def add(
        self,
        photo: Photo,
        masks: Sequence[BoolArray],
        heatmaps: FloatArray,
        presence: Sequence[float],
        written: Written,
    ) -> None:
        """Take the next image, whose own files are written, into those of all images together.

        Args:
            photo: As for `write`.
            masks: As for `write`; none are looked at where nothing `gathers`.
            heatmaps: As for `write`.
            presence: As for `write`.
            written: What `write` returned.

        Raises:
            OSError: A file cannot be written.
        """
        image = self._image(photo, masks, heatmaps, presence) if self.gathers else None
        self._count += 1
        self._writing.gather(photo, written, image)

    def finish(self) -> None:
        """Write the files of all images together, `prompt.json` the last.

        Raises:
            OSError: A file cannot be written.
        """
        self._writing.finish()

    def _image(
        self,
        photo: Photo,
        masks: Sequence[BoolArray],
        heatmaps: FloatArray,
        presence: Sequence[float],
    ) -> LabelledImage:
        alone = replace(
            self._labelled,
            photos=(photo,),
            masks=[[mask] for mask in masks],
            heatmaps=heatmaps[:, None],
            presence=np.array(presence, np.float32)[:, None],
        )
        return LabelledImage(alone, 0, self._writing.options.orientation, self._count)

    def _put(self, name: str, data: Content) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of its own: others write into the same folder.
        unfinished = self._unfinished / self._own_name
        with unfinished.open("wb") as file:
            _copy(data, file)
        unfinished.replace(path)


def _write_all(
    add: _Add,
    labelled: Labelled,
    formats: Sequence[str],
    options: Options,
    progress: ProgressFn | None,
) -> dict[str, int]:
    _check_formats(formats)

    def tell() -> None:
        if progress:
            progress(Progress("export", writing.added, len(labelled.written)))

    writing = _Writing(add, labelled, formats, options, tell)
    with closing(writing):
        for index, photo in enumerate(labelled.photos):
            if index in labelled.skipped:
                writing.skip(photo)
                continue
            # Not by a name, which would keep one image until the next one's masks are there.
            writing.add(LabelledImage(labelled, index, options.orientation))
            tell()
        writing.finish()
    return writing.found


def _check_formats(formats: Sequence[str]) -> None:
    unknown = set(formats) - set(FORMATS)
    if unknown:
        raise ValueError(f"There is no format {min(unknown)!r}, only {', '.join(FORMATS)}.")


class _Writing:
    """The chosen formats, each written one image at a time; and `prompt.json` of all of it.

    Attributes:
        options: What is chosen within formats.
        added: How many images are written.
        found: In how many of them each thing is, by its name.
        gathers: Whether one of the formats is of all images together.
    """

    def __init__(
        self,
        add: _Add,
        labelled: Labelled,
        formats: Sequence[str],
        options: Options,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        self.options = options
        self.added = 0
        self.found = dict.fromkeys((thing.name for thing in labelled.things), 0)
        self._add = add
        self._labelled = labelled
        self._tell = tell
        # In the registry's order, whatever the order they were chosen in.
        self._writers = [
            choice.kind(labelled, options) for name, choice in FORMATS.items() if name in formats
        ]
        self.gathers = any(writer.gathers for writer in self._writers)
        self._document = prompt_json.describe(labelled.things, labelled.backbone, labelled.photos)
        self._images: list[dict[str, Any]] = []
        self._problems: list[dict[str, str]] = []

    def skip(self, photo: Photo) -> None:
        """Say of an image that no file is written of it."""
        self._images.append(_entry(photo) | {"skipped": True})

    def add(self, image: LabelledImage) -> None:
        """Write the files of the next image."""
        self.gather(image.photo, self.write(image), image)

    def write(self, image: LabelledImage) -> Written:
        """Write the files of one image alone."""
        files, problems = self._take(image, gathers=False)
        return Written(tuple(image.counts), files, problems)

    def gather(self, photo: Photo, written: Written, image: LabelledImage | None) -> None:
        """Take the next image, whose own files are written, into those of all together.

        Args:
            photo: The image.
            written: What `write` returned.
            image: The same; None where nothing gathers.
        """
        problems = list(written.problems)
        if image is not None:
            problems += self._take(image, gathers=True)[1]
        for _, problem in sorted(problems):
            self._problems.append({"image": photo.name, "problem": problem})
        pixels = dict(zip(self.found, written.counts, strict=True))
        for name, count in pixels.items():
            self.found[name] += count > 0
        self._images.append(_entry(photo) | {"mask_pixels": pixels, "files": list(written.files)})
        self.added += 1

    def finish(self) -> None:
        """Write the files of all images together."""
        for writer in self._writers:
            for name, data in writer.finish():
                self._add(name, data)
                self._tell()
        if changed := _changed_names(self._labelled):
            self._add("names.csv", changed)
        document = self._document | {
            "orientation": self.options.orientation,
            "keeps_overlaps": self._labelled.keeps_overlaps,
            "exclusive": self._labelled.exclusive,
            "images": self._images,
            "problems": self._problems,
        }
        self._add(prompt_json.PROMPT_FILE, prompt_json.encode(document))

    def _take(
        self, image: LabelledImage, *, gathers: bool
    ) -> tuple[tuple[str, ...], tuple[tuple[int, str], ...]]:
        """Have those formats that gather, or those that do not, write an image: files, problems."""
        files, problems = [], []
        for number, writer in enumerate(self._writers):
            if writer.gathers != gathers:
                continue
            try:
                for name, data in writer.add(image):
                    self._add(name, data)
                    files.append(name)
                    self._tell()
            except UnreadablePhoto as error:
                problems.append((number, f"No {writer.lacks}: {error}"))
        return tuple(files), tuple(problems)

    def close(self) -> None:
        """Let go of what formats hold beyond memory, whether all went well or not."""
        with ExitStack() as stack:
            for writer in self._writers:
                stack.callback(writer.close)


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
        _copy(data, file)


def _copy(data: Content, file: BinaryIO) -> None:
    shutil.copyfileobj(io.BytesIO(data) if isinstance(data, bytes) else data, file, _CHUNK)
