"""What a run is over -> its images, in their order, each known by what tells that it changed.

Knows folders, videos, data sets, and which images are done. Does not know recipes, nor what is
found.

    OUT/.pointprompt/frames/    of a video, its frames
    OUT/.pointprompt/parts/     of a data set, how many images are in each part that was read
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pointprompt.cli.journal import key_of_file, names_in, write_whole
from pointprompt.sources.dataset_rows import Row, Rows
from pointprompt.sources.folder import image_files
from pointprompt.sources.names import safe_names
from pointprompt.sources.photos import ImageError, Limits, suffix_of
from pointprompt.sources.video import read_frames
from pointprompt.types import ProgressFn

_READY = "frames.json"
_ALL = 1 << 31
_FEWEST_DIGITS = 3


class Image(NamedTuple):
    """An image of a run.

    Attributes:
        path: Its file; of a data set, where the row's would be.
        key: What tells that it changed.
        shown: What it is called to whom has asked.
        name: What it is called in files: no other one is called so.
        row: What the data set has of it; None where it is a file, or was done before.
    """

    path: Path
    key: str
    shown: str
    name: str
    row: Row | None = None


class Listed:
    """Files that are known from the start.

    Attributes:
        count: How many images there are.
    """

    def __init__(self, images: list[Image]) -> None:
        self._images = images
        self.count: int | None = len(images)

    def __iter__(self) -> Iterator[Image]:
        return iter(self._images)


class Streamed:
    """The images of a data set, read as they are asked for, but for those that are done.

    An image that is done comes without its row, and a part whose images all are is not opened.

    Attributes:
        count: How many images there are; None, for only who has read them all knows that.
        parts: In how many parts they are.

    Args:
        rows: The data set.
        state: The folder with what is known of the run.
        is_done: Whether an image is.
    """

    def __init__(self, rows: Rows, state: Path, is_done: Callable[[Image], bool]) -> None:
        self.count: int | None = None
        self.parts = rows.parts
        self._rows = rows
        self._state = state
        self._is_done = is_done
        (state / "parts").mkdir(parents=True, exist_ok=True)

    def __iter__(self) -> Iterator[Image]:
        for part in range(self.parts):
            yield from self.of(part)

    def of(self, part: int) -> Iterator[Image]:
        """The images of a part.

        Raises:
            DatasetError: They cannot be read.
        """
        number, count = 0, self._counted(part)
        while number != count and self._is_done(image := self._image(part, number)):
            yield image
            number += 1
        if number == count:
            return
        for row in self._rows.read(part, number):
            image = self._image(part, number)
            if not self._is_done(image):
                image = image._replace(name=_name(image.shown, row), row=row)
            yield image
            number += 1
        write_whole(self._part(part), json.dumps(number).encode())

    def again(self) -> Iterator[Image]:
        """All images, when every part was read to its end, none of them with its row."""
        for part in range(self.parts):
            yield from (self._image(part, number) for number in range(self._counted(part) or 0))

    def _image(self, part: int, number: int) -> Image:
        called = _called(part, number, self.parts)
        return Image(self._state / "rows" / called, self._rows.revision, called, called)

    def _counted(self, part: int) -> int | None:
        try:
            return int(self._part(part).read_bytes())
        except FileNotFoundError:
            return None

    def _part(self, part: int) -> Path:
        return self._state / "parts" / f"{part}.json"


def first_of(rows: Rows, most: int) -> list[Image]:
    """So many images of a data set, from the first on, with what they hold.

    Raises:
        ImageError: A row holds none.
        DatasetError: They cannot be read.
    """
    parts = range(rows.parts)
    read = ((part, *one) for part in parts for one in enumerate(rows.read(part)))
    found = []
    for part, number, row in islice(read, most):
        called = _called(part, number, rows.parts)
        if row.lack:
            raise ImageError(f"{called}: {row.lack}")
        found.append(Image(Path(called), rows.revision, called, _name(called, row), row))
    return found


def in_folder(folder: Path, out: Path) -> Listed:
    """The images in a folder, and in those within it, but for what is written into `out`.

    Raises:
        ImageError: There are none.
    """
    root = folder.absolute()
    resolved = out.resolve()
    # What is written is not read again, where OUT is within the folder.
    files = [file for file in image_files(root) if resolved not in file.resolve().parents]
    if not files:
        raise ImageError(f"No image is in {folder} beside those in {out}.")
    return _listed(root, files, [key_of_file(file) for file in files])


def of_video(
    video: Path, every: int, state: Path, limits: Limits, progress: ProgressFn | None
) -> Listed:
    """Every so many frames of a video, as files; those that are there already if all are.

    Raises:
        ImageError: It cannot be read.
    """
    folder, ready = state.absolute() / "frames", state / _READY
    folder.mkdir(parents=True, exist_ok=True)
    if ready.exists():
        files = [folder / name for name in json.loads(ready.read_text(encoding="utf-8"))]
    else:
        files = read_frames(video, folder, every, _ALL, limits=limits, progress=progress)
        write_whole(ready, _as_json([file.name for file in files]))
    # They may be taken out anew, and are the same then.
    return _listed(folder, files, ["frame"] * len(files))


def _listed(root: Path, files: list[Path], keys: list[str]) -> Listed:
    names = safe_names(names_in(root, files))
    shown = [file.relative_to(root).as_posix() for file in files]
    return Listed([Image(*one) for one in zip(files, keys, shown, names, strict=True)])


def _called(part: int, number: int, parts: int) -> str:
    """What an image of a data set is called to whom has asked."""
    digits = max(_FEWEST_DIGITS, len(str(parts - 1)))
    return f"row-{part:0{digits}}-{number:06}" if parts > 1 else f"row-{number:06}"


def _name(called: str, row: Row) -> str:
    """What a row is called in files: by its place, and by what its own file was called.

    Where each is, so that none need know what the others are called.
    """
    stem = Path(safe_names([row.own_name])[0]).stem if row.own_name else ""
    suffix = (suffix_of(row.data, row.own_name) if row.data else None) or ""
    return safe_names([f"{called}-{stem}{suffix}" if stem else f"{called}{suffix}"])[0]


def _as_json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode(errors="surrogateescape")
