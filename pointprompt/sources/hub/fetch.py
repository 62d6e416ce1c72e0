"""Copies some images of a public Hugging Face dataset into a folder.

The Hub says which files a dataset consists of, and only those are read, by name and commit: parquet
files (the image column alone, page by page) or plain image files; for datasets in any other form,
the parquet copy that the Hub keeps of most. Nothing a visitor or a dataset's author writes is ever
used as a path or an address, no program of a dataset runs, and no token is sent.

Does not know what the images are for, nor whether they can be decoded: `images` finds that out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from pointprompt.sources.hub.columns import NoImagesError
from pointprompt.sources.hub.images import (
    PassedOver,
    in_files,
    in_parquet,
    none_found,
    remarks_on,
    usable,
)
from pointprompt.sources.hub.remote import Connection, DatasetError
from pointprompt.sources.hub.repository import repository
from pointprompt.sources.hub.request import SUGGESTED_DATASET, DatasetRequest, checked
from pointprompt.sources.hub.sources import (
    Source,
    choose,
    nothing_to_read,
    remarks_on_choice,
    some,
    sources,
)
from pointprompt.sources.names import safe_names
from pointprompt.sources.photos import DEFAULT_LIMITS, Limits
from pointprompt.types import Progress, ProgressFn

__all__ = ["SUGGESTED_DATASET", "DatasetError", "DatasetRequest", "fetch_dataset"]

T = TypeVar("T")

_MAX_TOTAL_BYTES = 2 * 2**30


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
    request = checked(request, limits)
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
        places = sources(self.connection, found, self.request.config, timeout)
        why_not: NoImagesError | None = None
        while (source := self._wait(lambda: next(places, None))) is not None:
            try:
                return self._images_of(source)
            except NoImagesError as error:
                why_not = why_not or error
        raise why_not or DatasetError(nothing_to_read(found))

    def _images_of(self, source: Source) -> list[str]:
        """Write the images of one source and return the remarks on them.

        Raises:
            NoImagesError: The source holds none, and nothing was written.
        """
        asked = self.request.split
        split = choose("split", asked, source.splits, preferred="train")
        remarks = [*source.remarks, *remarks_on_choice("split", asked, split, source.splits)]
        files = source.splits[split]
        if source.is_parquet:
            (prefix,) = safe_names([split])
            column, others, items = self._wait(
                lambda: in_parquet(
                    self.connection, source.repository, files, self.request.column, prefix
                )
            )
            if others:
                remarks.append(
                    f"These are of the column {column}; {some(others)} can be asked for, too."
                )
        elif self.request.column:
            raise NoImagesError(
                "The dataset consists of plain image files: leave the column empty."
            )
        else:
            items = in_files(self.connection, source.repository, files)

        passed_over = PassedOver()
        self._write(usable(items, passed_over, names_lack_suffix=source.is_parquet))
        if not self.paths:
            where = f"he split {split} of {self.request.name}"
            raise NoImagesError(none_found(where, passed_over, self.folder))
        if len(self.paths) < self.request.limit and any("/partial-" in file for file in files):
            remarks.append("The Hub keeps only the first part of this dataset as parquet files.")
        return [*remarks, *remarks_on(passed_over, self.folder)]

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
