"""What a batch has found so far, an image a file, so that it goes on where it was stopped.

Knows files. Does not know recipes, nor how what was found is written.

What is here is whole, whenever the process was killed: a record gets its name when all of it is on
the disk. One that cannot be read is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pointprompt.formats.archive import Written
from pointprompt.types import BoolArray, ByteArray, FloatArray, Photo

_FASTEST = 1


@dataclass(frozen=True)
class Record:
    """What was found in one image.

    Attributes:
        photo: The image, without its preview.
        masks: (H, W) bool of each thing, as bits in rows, compressed.
        heatmaps: (t, h, w) float32.
        presence: Of each thing.
        unlike: Whether it looks unlike the images that the recipe was made on.
        written: What is written of it alone.
    """

    photo: Photo
    masks: tuple[bytes, ...]
    heatmaps: FloatArray
    presence: tuple[float, ...]
    unlike: bool
    written: Written

    def mask(self, thing: int) -> BoolArray:
        """The mask (H, W) bool of a thing."""
        height, width = self.photo.height, self.photo.width
        bits = np.frombuffer(zlib.decompress(self.masks[thing]), np.uint8)
        return np.unpackbits(bits, count=height * width).view(np.bool_).reshape(height, width)


def packed(mask: BoolArray) -> bytes:
    """A mask (H, W) bool as a record has it."""
    return zlib.compress(np.packbits(mask).tobytes(), _FASTEST)


class Journal:
    """A folder of records. Several processes may put some there at the same time.

    Args:
        folder: Where they are; it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, source: Path, key: str, record: Record | str) -> None:
        """Keep what was found in an image, or why nothing ever will be.

        Raises:
            OSError: It cannot be written.
        """
        if isinstance(record, str):
            write_whole(self._path(source, key), save({}, {"said": json.dumps(record)}))
            return
        photo = record.photo
        said = {
            "name": photo.name,
            "height": photo.height,
            "width": photo.width,
            "remark": photo.remark,
            "orientation": photo.orientation,
            "presence": record.presence,
            "unlike": record.unlike,
            "written": record.written,
        }
        arrays: dict[str, FloatArray | ByteArray] = {"heatmaps": record.heatmaps}
        for thing, mask in enumerate(record.masks):
            arrays[f"mask.{thing}"] = np.frombuffer(mask, np.uint8)
        write_whole(self._path(source, key), save(arrays, {"said": json.dumps(said)}))

    def get(self, source: Path, key: str) -> Record | str | None:
        """What was put of an image that has not changed since; None where nothing was."""
        try:
            data = self._path(source, key).read_bytes()
            arrays = load(data)
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            said = json.loads(header["__metadata__"]["said"])
            if isinstance(said, str):
                return said
            photo = Photo(
                said["name"],
                said["height"],
                said["width"],
                b"",
                source,
                said["remark"],
                said["orientation"],
            )
            masks = tuple(arrays[f"mask.{t}"].tobytes() for t in range(len(said["presence"])))
            counts, files, problems = said["written"]
            written = Written(tuple(counts), tuple(files), tuple((n, why) for n, why in problems))
            return Record(
                photo, masks, arrays["heatmaps"], tuple(said["presence"]), said["unlike"], written
            )
        except (OSError, ValueError, KeyError, TypeError, SafetensorError):
            return None

    def _path(self, source: Path, key: str) -> Path:
        name = hashlib.sha256(f"{source}\n{key}".encode(errors="surrogateescape")).hexdigest()
        return self._folder / f"{name[:40]}.safetensors"


def key_of_file(path: Path) -> str:
    """What is another one where the file is another one."""
    with suppress(OSError):
        state = path.stat()
        return f"{state.st_size} {state.st_mtime_ns}"
    return ""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, for whoever comes after this process was killed.

    Raises:
        OSError: It cannot be written.
    """
    # Of its own: another process may be writing the same.
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def names_in(folder: Path, files: Sequence[Path]) -> list[str]:
    """What files in a folder are called there, those of folders within it by these too."""
    return ["-".join(file.relative_to(folder).parts) for file in files]
