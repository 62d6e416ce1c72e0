"""Copies some images of a public Hugging Face dataset into a folder.

The Hub says which files a dataset consists of, and only those are read, by name and commit: parquet
files (the image column alone, page by page) or plain image files; for datasets in any other form,
the parquet copy that the Hub keeps of most. Nothing a visitor or a dataset's author writes is ever
used as a path or an address, no program of a dataset runs, and no token is sent.

Does not know what the images are for, nor whether they can be decoded: `images` finds that out.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import unquote

from pointprompt.sources.hub.columns import Cell, NoImagesError, Table, choose
from pointprompt.sources.hub.layout import (
    Contents,
    Splits,
    contents_of,
    copy_contents,
    declared_configs,
    default_config,
    split_called,
)
from pointprompt.sources.hub.remote import (
    NAME,
    Connection,
    DatasetError,
    RemoteFile,
    Repository,
    is_name,
    parquet_copy,
    repository,
)
from pointprompt.sources.photos import (
    DEFAULT_LIMITS,
    ImageError,
    Limits,
    read_pixels,
    safe_names,
    suffix_of,
)
from pointprompt.types import Progress, ProgressFn

__all__ = ["SUGGESTED_DATASET", "DatasetError", "DatasetRequest", "fetch_dataset"]

T = TypeVar("T")

# A dataset's name within the address of one of its pages, and the part of it that a page shows.
_PAGE = re.compile(
    rf"(?:(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/)?datasets/({NAME})"
    r"(?:/viewer(?:/([^/?#]+)(?:/([^/?#]+))?)?|/(?:tree|blob|resolve|raw|commits?|discussions)"
    r"(?:/[^?#]*)?)?/?(?:[?#].*)?",
    re.ASCII,
)
_MAX_TEXT_LENGTH = 200
_MAX_IMAGE_BYTES = 100 * 2**20
_MAX_TOTAL_BYTES = 2 * 2**30
# So many entries that are no image are passed over before giving up on the rest, and so many that
# are empty, which cost next to nothing.
_MAX_SKIPPED = 100
_MAX_EMPTY = 10_000
# So many parquet files are opened in search of one with images.
_MAX_OPENED = 5
_REQUEST_BYTES = 2**20
_SHOWN = 3


@dataclass(frozen=True)
class DatasetRequest:
    """Which images a person asks for; an empty text means "find it yourself".

    Attributes:
        name: `owner/name` on the Hub, or the address of the dataset's page there.
        config: The configuration (also called subset).
        split: Such as train or test.
        column: The column that holds the images; a field within one as `column.field`.
        limit: How many images, from the first on.
    """

    name: str
    config: str = ""
    split: str = ""
    column: str = ""
    limit: int = 20


# What the tutorial loads, from the copy of it that is stored as parquet.
SUGGESTED_DATASET = DatasetRequest("lmms-lab/Egothink", "Activity", "test", limit=100)


@dataclass(frozen=True)
class _Source:
    """Files that may hold the images asked for.

    Attributes:
        repository: Where they are.
        splits: Which they are.
        is_parquet: Whether they are parquet files rather than pictures.
        remarks: What a person should know who gets images from here.
    """

    repository: Repository
    splits: Splits
    is_parquet: bool
    remarks: tuple[str, ...] = ()


@dataclass
class _PassedOver:
    """What was read without being an image that can be used.

    Attributes:
        counts: How much, by what it was instead.
        first: The beginning of the first that is of no known format.
        gave_up: Whether the rest was not looked at any more.
    """

    counts: Counter[str] = field(default_factory=Counter)
    first: bytes = b""
    gave_up: bool = False


def fetch_dataset(
    request: DatasetRequest,
    folder: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    progress: ProgressFn | None = None,
    note: Callable[[str], None] | None = None,
    timeout: float = 5.0,
) -> list[Path]:
    """Return the new files in `folder`, the dataset's first images as they are stored there.

    Entries without an image, with something else, or with more than 100 MB are passed over.

    Args:
        request: What to fetch.
        folder: Where to; it exists, and its owner removes it.
        limits: `max_images` bounds `request.limit`.
        progress: Told after every image, and at least twice a second while waiting, in the stage
            "read". What it raises ends the work at once.
        note: Told, in sentences, what a person should know about the images returned: where they
            were taken from if there was a choice, what was left out and what was passed over.
        timeout: Seconds to wait for the Hub's first answer.

    Raises:
        DatasetError: The request is malformed, the Hub cannot be reached, or it has no such images.
    """
    request = _checked(request, limits)
    # Not first in a thread that may be left alone in the middle of it.
    import huggingface_hub.file_download
    import huggingface_hub.utils  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    fetch = _Fetch(request, folder, progress)
    try:
        for remark in fetch.images(timeout):
            if note is not None:
                note(remark)
        return fetch.paths
    finally:
        fetch.connection.stop()


def _guarded(work: Callable[[], T]) -> T:
    """Return what the work returns, turning what it raises into a `DatasetError`."""
    try:
        return work()
    except DatasetError:
        raise
    # Whatever the Hub's client, its HTTP library or the parquet reader raise.
    except Exception as error:
        raise DatasetError(
            "Reading the dataset failed: the connection broke off or a file in it is damaged. "
            "Try again, or ask for fewer images."
        ) from error


class _Fetch:
    """One fetch: the files written so far, and how to wait for more."""

    def __init__(self, request: DatasetRequest, folder: Path, progress: ProgressFn | None) -> None:
        self.request = request
        self.folder = folder
        self.progress = progress
        self.connection = Connection()
        self.paths: list[Path] = []

    def images(self, timeout: float) -> list[str]:
        """Write the images and return the remarks on them.

        Raises:
            DatasetError: There are none.
        """
        found = self._wait(lambda: repository(self.connection, self.request.name, timeout))
        sources = _sources(self.connection, found, self.request.config, timeout)
        why_not: NoImagesError | None = None
        while (source := self._wait(lambda: next(sources, None))) is not None:
            try:
                return self._images_of(source)
            except NoImagesError as error:
                why_not = why_not or error
        raise why_not or DatasetError(_nothing_to_read(found))

    def _images_of(self, source: _Source) -> list[str]:
        """Write the images of one source and return the remarks on them.

        Raises:
            NoImagesError: The source holds none, and nothing was written.
        """
        asked = self.request.split
        split = _choose("split", asked, source.splits, preferred="train")
        remarks = [*source.remarks, *_chosen("split", asked, split, source.splits)]
        files = source.splits[split]
        if source.is_parquet:
            (prefix,) = safe_names([split])
            column, others, items = self._wait(
                lambda: _in_parquet(
                    self.connection, source.repository, files, self.request.column, prefix
                )
            )
            if others:
                remarks.append(
                    f"These are of the column {column}; {_some(others)} can be asked for, too."
                )
        elif self.request.column:
            raise NoImagesError(
                "The dataset consists of plain image files: leave the column empty."
            )
        else:
            items = _in_files(self.connection, source.repository, files)

        passed_over = _PassedOver()
        self._write(_usable(items, passed_over, names_lack_suffix=source.is_parquet))
        if not self.paths:
            where = f"he split {split} of {self.request.name}"
            raise NoImagesError(_none_found(where, passed_over, self.folder))
        if len(self.paths) < self.request.limit and any("/partial-" in file for file in files):
            remarks.append("The Hub keeps only the first part of this dataset as parquet files.")
        return [*remarks, *_told(passed_over, self.folder)]

    def _write(self, images: Iterator[tuple[str, bytes]]) -> None:
        total_bytes = 0
        while len(self.paths) < self.request.limit:
            found = self._wait(lambda: next(images, None))
            if found is None:
                return
            name, data = found
            total_bytes += len(data)
            if total_bytes > _MAX_TOTAL_BYTES:
                raise DatasetError(
                    f"The first {self.request.limit} images of {self.request.name} hold more than "
                    f"{_MAX_TOTAL_BYTES >> 30} GB. Ask for fewer."
                )
            path = self.folder / name
            path.write_bytes(data)
            self.paths.append(path)
            self._tick()

    def _wait(self, work: Callable[[], T]) -> T:
        return self.connection.patiently(lambda: _guarded(work), self._tick)

    def _tick(self) -> None:
        if self.progress is not None:
            self.progress(Progress("read", len(self.paths), self.request.limit))


# --- What is asked for ---------------------------------------------------------------------------


def _checked(request: DatasetRequest, limits: Limits) -> DatasetRequest:
    """Return the request with the dataset's plain name, once all of it is known to make sense."""
    for what in ("name", "config", "split", "column"):
        text = getattr(request, what)
        if not isinstance(text, str):
            raise DatasetError(f"The {what} must be text.")
        if what != "name" and (len(text) > _MAX_TEXT_LENGTH or not text.isprintable()):
            raise DatasetError(f"The {what} is not a name that a dataset can have.")
    if isinstance(request.limit, bool) or not isinstance(request.limit, int):
        raise DatasetError("The number of images must be a whole number.")
    if not 1 <= request.limit <= limits.max_images:
        raise DatasetError(f"The number of images must be from 1 to {limits.max_images}.")
    page = _PAGE.fullmatch(request.name) if len(request.name) < 10 * _MAX_TEXT_LENGTH else None
    if page is not None:
        name, *shown = (unquote(text or "") for text in page.groups())
        if request.config or request.split or not all(text.isprintable() for text in shown):
            shown = [request.config, request.split]
        request = replace(request, name=name, config=shown[0], split=shown[1])
    if not is_name(request.name):
        raise DatasetError(
            "A dataset's name has the form owner/name, as on its page on the Hugging Face Hub, "
            f"such as {SUGGESTED_DATASET.name}."
        )
    return request


def _choose(what: str, asked: str, available: Mapping[str, object], *, preferred: str) -> str:
    """Return the name asked for, or else the only or the preferred one.

    Raises:
        NoImagesError: There is none of that name, or a choice to make.
    """
    if asked in available:
        return asked
    choices = ", ".join(sorted(available)[:20]) + (", ..." if len(available) > 20 else "")
    if asked:
        alike = [n for n in available if n.casefold() == asked.casefold()]
        alike = alike or [n for n in available if what == "split" and n == split_called(asked)]
        if len(alike) == 1:
            return alike[0]
        raise NoImagesError(f"The dataset has no {what} {asked}. It has: {choices}.")
    if len(available) == 1:
        return next(iter(available))
    if preferred in available:
        return preferred
    raise NoImagesError(f"The dataset has more than one {what}. Choose one of: {choices}.")


def _chosen(what: str, asked: str, chosen: str, available: Iterable[str]) -> list[str]:
    """Return a remark where there was a choice that nobody made."""
    others = sorted(set(available) - {chosen})
    if asked or not others:
        return []
    return [f"These are of the {what} {chosen}; the dataset also has {_some(others)}."]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(name[:_MAX_TEXT_LENGTH] for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


# --- Where the images may be ---------------------------------------------------------------------


def _sources(
    connection: Connection, found: Repository, asked: str, timeout: float
) -> Iterator[_Source]:
    """Yield the places where the images may be, the likeliest first."""
    is_described = bool(declared_configs(found.card))
    own = contents_of(found.files, found.card)
    own = {name: c for name, c in own.items() if c.readable or c.archives or c.others}
    copy, copied = None, {}
    if not own or not _has(own, asked) or any(c.copy_is_better for c in own.values()):
        copy = parquet_copy(connection, found.name, timeout)
        copied = copy_contents(copy.files) if copy is not None else {}

    # Without a card, the Hub knows the names of what cannot be read here.
    hub_knows = not is_described and all(c.copy_is_better for c in own.values())
    offered = (copied if hub_knows else own) or own or copied
    if not _has(offered, asked):
        offered = {**copied, **own}
    if not offered:
        return
    preferred = default_config(found.card)
    config = _choose("configuration", asked, offered, preferred=preferred)
    remarks = _chosen("configuration", asked, config, offered)
    unnamed = {} if is_described or asked else own
    contents = own.get(config) or unnamed.get("default") or Contents()

    if contents.parquet:
        aside = [f for f in contents.left_out if f.endswith(".parquet")]
        yield _Source(found, contents.parquet, True, (*remarks, *_left_out(aside)))
    if copy is not None and config in copied and contents.copy_is_better:
        yield _Source(copy, copied[config].parquet, True, tuple(remarks))
    if contents.pictures_are_the_dataset:
        unread = [*contents.archives, *contents.others] if contents.copy_is_better else []
        more = [f"Beside them the dataset holds {_some(unread)}, not read here."] if unread else []
        aside = [f for f in contents.left_out if not f.endswith(".parquet")]
        yield _Source(found, contents.pictures, False, (*remarks, *_left_out(aside), *more))


def _has(configs: Mapping[str, object], asked: str) -> bool:
    return not asked or asked.casefold() in map(str.casefold, configs)


def _left_out(files: Sequence[str]) -> list[str]:
    if not files:
        return []
    return [
        f"Left out, as by name no part of the split, a mask or an illustration: {_some(files)}."
    ]


def _nothing_to_read(found: Repository) -> str:
    """Return a sentence that says what there is instead of images, and what to do."""
    name = found.name
    if f"{name.rpartition('/')[2]}.py" in found.files:
        return (
            f"{name} is loaded by a program of its own, and such programs are not run here. "
            "Look for a copy of it that is stored as parquet files."
        )
    contents = contents_of(found.files, found.card).values()
    archives = [file for c in contents for file in c.archives]
    if archives:
        return (
            f"{name} keeps its images in archives ({_some(archives)}), which are not opened here, "
            "and the Hub has no copy of them as parquet files. Download and unpack them, and "
            "upload the images."
        )
    kinds = sorted({PurePosixPath(file).suffix.lower() for c in contents for file in c.others})
    instead = f", only files of the kind {_some(kinds)}" if kinds else ""
    return (
        f"{name} holds neither parquet files nor plain images{instead}. Look for a copy of it "
        "that is stored as parquet files, or upload the images yourself."
    )


# --- The images ----------------------------------------------------------------------------------


def _in_parquet(
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
        raw = RemoteFile(connection, source, file)
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


def _in_files(
    connection: Connection, source: Repository, files: Sequence[str]
) -> Iterator[tuple[str, Cell]]:
    """Yield a safe, unique name for each picture, and what is in it."""
    for name, file in zip(safe_names(files), files, strict=True):
        remote = RemoteFile(connection, source, file)
        start = remote.read_at(0, _REQUEST_BYTES)
        size = remote.size() if start else 0
        if size > _MAX_IMAGE_BYTES:
            yield name, Cell(None, "too big")
        else:
            rest = remote.read_at(len(start), size - len(start)) if size > len(start) else b""
            yield name, Cell(start + rest)


def _usable(
    items: Iterator[tuple[str, Cell]], passed_over: _PassedOver, *, names_lack_suffix: bool
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


def _none_found(where: str, passed_over: _PassedOver, folder: Path) -> str:
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


def _told(passed_over: _PassedOver, folder: Path) -> list[str]:
    """Return a remark where entries were passed over."""
    if not passed_over.counts:
        return []
    end = " The rest was not looked at." if passed_over.gave_up else ""
    why = f"{_counted(passed_over)}.{_reason(passed_over, folder)}{end}"
    return [f"Passed over: {_entries(passed_over)}, {why}"]


def _entries(passed_over: _PassedOver) -> str:
    count = sum(passed_over.counts.values())
    return "1 entry" if count == 1 else f"{count} entries"


def _counted(passed_over: _PassedOver) -> str:
    words = {
        "unreadable": "in no format that can be read",
        "too big": f"of more than {_MAX_IMAGE_BYTES >> 20} MB",
        "elsewhere": "stored elsewhere",
    }
    counts = passed_over.counts
    others = [f"{counts[key]} {text}" for key, text in words.items() if counts[key]]
    return ", ".join([f"{counts['empty']} empty", *others])


def _reason(passed_over: _PassedOver, folder: Path) -> str:
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
