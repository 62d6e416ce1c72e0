"""The images that are in a dataset's files, and what else was found there and passed over.

Knows cells and pictures that are read over the network. Does not know which files are wanted.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from pointprompt.sources.hub.cells import Cell
from pointprompt.sources.hub.columns import NoImagesError, Table, choose
from pointprompt.sources.hub.remote import Connection, RemoteFile
from pointprompt.sources.hub.repository import Repository
from pointprompt.sources.names import safe_names
from pointprompt.sources.photos import ImageError, read_pixels, suffix_of

_MAX_IMAGE_BYTES = 100 * 2**20
# So many entries that are no image are passed over before giving up on the rest, and so many that
# are empty, which cost next to nothing.
_MAX_SKIPPED = 100
_MAX_EMPTY = 10_000
# So many parquet files are opened in search of one with images.
_MAX_OPENED = 5
_REQUEST_BYTES = 2**20


@dataclass
class PassedOver:
    """What was read without being an image that can be used.

    Attributes:
        counts: How much, by what it was instead.
        first: The beginning of the first that is of no known format.
        gave_up: Whether the rest was not looked at any more.
    """

    counts: Counter[str] = field(default_factory=Counter)
    first: bytes = b""
    gave_up: bool = False


def in_parquet(
    connection: Connection,
    source: Repository,
    files: Sequence[str],
    asked: str,
    prefix: str,
) -> tuple[str, list[str], Iterator[tuple[str, Cell]]]:
    """Return the column read, others that hold images too, and a name for and what is in each cell.

    Raises:
        NoImagesError: No file has such a column.
    """

    def opened(file: str) -> Table:
        raw = RemoteFile(connection, source.url_of(file))
        return Table(io.BufferedReader(raw, _REQUEST_BYTES))

    why_not: NoImagesError | None = None
    waiting = list(files)
    for _ in range(min(len(files), _MAX_OPENED)):
        first = opened(waiting.pop(0))
        try:
            column, others = choose(first, asked)
            break
        except NoImagesError as error:
            why_not = why_not or error
    else:
        raise why_not or NoImagesError("There is no parquet file.")

    def cells() -> Iterator[tuple[str, Cell]]:
        row = 0
        for table in chain([first], map(opened, waiting)):
            alike = [c for c in table.columns if (c.path, c.kind) == (column.path, column.kind)]
            for found in table.rows(alike[0]) if alike else ():
                for number, cell in enumerate(found or [Cell(None)]):
                    yield f"{prefix}-{row:05d}" + (f"-{number + 1}" if number else ""), cell
                row += 1

    return column.name, others, cells()


def in_files(
    connection: Connection, source: Repository, files: Sequence[str]
) -> Iterator[tuple[str, Cell]]:
    """Yield a safe, unique name for each picture, and what is in it."""
    for name, file in zip(safe_names(files), files, strict=True):
        remote = RemoteFile(connection, source.url_of(file))
        start = remote.read_at(0, _REQUEST_BYTES)
        size = remote.size() if start else 0
        if size > _MAX_IMAGE_BYTES:
            yield name, Cell(None, "too big")
        else:
            rest = remote.read_at(len(start), size - len(start)) if size > len(start) else b""
            yield name, Cell(start + rest)


def usable(
    items: Iterator[tuple[str, Cell]], passed_over: PassedOver, *, names_lack_suffix: bool
) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the stored bytes of each image, and count what is none."""
    counts = passed_over.counts
    for name, cell in items:
        if cell.data is None:
            counts[cell.lack] += 1
        elif not cell.data:
            counts["empty"] += 1
        elif len(cell.data) > _MAX_IMAGE_BYTES:
            counts["too big"] += 1
        elif (suffix := suffix_of(cell.data, name)) is None:
            counts["unreadable"] += 1
            passed_over.first = passed_over.first or cell.data[:_REQUEST_BYTES]
        else:
            yield name + (suffix if names_lack_suffix else ""), cell.data
            continue
        if (
            counts["unreadable"] + counts["too big"] > _MAX_SKIPPED
            or sum(counts.values()) > _MAX_EMPTY
        ):
            passed_over.gave_up = True
            return


def none_found(where: str, passed_over: PassedOver, folder: Path) -> str:
    """Return a sentence that says why there is no image in a split, and what to do."""
    counts = passed_over.counts
    if not counts:
        return f"T{where} is empty."
    if counts["elsewhere"] and not counts["unreadable"]:
        return (
            f"T{where} only refers to images that are stored elsewhere, and "
            "this is not followed. Download the images and upload them."
        )
    return (
        f"There is no image that can be used among the first {_entries(passed_over)} of "
        f"t{where}: {_counted(passed_over)}.{_reason(passed_over, folder)}"
    )


def remarks_on(passed_over: PassedOver, folder: Path) -> list[str]:
    """Return a remark where entries were passed over."""
    if not passed_over.counts:
        return []
    end = " The rest was not looked at." if passed_over.gave_up else ""
    why = f"{_counted(passed_over)}.{_reason(passed_over, folder)}{end}"
    return [f"Passed over: {_entries(passed_over)}, {why}"]


def _entries(passed_over: PassedOver) -> str:
    count = sum(passed_over.counts.values())
    return "1 entry" if count == 1 else f"{count} entries"


def _counted(passed_over: PassedOver) -> str:
    words = {
        "unreadable": "in no format that can be read",
        "too big": f"of more than {_MAX_IMAGE_BYTES >> 20} MB",
        "elsewhere": "stored elsewhere",
    }
    counts = passed_over.counts
    others = [f"{counts[key]} {text}" for key, text in words.items() if counts[key]]
    return ", ".join([f"{counts['empty']} empty", *others])


def _reason(passed_over: PassedOver, folder: Path) -> str:
    """Return what the first thing of no known format is, as the reader of images says it."""
    if not passed_over.first:
        return ""
    path = folder / "passed-over"
    path.write_bytes(passed_over.first)
    try:
        read_pixels(path)
    except ImageError as error:
        return f" Of the first: {error}"
    finally:
        path.unlink()
    return ""
