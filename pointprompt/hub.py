"""Copies some images of a public Hugging Face dataset into a folder.

The Hub says which files a dataset consists of, and only those are read, by name and commit: parquet
files (the image column alone, page by page) or plain image files; for datasets in any other form,
the parquet copy that the Hub keeps of most. Nothing a visitor or a dataset's author writes is ever
used as a path or an address, no program of a dataset runs, and no token is sent.

Does not know what the images are for, nor whether they can be decoded: `images` finds that out.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from pointprompt.images import DEFAULT_LIMITS, Limits, safe_names, suffix_of
from pointprompt.types import Progress, ProgressFn

# File names of each split, by configuration.
_Layout = dict[str, dict[str, list[str]]]

# A repository's name as the Hub allows it: one part for the oldest datasets, else owner/name.
_NAME_PART = r"[A-Za-z0-9](?:[\w.-]{0,94}\w)?"
_NAME = re.compile(f"(?:{_NAME_PART}/)?{_NAME_PART}", re.ASCII)
_MAX_TEXT_LENGTH = 200
# The Hub's own copy of a dataset as parquet files: <configuration>/<split>/0000.parquet.
_PARQUET_COPY = "refs/convert/parquet"
_IMAGE_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"])
_MAX_IMAGE_BYTES = 100 * 2**20
_MAX_TOTAL_BYTES = 2 * 2**30
# So many rows without a usable image are passed over before giving up on the rest.
_MAX_SKIPPED = 100
_REQUEST_BYTES = 2**20
# Seconds without a byte, once the Hub has answered at all.
_READ_TIMEOUT = 10.0

_SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}
_SHARD_NAME = re.compile(r"(?:^|/)data/(\w+)-\d{5}-of-\d{5}")
_MAX_PATTERNS = 200
_MAX_DOUBLE_STARS = 3


class DatasetError(ValueError):
    """A dataset no image can be had from; the message says why and what to do."""


@dataclass(frozen=True)
class DatasetRequest:
    """Which images a person asks for; an empty text means "find it yourself".

    Attributes:
        name: `owner/name` on the Hub.
        config: The configuration (also called subset).
        split: Such as train or test.
        column: The column that holds the images.
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
class _Repository:
    """What the Hub says about one commit of a dataset."""

    name: str
    commit: str
    files: tuple[str, ...]
    card: dict[str, Any]


def fetch_dataset(
    request: DatasetRequest,
    folder: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    progress: ProgressFn | None = None,
    timeout: float = 5.0,
) -> list[Path]:
    """Return the new files in `folder`, the dataset's first images as they are stored there.

    Rows without an image, with something else, or with more than 100 MB are passed over.

    Args:
        request: What to fetch.
        folder: Where to; it exists, and its owner removes it.
        limits: `max_images` bounds `request.limit`.
        progress: Told after every image, in the stage "read". What it raises ends the work.
        timeout: Seconds to wait for the Hub's first answer.

    Raises:
        DatasetError: The request is malformed, the Hub cannot be reached, or it has no such images.
    """
    _check(request, limits)
    repository, layout = _survey(request.name, timeout)
    config = _choose("configuration", request.config, layout, preferred=_default_config(repository))
    split = _choose("split", request.split, layout[config], preferred="train")
    paths: list[Path] = []
    total_bytes = 0
    images = _guarded(_images(repository, layout[config][split], split, request.column))
    for name, data in islice(images, request.limit):
        total_bytes += len(data)
        if total_bytes > _MAX_TOTAL_BYTES:
            raise DatasetError(
                f"The first {request.limit} images of {request.name} hold more than "
                f"{_MAX_TOTAL_BYTES >> 30} GB. Ask for fewer."
            )
        path = folder / name
        path.write_bytes(data)
        paths.append(path)
        if progress is not None:
            progress(Progress("read", len(paths), request.limit))
    if not paths:
        raise DatasetError(
            f"The split {split} of {request.name} is empty, or it only refers to images that "
            "are stored elsewhere."
        )
    return paths


def _check(request: DatasetRequest, limits: Limits) -> None:
    if not _is_name(request.name):
        raise DatasetError(
            "A dataset's name has the form owner/name, as on its page on the Hugging Face Hub, "
            f"such as {SUGGESTED_DATASET.name}."
        )
    for what in ("config", "split", "column"):
        text = getattr(request, what)
        if len(text) > _MAX_TEXT_LENGTH or not text.isprintable():
            raise DatasetError(f"The {what} is not a name that a dataset can have.")
    if isinstance(request.limit, bool) or not isinstance(request.limit, int):
        raise DatasetError("The number of images must be a whole number.")
    if not 1 <= request.limit <= limits.max_images:
        raise DatasetError(f"The number of images must be from 1 to {limits.max_images}.")


def _is_name(text: str) -> bool:
    forbidden = ".." in text or "--" in text or text.endswith(".git")
    return _NAME.fullmatch(text) is not None and not forbidden


def _choose(what: str, asked: str, available: dict[str, Any], *, preferred: str) -> str:
    """Return the name asked for, or else the only or the preferred one."""
    if asked in available:
        return asked
    choices = ", ".join(sorted(available)[:20]) + (", ..." if len(available) > 20 else "")
    if asked:
        raise DatasetError(f"The dataset has no {what} {asked}. It has: {choices}.")
    if len(available) == 1:
        return next(iter(available))
    if preferred in available:
        return preferred
    raise DatasetError(f"The dataset has more than one {what}. Choose one of: {choices}.")


# --- What the Hub says ---------------------------------------------------------------------------


def _survey(name: str, timeout: float) -> tuple[_Repository, _Layout]:
    """Return the repository to read from, and which of its files hold which images."""
    repository = _repository(name, None, timeout)
    layout = _own_layout(repository)
    if layout:
        return repository, layout
    try:
        copy = _repository(repository.name, _PARQUET_COPY, timeout)
    except _NoRevisionError:
        copy = None
    layout = _copy_layout(copy.files) if copy is not None else {}
    if copy is not None and layout:
        return copy, layout
    if f"{repository.name.rpartition('/')[2]}.py" in repository.files:
        raise DatasetError(
            f"{name} is loaded by a program of its own, and such programs are not run here. "
            "Look for a copy of it that is stored as parquet files."
        )
    raise DatasetError(f"{name} holds neither parquet files nor plain images.")


class _NoRevisionError(DatasetError):
    """The repository has no such branch."""


def _repository(name: str, revision: str | None, timeout: float) -> _Repository:
    """Return what the Hub knows, by one request that is not repeated."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        DisabledRepoError,
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    unknown = (
        f"The Hugging Face Hub has no public dataset named {name}. Check the spelling; "
        "private datasets cannot be loaded here."
    )
    gated = (
        f"{name} is gated: its owner lets only registered people read it, and this page reads "
        "without an account. Download it yourself and upload the images."
    )
    try:
        info = HfApi(token=False).dataset_info(
            name, revision=revision, timeout=timeout, token=False
        )
    except OfflineModeIsEnabled as error:
        raise DatasetError(
            "Datasets cannot be loaded: this server is set to work offline (HF_HUB_OFFLINE)."
        ) from error
    except GatedRepoError as error:
        raise DatasetError(gated) from error
    except RevisionNotFoundError as error:
        raise _NoRevisionError(f"{name} has no branch {revision}.") from error
    except RepositoryNotFoundError as error:
        raise DatasetError(unknown) from error
    except DisabledRepoError as error:
        raise DatasetError(f"The Hugging Face Hub has disabled {name}.") from error
    except HfHubHTTPError as error:
        # A visitor without an account is told 401 of what does not exist.
        if error.response.status_code in (401, 404):
            raise DatasetError(unknown) from error
        raise DatasetError(
            f"The Hugging Face Hub could not answer for {name}. Try again later."
        ) from error
    # Connections fail with the classes of whichever HTTP library the Hub's client uses.
    except Exception as error:
        raise DatasetError(
            "The Hugging Face Hub cannot be reached from this server. Check its connection, or "
            "upload the images instead."
        ) from error
    if info.gated:
        raise DatasetError(gated)
    # The Hub answers with the present name of a dataset that was renamed.
    if not _is_name(info.id) or not re.fullmatch(r"\w{7,64}", info.sha or "", re.ASCII):
        raise DatasetError(f"The Hugging Face Hub could not answer for {name}. Try again later.")
    card = dict(info.card_data.to_dict()) if info.card_data is not None else {}
    files = sorted(f.rfilename for f in info.siblings or () if ".." not in f.rfilename)
    return _Repository(info.id, info.sha or "", tuple(files), card)


# --- Which files hold what -----------------------------------------------------------------------


def _own_layout(repository: _Repository) -> _Layout:
    """Return the splits as the dataset's card or else its file names describe them."""
    configs = _configs(repository)
    if not configs:
        splits = _splits_by_name(repository.files)
        return {"default": splits} if splits else {}
    layout: _Layout = {}
    for config in configs:
        folder = str(config.get("data_dir") or "").strip("./")
        patterns = _patterns(config.get("data_files"))
        inside = [f for f in repository.files if not folder or f.startswith(f"{folder}/")]
        splits = _splits_by_pattern(inside, patterns, folder) if patterns else {}
        if not patterns:
            splits = _splits_by_name(inside)
        if splits:
            layout[str(config.get("config_name", "default"))] = splits
    return layout


def _copy_layout(files: Sequence[str]) -> _Layout:
    """Return the splits of the Hub's parquet copy, of which the largest are kept in part."""
    layout: _Layout = {}
    for file in files:
        parts = PurePosixPath(file).parts
        if len(parts) == 3 and file.endswith(".parquet"):
            splits = layout.setdefault(parts[0], {})
            splits.setdefault(parts[1].removeprefix("partial-"), []).append(file)
    return layout


def _configs(repository: _Repository) -> list[dict[str, Any]]:
    configs = repository.card.get("configs")
    return [c for c in configs if isinstance(c, dict)] if isinstance(configs, list) else []


def _default_config(repository: _Repository) -> str:
    marked = [c.get("config_name") for c in _configs(repository) if c.get("default") is True]
    return str(marked[0]) if marked else "default"


def _patterns(data_files: object) -> dict[str, list[str]]:
    """Return the patterns of each split, from any of the forms a dataset's card allows."""
    if not isinstance(data_files, list):
        data_files = [data_files]
    result: dict[str, list[str]] = {}
    for entry in data_files[:_MAX_PATTERNS]:
        split, found = "train", entry
        if isinstance(entry, dict):
            split, found = str(entry.get("split", "train")), entry.get("path")
        texts = found if isinstance(found, list) else [found]
        kept = [text for text in texts[:_MAX_PATTERNS] if isinstance(text, str)]
        if kept:
            result.setdefault(split, []).extend(kept)
    return result


def _splits_by_pattern(
    files: Sequence[str], patterns: dict[str, list[str]], folder: str
) -> dict[str, list[str]]:
    """Return the files of each split. A pattern can only pick from `files`, whatever it says."""
    splits = {}
    for split, texts in patterns.items():
        wanted = [PurePosixPath(folder, text).parts for text in texts]
        matching = [f for f in files if any(_matches(PurePosixPath(f).parts, w) for w in wanted)]
        if usable := _usable(matching):
            splits[split] = usable
    return splits


def _matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether the parts of a path fit those of a pattern; `**` stands for any folders."""
    if pattern.count("**") > _MAX_DOUBLE_STARS:
        return False
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[skip:], pattern[1:]) for skip in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])


def _splits_by_name(files: Sequence[str]) -> dict[str, list[str]]:
    """Return the files by the split that their names tell; all are "train" if none does."""
    usable = _usable(files)
    splits: dict[str, list[str]] = {}
    for file in usable:
        if split := _split_in(file):
            splits.setdefault(split, []).append(file)
    if not splits and usable:
        splits["train"] = usable
    return splits


def _split_in(file: str) -> str | None:
    shard = _SHARD_NAME.search(file)
    if shard is not None:
        return shard[1]
    words = re.split(r"[^a-z]+", file.lower())
    return next((_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS), None)


def _usable(files: Sequence[str]) -> list[str]:
    """Return the parquet files, or the image files where there is none."""
    parquet = [file for file in files if file.endswith(".parquet")]
    return parquet or [f for f in files if PurePosixPath(f).suffix.lower() in _IMAGE_SUFFIXES]


# --- The images ----------------------------------------------------------------------------------


def _guarded(images: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Yield the same, turning what the network or damaged files raise into a `DatasetError`."""
    try:
        yield from images
    except DatasetError:
        raise
    # Whatever the Hub's client, its HTTP library or the parquet reader raise.
    except Exception as error:
        raise DatasetError(
            "Reading the dataset failed: the connection broke off or a file in it is damaged. "
            "Try again, or ask for fewer images."
        ) from error


def _images(
    repository: _Repository, files: Sequence[str], split: str, column: str
) -> Iterator[tuple[str, bytes]]:
    """Yield a safe, unique file name and the stored bytes of each usable image, in order."""
    remote_files = (_RemoteFile(repository, file) for file in files)
    if files[0].endswith(".parquet"):
        names, stored = None, _parquet_images(remote_files, column)
    elif column:
        raise DatasetError("The dataset consists of plain image files: leave the column empty.")
    else:
        names = safe_names(files)
        stored = (_within_limit(file.read_at(0, _MAX_IMAGE_BYTES + 1)) for file in remote_files)
    skipped = 0
    (safe_split,) = safe_names([split])
    for row, data in enumerate(stored):
        suffix = suffix_of(data) if data is not None else None
        if data is None or suffix is None:
            skipped += 1
            if skipped > _MAX_SKIPPED:
                return
        else:
            yield names[row] if names else f"{safe_split}-{row:05d}{suffix}", data


class _RemoteFile(io.RawIOBase):
    """A file of a repository, fetched in ranges as it is read, without a token."""

    def __init__(self, repository: _Repository, file: str) -> None:
        from huggingface_hub import hf_hub_url

        self._url = hf_hub_url(
            repository.name, file, repo_type="dataset", revision=repository.commit
        )
        self._position = 0
        self._size: int | None = None

    def read_at(self, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start` on, and learn the size of the file."""
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        # Compressed answers would not be the range asked for.
        headers = build_hf_headers(token=False) | {
            "Range": f"bytes={start}-{start + length - 1}",
            "Accept-Encoding": "identity",
        }
        try:
            response = get_session().get(self._url, headers=headers, timeout=_READ_TIMEOUT)
        # The server may close an idle connection at the moment it is used again. More than one
        # repetition would only keep a person waiting.
        except Exception:
            response = get_session().get(self._url, headers=headers, timeout=_READ_TIMEOUT)
        # An empty file has no range.
        if response.status_code == 416:
            return b""
        hf_raise_for_status(response)
        if response.status_code != 206:
            raise OSError("The server does not answer with ranges.")
        self._size = int(response.headers["Content-Range"].rpartition("/")[2])
        return response.content

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self._size is None:
            self.read_at(0, 1)
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size or 0}
        self._position = starts[whence] + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        # The size is known by now unless nothing was sought, as at the start of the file.
        if self._size is not None and self._position >= self._size:
            return 0
        data = self.read_at(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def _parquet_images(remote_files: Iterator[_RemoteFile], column: str) -> Iterator[bytes | None]:
    """Yield the image of each row, None where a row has none that can be used."""
    import pyarrow.parquet as pq

    for remote_file in remote_files:
        file = io.BufferedReader(remote_file, _REQUEST_BYTES)
        # Buffered and one row at a time, the column's pages are fetched as they are needed. By
        # default all pages of a row group would be, which may hold a thousand images.
        table = pq.ParquetFile(file, pre_buffer=False, buffer_size=_REQUEST_BYTES)
        chosen = _image_column(table.schema_arrow, column)
        for batch in table.iter_batches(batch_size=1, columns=[chosen]):
            for value in batch.column(0).to_pylist():
                yield _stored_bytes(value)


def _stored_bytes(value: object) -> bytes | None:
    """Return the bytes of a cell's (first) image. A path beside them is never followed."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("bytes")
    return _within_limit(value) if isinstance(value, bytes) else None


def _within_limit(data: bytes) -> bytes | None:
    return data if len(data) <= _MAX_IMAGE_BYTES else None


def _image_column(schema: Any, asked: str) -> str:
    """Return the column to read, given a pyarrow schema."""
    kinds = _declared_kinds(schema)
    ranks = {field.name: _image_rank(field.type, kinds.get(field.name)) for field in schema}
    candidates = sorted((n for n in ranks if ranks[n] is not None), key=lambda n: ranks[n] or 0)
    if asked and asked not in candidates:
        fitting = f"These do: {', '.join(candidates)}." if candidates else "No column does."
        known = "does not hold images" if asked in ranks else "does not exist"
        raise DatasetError(f"The column {asked} {known}. {fitting}")
    if not candidates:
        columns = ", ".join(list(ranks)[:20])
        raise DatasetError(f"The dataset has no column of images. It has: {columns}.")
    return asked or candidates[0]


def _declared_kinds(schema: Any) -> dict[str, str]:
    """Return what the dataset's author declared columns to be, such as Image or Audio."""
    try:
        declared = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {name: str(feature["_type"]) for name, feature in declared.items()}
    # Optional, and written by anybody.
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}


def _image_rank(kind: Any, declared: str | None) -> int | None:
    """Return how likely a column of this Arrow type holds images: 0 most, None not at all."""
    import pyarrow.types as pat

    if declared in ("Audio", "Video", "Pdf", "Nifti"):
        return None
    if pat.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        return 0 if declared == "Image" else 1
    if pat.is_list(kind) or pat.is_large_list(kind) or pat.is_fixed_size_list(kind):
        inner = _image_rank(kind.value_type, None)
        return 2 if inner is not None and inner < 2 else None
    return 3 if pat.is_binary(kind) or pat.is_large_binary(kind) else None
