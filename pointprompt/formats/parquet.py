"""Photos and masks -> a data set, as the package `datasets` and the Hugging Face Hub read it.

Knows parquet. Does not know what its columns are (`dataset_card` does), nor the Hub (`hub_push`).
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from pointprompt.formats import dataset_card
from pointprompt.formats.format import DEFAULT_OPTIONS, Format, Member, Options, as_png
from pointprompt.formats.indexed_png import as_indexed_png, numbers_of
from pointprompt.formats.labelled import Labelled, LabelledImage, UnreadablePhoto
from pointprompt.formats.overlays import JPEG_MAX_SIDE
from pointprompt.sources.photos import suffix_of
from pointprompt.types import ByteArray

FOLDER = "dataset"
# Of the images in one file, about: what the Hub shows and streams well.
_SHARD_BYTES = 200 << 20
# What every reader of data sets opens, so that a file can go in as it is.
_AS_IT_IS = (".jpg", ".png", ".webp")
# What has lost something already: a good JPEG of it loses nothing that is seen.
_LOSSY = (".jpg", ".webp", ".heic", ".avif", ".jxl")
_JPEG_QUALITY = 95


class Parquet(Format):
    """dataset/data/train-00000-of-00001.parquet, more of them where they are large, and a card.

    A row is an image: its file and size; `indexed`, the numbers of all things in one picture; and
    `things`, each with its name, colour, mask, pixels and presence, in every row the same ones in
    the same order, so that the first is number 1 of `indexed`.

    A photo's own bytes go in where every reader of them sees what the masks are of. What is turned
    by its EXIF is encoded anew: some readers would turn it, some would not, and none the masks.
    """

    lacks = "row in the data set"
    gathers = True

    def __init__(self, labelled: Labelled, options: Options = DEFAULT_OPTIONS) -> None:
        super().__init__(labelled, options)
        self._shards: list[_Shard] = []
        self._rows = 0

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """No file yet; the row is on the disk when this returns."""
        row, size = self._row(image)
        if not self._shards or self._shards[-1].is_full_with(size):
            self._begin()
        self._shards[-1].write(row, size)
        self._rows += 1
        return iter(())

    def finish(self) -> Iterator[Member]:
        """The files of rows, and the card."""
        if not self._shards:
            self._begin()
        count = len(self._shards)
        for number, shard in enumerate(self._shards):
            yield f"{FOLDER}/data/train-{number:05d}-of-{count:05d}.parquet", shard.finished()
        size = sum(shard.size for shard in self._shards)
        card = dataset_card.card(self.labelled.things, self._rows, size)
        yield f"{FOLDER}/README.md", card.encode()

    def close(self) -> None:
        """Remove what was written beside the archive."""
        for shard in self._shards:
            shard.close()

    def _begin(self) -> None:
        if self._shards:
            self._shards[-1].end()
        self._shards.append(_Shard())

    def _row(self, image: LabelledImage) -> tuple[dict[str, Any], int]:
        """What a row holds, and about how many bytes that is."""
        height, width = image.shape
        file = _file_of(image)
        indexed = as_indexed_png(numbers_of(image), self.labelled.things)
        mask_name = f"{image.stem}.png"
        things: list[dict[str, Any]] = [
            {
                "name": thing.name,
                "color": dataset_card.in_hexadecimal(thing.color),
                "mask": _cell(as_png(mask.view(np.uint8) * np.uint8(255)), mask_name),
                "pixels": pixels,
                "presence": share,
            }
            for thing, mask, pixels, share in zip(
                self.labelled.things, image.masks(), image.counts, image.presence, strict=True
            )
        ]
        row = {
            "image": _cell(file.data, file.name),
            "name": image.photo.name,
            "width": width,
            "height": height,
            "indexed": _cell(indexed, mask_name),
            "things": things,
        }
        masks = sum(len(thing["mask"]["bytes"]) for thing in things)
        return row, len(file.data) + len(indexed) + masks


class _Shard:
    """A parquet file that grows by a row at a time, on the disk and without a name there.

    Attributes:
        size: Bytes of the images in it.
    """

    def __init__(self) -> None:
        # Here, since a server that starts need not wait for it.
        import pyarrow.parquet as pq

        self.size = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` ends it.
        self._schema = _schema()
        # A dictionary of images is of no use.
        self._writer = pq.ParquetWriter(self._file, self._schema, use_dictionary=False)

    def is_full_with(self, size: int) -> bool:
        """Whether so many bytes more are too many. One row there may always be."""
        return self.size > 0 and self.size + size > _SHARD_BYTES

    def write(self, row: dict[str, Any], size: int) -> None:
        """Add a row whose images have so many bytes, as a group of its own: none waits in memory.

        Raises:
            OSError: The disk is full.
        """
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_pylist([row], self._schema))
        self.size += size

    def end(self) -> None:
        """No row is to come."""
        self._writer.close()

    def finished(self) -> Any:
        """The file, to be read from its start."""
        self.end()
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Remove it."""
        # Its end, which nobody reads any more, may not fit onto a full disk.
        with suppress(OSError):
            self.end()
        self._file.close()


class _File(NamedTuple):
    name: str
    data: bytes


def _schema() -> Any:
    """Of the rows, with what tells `datasets` which bytes are images."""
    import pyarrow as pa

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

    def typed(feature: Any) -> Any:
        if isinstance(feature, list):
            return pa.list_(pa.struct(list(map(field, feature[0].items()))))
        return image if feature is dataset_card.IMAGE else pa.type_for_alias(feature["dtype"])

    def field(item: tuple[str, Any]) -> tuple[str, Any]:
        return item[0], typed(item[1])

    told = json.dumps({"info": {"features": dataset_card.FEATURES}})
    return pa.schema(
        list(map(field, dataset_card.FEATURES.items())), metadata={"huggingface": told}
    )


def _cell(data: bytes, name: str) -> dict[str, Any]:
    return {"bytes": data, "path": name}


def _file_of(image: LabelledImage) -> _File:
    """The photo's own file, or one of the same picture that all readers see alike.

    Raises:
        UnreadablePhoto: It cannot be read again, or no longer has its size.
    """
    photo, pixels = image.photo, image.pixels
    own = _own_bytes(photo.source)
    kind = suffix_of(own, photo.name) if own else None
    # What there is a remark on looks otherwise elsewhere, or does not open.
    if own and kind in _AS_IT_IS and photo.orientation == 1 and not photo.remark:
        return _File(photo.name, own)
    if kind in _LOSSY and max(image.shape) <= JPEG_MAX_SIDE:
        return _File(f"{image.stem}.jpg", _as_good_jpeg(pixels))
    return _File(f"{image.stem}.png", as_png(np.ascontiguousarray(pixels)))


def _own_bytes(source: Path | bytes | ByteArray) -> bytes:
    """Those of a photo's file; none where it has no file."""
    if isinstance(source, np.ndarray):
        return b""
    try:
        return source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise UnreadablePhoto("The file cannot be opened.") from error


def _as_good_jpeg(pixels: ByteArray) -> bytes:
    file = io.BytesIO()
    # Each pixel with a colour of its own, not each four.
    Image.fromarray(pixels).save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return file.getvalue()
