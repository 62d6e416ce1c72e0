"""A Hugging Face data set, as a command line names it -> its images as they are stored, streamed.

Knows `datasets`, and what the Hub says to whoever shows their own token. A data set is cut into
parts, which can be read at the same time and each from any row on; an image is known by its part
and its number there. What a row names instead of holding it, a file or an address, is not looked
for. Does not know what is done with the images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from pointprompt.sources.codecs.signatures import READABLE_SUFFIXES
from pointprompt.sources.hub.cells import Cell, cell_of, leaves
from pointprompt.sources.hub.columns import Column, Table, choose, columns_in
from pointprompt.sources.hub.layout import (
    Contents,
    Splits,
    contents_of,
    copy_contents,
    default_config,
)
from pointprompt.sources.hub.remote import DatasetError
from pointprompt.sources.hub.repository import PARQUET_COPY, is_name
from pointprompt.sources.hub.sources import choose as choose_name

if TYPE_CHECKING:
    from datasets import IterableDataset
    from huggingface_hub.hf_api import DatasetInfo

HUB = "hf:"
# So many rows are unpacked at a time.
_ROWS = 32
_PEEKED = 5
_MAX_IMAGE_BYTES = 100 * 2**20
# What `Dataset.save_to_disk` leaves in a folder: of one split, or of several.
_SAVED, _SAVED_SPLITS = "state.json", "dataset_dict.json"
_LACKS = {
    "empty": "The row holds no image.",
    "elsewhere": "The row only names an image that is stored elsewhere, and this is not followed.",
    "too big": f"The row holds more than {_MAX_IMAGE_BYTES >> 20} MB.",
}


@dataclass(frozen=True)
class DatasetAsked:
    """Which images of which data set; an empty text means the only one, or the likeliest.

    Attributes:
        place: `hf:owner/name`, a parquet file, a pattern of such files, or a folder of them, or one
            that `Dataset.save_to_disk` wrote.
        config: The configuration (also called subset).
        split: Such as train or test.
        column: The column that holds the images; a field within one as `column.field`.
        limit: How many images, from the first on; None takes all.
    """

    place: str
    config: str = ""
    split: str = ""
    column: str = ""
    limit: int | None = None


class Row(NamedTuple):
    """An image of a data set.

    Attributes:
        own_name: What its file was called; "" where that is not said.
        data: Its file's bytes; none where there is no image.
        lack: Why there is none, a sentence; "" where there is one.
    """

    own_name: str
    data: bytes
    lack: str = ""


def is_dataset(place: str) -> bool:
    """Whether these words name a data set, and not a folder of images or a video."""
    if place.startswith(HUB) or place.lower().endswith(".parquet"):
        return True
    folder = Path(place)
    if not folder.is_dir():
        return False
    if (folder / _SAVED).is_file() or (folder / _SAVED_SPLITS).is_file():
        return True
    suffixes = {file.suffix.lower() for file in folder.rglob("*")}
    return ".parquet" in suffixes and not suffixes & set(READABLE_SUFFIXES)


class Rows:
    """The images of a data set, none of them read yet.

    Attributes:
        parts: In how many parts it is read.
        revision: Another one where its files are others.

    Args:
        data: Its rows, of which images are not decoded.
        column: Where the images are.
        revision: As above.
        limit: How many images, from the first on; all are then one part.
    """

    def __init__(
        self, data: IterableDataset, column: Column, revision: str, limit: int | None = None
    ) -> None:
        self._data = data
        self._column = column
        self._limit = limit
        self.revision = revision
        self.parts = 1 if limit is not None else max(1, data.num_shards)

    def read(self, part: int = 0, skip: int = 0) -> Iterator[Row]:
        """The images of a part, from one on.

        Args:
            part: From 0.
            skip: So many images of it are passed over.

        Raises:
            DatasetError: The rest cannot be read.
        """
        data = self._data if self.parts == 1 else self._data.shard(self.parts, part)
        try:
            if self._is_plain:
                # Rows that are not wanted need not become objects.
                rows = self._rows(data.skip(skip) if skip else data)
            else:
                rows = islice(self._rows(data), skip, None)
            yield from rows if self._limit is None else islice(rows, self._limit - skip)
        # Damaged files, and lost connections of whichever HTTP library is used.
        except Exception as error:
            raise DatasetError(
                f"Part {part + 1} of {self.parts} of the data set could not be read to its end: "
                f"{_short(error)}"
            ) from error

    @property
    def _is_plain(self) -> bool:
        """Whether each row has one place for an image."""
        from datasets import LargeList, List

        kind = self._data.features[self._column.path[0]]
        return len(self._column.path) == 1 and not isinstance(kind, List | LargeList | list)

    def _rows(self, data: IterableDataset) -> Iterator[Row]:
        name, *inner = self._column.path
        for row in data:
            # An empty list is a row without an image.
            for value in list(leaves(row[name], tuple(inner))) or [None]:
                yield _row(value, cell_of(value, self._column.kind))


def open_rows(asked: DatasetAsked) -> Rows:
    """The images of a data set, streamed by `datasets` with the person's own token.

    The token is the one that `huggingface_hub` finds: HF_TOKEN, or that of `hf auth login`.

    Raises:
        DatasetError: There is no such data set, split or column, it may not be read, or `datasets`
            is not installed; the message says what to do.
    """
    if asked.limit is not None and asked.limit < 1:
        raise DatasetError("--limit must be at least 1.")
    try:
        import datasets
    except ImportError as error:
        raise DatasetError(
            "Data sets are read by the package `datasets`, which is not installed here: "
            "pip install 'pointprompt[datasets]'."
        ) from error
    folder = Path(asked.place)
    if (folder / _SAVED).is_file() or (folder / _SAVED_SPLITS).is_file():
        return _saved(asked, datasets.load_from_disk(asked.place))
    if asked.place.startswith(HUB):
        files, revision = _on_hub(asked)
    else:
        files, revision = _here(asked)
    data = _streamed(files)
    column, _ = choose(_Peeked(data), asked.column)
    # Once more, for only now is it known what need not be read.
    return Rows(_streamed(files, [column.path[0]]), column, revision, asked.limit)


class _Peeked(Table):
    """What a data set's columns are, and its first rows."""

    def __init__(self, data: IterableDataset) -> None:
        schema = data.features.arrow_schema
        self._data = data
        self.names = list(schema.names)
        self.columns = columns_in(schema)

    def _values(self, name: str) -> Iterator[object]:
        for row in self._data.take(_PEEKED):
            yield row[name]


def _streamed(files: Sequence[str], columns: list[str] | None = None) -> IterableDataset:
    """The rows of parquet files.

    Raises:
        DatasetError: They are none that can be read.
    """
    import datasets

    try:
        data = datasets.load_dataset(
            "parquet",
            data_files=list(files),
            split="train",
            streaming=True,
            columns=columns,
            batch_size=_ROWS,
        )
    except Exception as error:
        raise DatasetError(f"The data set cannot be read: {_short(error)}") from error
    return data.decode(False)


def _saved(asked: DatasetAsked, data: Any) -> Rows:
    """The images of what `Dataset.save_to_disk` wrote."""
    from datasets import DatasetDict

    if isinstance(data, DatasetDict):
        data = data[choose_name("split", asked.split, data, preferred="train")]
    elif asked.split:
        raise DatasetError(f"The data set {asked.place} has no splits.")
    rows = data.to_iterable_dataset().decode(False)
    column, _ = choose(_Peeked(rows), asked.column)
    revision = _revision(sorted(Path(asked.place).rglob("*.arrow")))
    return Rows(rows.select_columns([column.path[0]]), column, revision, asked.limit)


# --- Which files ---------------------------------------------------------------------------------


def _here(asked: DatasetAsked) -> tuple[list[str], str]:
    """The parquet files that are named on this computer, and their revision.

    Raises:
        DatasetError: There is none.
    """
    place = Path(asked.place)
    if asked.config:
        raise DatasetError("A data set of this computer has no configurations: name its files.")
    if place.is_dir():
        inside = sorted(file.relative_to(place).as_posix() for file in place.rglob("*"))
        splits = contents_of(inside, {})["default"].parquet
        if not splits:
            raise DatasetError(f"No parquet file is in {place}.")
        split = choose_name("split", asked.split, splits, preferred="train")
        found = [place / file for file in splits[split]]
    else:
        if asked.split:
            raise DatasetError(
                "A split is of a whole data set: name its folder, or the files of that split alone."
            )
        found = [place] if place.is_file() else sorted(place.parent.glob(place.name))
        if not found:
            raise DatasetError(f"There is no file {asked.place}.")
    return [str(file.absolute()) for file in found], _revision(found)


def _revision(files: Sequence[Path]) -> str:
    """What is another one where a file is another one."""
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(states).encode()).hexdigest()


def _on_hub(asked: DatasetAsked) -> tuple[list[str], str]:
    """The addresses of the parquet files at one commit, and that commit.

    They are its own, or those of the copy that the Hub keeps. What its card says can only pick
    from them.

    Raises:
        DatasetError: There is no such data set or it may not be read, or it has none.
    """
    name = asked.place.removeprefix(HUB).strip("/")
    if not is_name(name):
        raise DatasetError(
            f"A data set of the Hub is named as hf:owner/name, not {asked.place[:80]!r}."
        )
    info = _info(name)
    assert info is not None  # noqa: S101 - only a revision may be missing
    card = info.card_data.to_dict() if info.card_data else {}
    found: dict[str, Splits] = _with_parquet(contents_of(_files(info), card))
    if not found or (asked.config and asked.config not in found):
        copy = _info(name, PARQUET_COPY)
        if copy is not None:
            info, found = copy, _with_parquet(copy_contents(_files(copy)))
    if not found:
        raise DatasetError(
            f"{name} holds no parquet files, and the Hub has no copy of it as such. Download it "
            f"(`hf download {name} --repo-type dataset --local-dir photos`) and name the folder."
        )
    config = choose_name("configuration", asked.config, found, preferred=default_config(card))
    split = choose_name("split", asked.split, found[config], preferred="train")
    root = f"hf://datasets/{name}@{info.sha}"
    return [f"{root}/{file}" for file in found[config][split]], str(info.sha)


def _with_parquet(contents: dict[str, Contents]) -> dict[str, Splits]:
    return {config: one.parquet for config, one in contents.items() if one.parquet}


def _files(info: DatasetInfo) -> list[str]:
    files = [file.rfilename for file in info.siblings or ()]
    return sorted(file for file in files if ".." not in file)


def _info(name: str, revision: str | None = None) -> DatasetInfo | None:
    """What the Hub says of a data set to the token's owner; None where it lacks the revision.

    Raises:
        DatasetError: There is no such data set for them, or the Hub cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return HfApi().dataset_info(name, revision=revision)
    except RevisionNotFoundError:
        return None
    except GatedRepoError as error:
        raise DatasetError(
            f"{name} is gated: accept its conditions on its page, and show who you are by "
            "HF_TOKEN or `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise DatasetError(
            f"The Hugging Face Hub has no data set {name}, or not for you. Check the spelling; "
            "for a private one, show who you are by HF_TOKEN or `hf auth login`."
        ) from error
    except OfflineModeIsEnabled as error:
        raise DatasetError("This computer is set to work offline (HF_HUB_OFFLINE).") from error
    # Connections fail with the classes of whichever HTTP library the Hub's client uses.
    except Exception as error:
        raise DatasetError(
            f"The Hugging Face Hub could not be asked for {name}: {_short(error)}"
        ) from error


# --- One row -------------------------------------------------------------------------------------


def _row(value: object, cell: Cell) -> Row:
    path = value.get("path") if isinstance(value, dict) else None
    own = PurePosixPath(path.replace("\\", "/")).name if isinstance(path, str) else ""
    if not cell.data:
        return Row(own, b"", _LACKS[cell.lack])
    if len(cell.data) > _MAX_IMAGE_BYTES:
        return Row(own, b"", _LACKS["too big"])
    return Row(own, cell.data)


def _short(error: Exception) -> str:
    """The first line of what went wrong, without what may stand in an address."""
    said = str(error).strip().partition("\n")[0].partition("?")[0][:200]
    return f"{said or type(error).__name__}."
