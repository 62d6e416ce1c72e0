"""Finds the photos in a parquet file's columns, however they are nested, and reads them row by row.

Knows Arrow's types, the Hub's declarations, and what columns of photos and of masks are called.
Does not know where the file is stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from pointprompt.sources.hub.cells import Cell, cell_of, leaves
from pointprompt.sources.hub.names import MASK_WORDS, words_in
from pointprompt.sources.hub.remote import DatasetError
from pointprompt.sources.photos import suffix_of

# What one request brings.
_REQUEST_BYTES = 2**20

# The likeliest first: of "png" and "jpg", the mask is the one without loss.
_PHOTO_NAMES = (
    *("image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "pixel_values"),
    *("rgb", "jpg", "jpeg", "webp", "png", "frame", "frames", "page", "pages", "screenshot"),
    *("image_bytes", "image_base64", "base64"),
)
_PHOTO_WORDS = frozenset(_PHOTO_NAMES) | {"pixel", "pic", "pics", "bytes"}
_SMALL_WORDS = frozenset(["thumbnail", "thumbnails", "thumb", "thumbs", "preview", "icon", "logo"])
_NOT_PICTURES = frozenset(
    ["audio", "sound", "speech", "wav", "mp", "flac", "video", "videos", "pdf", "nifti"]
)
_DECLARED_OTHERS = frozenset(["Audio", "Video", "Pdf", "Nifti"])

_BINARY = re.compile(r"(?:large_|fixed_size_)?binary(?:_view|\[\d+\])?")
_TEXT = re.compile(r"(?:large_)?(?:string|utf8)(?:_view)?")
_MAX_DEPTH = 8
# So many columns and rows are looked into where types alone do not tell.
_MAX_PEEKED_COLUMNS = 20
_PEEKED_ROWS = 5
_SHOWN = 20


class NoImagesError(DatasetError):
    """There are no photos in one place; there may be some in another."""


@dataclass(frozen=True)
class Column:
    """A column, or a field within one, that may hold images.

    Attributes:
        path: The column's name and those of the fields below it.
        kind: "image" for bytes stored with a file name, "bytes" for bytes alone, "text".
        is_photo: False where the name says that it holds masks, sounds or the like.
        rank: Sorts the likeliest first.
    """

    path: tuple[str, ...]
    kind: str
    is_photo: bool
    rank: tuple[int, int, int]

    @property
    def name(self) -> str:
        """What a person calls it: `sample.image`."""
        return ".".join(self.path)


class Table:
    """A parquet file, of which only the pages asked for are read."""

    def __init__(self, file: BinaryIO) -> None:
        """Read the file's description."""
        import pyarrow.parquet as pq

        # Buffered and one row at a time, the column's pages are fetched as they are needed. By
        # default all pages of a row group would be, which may hold a thousand images.
        self._file = pq.ParquetFile(file, pre_buffer=False, buffer_size=_REQUEST_BYTES)
        self.names: list[str] = self._file.schema_arrow.names
        self.columns = columns_in(self._file.schema_arrow)

    def rows(self, column: Column) -> Iterator[list[Cell]]:
        """Yield each row's places for images, in order."""
        for value in self._values(column.path[0]):
            yield [cell_of(leaf, column.kind) for leaf in leaves(value, column.path[1:])]

    def peek(self, column: Column) -> list[Cell]:
        """Return the places for images in the first rows."""
        return [cell for row in islice(self.rows(column), _PEEKED_ROWS) for cell in row]

    def refers(self, column: Column) -> bool:
        """Return whether the first rows of a text column hold addresses or names of images."""
        values = islice(self._values(column.path[0]), _PEEKED_ROWS)
        texts = [t for v in values for t in leaves(v, column.path[1:]) if isinstance(t, str)]
        return any(_REFERENCE.search(text[:2000]) for text in texts)

    def _values(self, name: str) -> Iterator[object]:
        batches = self._file.iter_batches(batch_size=1, columns=[name], use_threads=False)
        for batch in batches:
            # A column "a" brings one called "a.b" with it.
            yield from batch.column(batch.schema.get_field_index(name)).to_pylist()


_REFERENCE = re.compile(
    r"^\s*(?:https?|s3|gs|hf|ftp)://|\.(?:jpe?g|png|webp|tiff?|bmp|gif|avif|heic)(?:$|\?)", re.I
)


def choose(table: Table, asked: str) -> tuple[Column, list[str]]:
    """Return the column to read, and the names of the others that hold images too.

    Raises:
        NoImagesError: No column holds photos, or not the one asked for.
    """
    stored = [column for column in table.columns if column.kind != "text"]
    texts = [c for c in table.columns if c.kind == "text"][:_MAX_PEEKED_COLUMNS]
    if asked:
        return _asked_for(table, asked, stored, texts), []
    photos = [column for column in stored if column.is_photo]
    for column in (*photos, *(text for text in texts if text.is_photo)):
        if column.kind == "image" or _holds_image(table, column):
            return column, [other.name for other in stored if other is not column]
    # Nothing in the first rows: perhaps in later ones.
    if photos:
        return photos[0], []
    references = [column.name for column in texts if table.refers(column)]
    if stored:
        raise NoImagesError(
            f"The only images of the dataset are in {_listed('column', stored)}, which "
            "by name holds masks or the like rather than photos. To load them nevertheless, "
            f"enter the column's name.{_elsewhere(references)}"
        )
    names = ", ".join(table.names[:_SHOWN]) + (", ..." if len(table.names) > _SHOWN else "")
    raise NoImagesError(
        f"The dataset has no column of images. It has: {names}.{_elsewhere(references)}"
    )


def _asked_for(table: Table, asked: str, stored: list[Column], texts: list[Column]) -> Column:
    for column in (*stored, *texts):
        if asked in (column.name, column.path[0]) and (
            column.kind != "text" or _holds_image(table, column)
        ):
            return column
    fitting = f"These do: {', '.join(c.name for c in stored[:_SHOWN])}."
    known = "does not hold images" if asked in table.names else "does not exist"
    references = [c.name for c in texts if asked in (c.name, c.path[0]) and table.refers(c)]
    raise NoImagesError(
        f"The column {asked} {known}. {fitting if stored else 'No column does.'}"
        f"{_elsewhere(references)}"
    )


def _holds_image(table: Table, column: Column) -> bool:
    return any(cell.data is not None and suffix_of(cell.data) for cell in table.peek(column))


def _listed(what: str, columns: list[Column]) -> str:
    names = ", ".join(column.name for column in columns[:_SHOWN])
    return f"the {what} {names}" if len(columns) == 1 else f"the {what}s {names}"


def _elsewhere(names: list[str]) -> str:
    if not names:
        return ""
    return (
        f" The column {names[0]} holds only addresses or file names of images that are stored "
        "elsewhere, and these are not followed: download the images and upload them."
    )


# --- Which columns may hold images ---------------------------------------------------------------


def columns_in(schema: Any) -> list[Column]:
    """Return the places that may hold images, given a pyarrow schema, the likeliest first."""
    declared = _declared(schema)
    found: list[Column] = []
    for field in schema:
        for path, kind in _places(field.type, (field.name,), 0):
            declaration = _declaration(declared, path)
            if declaration not in _DECLARED_OTHERS:
                found.append(_column(path, kind, declaration, len(found)))
    return sorted(found, key=lambda column: column.rank)


def _places(kind: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    import pyarrow.types as pat

    if depth > _MAX_DEPTH:
        return
    if pat.is_dictionary(kind):
        yield from _places(kind.value_type, path, depth + 1)
    elif pat.is_struct(kind):
        position = kind.get_field_index("bytes")
        if position >= 0 and _BINARY.fullmatch(str(kind.field(position).type)):
            yield path, "image" if depth == 0 else "image in list"
            return
        for index in range(kind.num_fields):
            field = kind.field(index)
            yield from _places(field.type, (*path, field.name), depth + 1)
    elif pat.is_list(kind) or pat.is_large_list(kind) or pat.is_fixed_size_list(kind):
        yield from _places(kind.value_type, path, depth + 1)
    elif _BINARY.fullmatch(str(kind)):
        yield path, "bytes"
    elif _TEXT.fullmatch(str(kind)):
        yield path, "text"


def _column(path: tuple[str, ...], kind: str, declaration: str | None, order: int) -> Column:
    is_nested = kind == "image in list"
    kind = "image" if is_nested else kind
    likeness, is_photo = _likeness(path)
    certainty = {"image": 0 if declaration == "Image" else 1, "bytes": 3, "text": 4}[kind]
    return Column(path, kind, is_photo, (likeness, 2 if is_nested else certainty, order))


def _likeness(path: tuple[str, ...]) -> tuple[int, bool]:
    """Return how little the names sound like photos, and whether they may be photos at all."""
    words = {word for part in path for word in words_in(part)}
    if words & (MASK_WORDS | _NOT_PICTURES):
        return 1000, False
    exact = [_PHOTO_NAMES.index(p.lower()) for p in path if p.lower() in _PHOTO_NAMES]
    if exact:
        return min(exact), True
    if words & _SMALL_WORDS:
        return 300, True
    return (100 if words & _PHOTO_WORDS else 200), True


def _declared(schema: Any) -> dict[str, Any]:
    """Return what the dataset's author declared columns to be, such as Image or Audio."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    # Optional, and written by anybody.
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _declaration(features: object, path: tuple[str, ...]) -> str | None:
    for part in path:
        features = _element(features)
        features = features.get(part) if isinstance(features, dict) else None
    features = _element(features)
    kind = features.get("_type") if isinstance(features, dict) else None
    return kind if isinstance(kind, str) else None


def _element(feature: object) -> object:
    """Return what a declared list holds."""
    for _ in range(_MAX_DEPTH):
        if isinstance(feature, list) and feature:
            feature = feature[0]
        elif isinstance(feature, dict) and isinstance(feature.get("_type"), str):
            if "feature" not in feature:
                break
            feature = feature["feature"]
        else:
            break
    return feature
