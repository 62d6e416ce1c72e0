"""One stored analysis: a folder that is written once, and believed only where every bit is right.

Knows files and their digests. Does not know which entries there are, who uses them, or for how
long. Nothing in an entry says what its images are called: who brings the same bytes has names of
their own for them.

    entry.json               what it was made of and under which conditions, and its files
    entry.sha256             the digest of that
    <array>.safetensors      eigvecs, codes, colors, terms; image_embeddings where there are some
    previews.safetensors     what tiles show
    images/000.jpg ...       the images as they came
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.keys import (
    Conditions,
    Content,
    Original,
    digest_of_file,
    is_suffix,
)
from pointprompt.types import BackboneChoice, Photo, is_whole

FORMAT = 1

ENTRY_FILE = "entry.json"

_ENTRY, _CHECK = ENTRY_FILE, "entry.sha256"
_IMAGES = "images"
_EMBEDDINGS = "image_embeddings"
_PARTS = ("eigvecs", "codes", "colors", "terms", "previews")
# Of ten thousand images it has a fourth of that.
_MAX_ENTRY_BYTES = 16 << 20
_CHUNK = 1 << 20


class Damaged(ValueError):
    """An entry is not what was written; the message says what of it."""


@dataclass(frozen=True)
class Entry:
    """A stored analysis.

    Attributes:
        analysis: Its photos are named by their places, and their sources are files of the entry.
        conditions: What it was made under.
    """

    analysis: Analysis
    conditions: Conditions


def write(
    folder: Path, analysis: Analysis, conditions: Conditions, originals: Sequence[Original]
) -> None:
    """Write an entry into an empty folder; it is on the disk when this returns.

    Args:
        folder: Where nobody reads yet.
        analysis: What to store.
        conditions: What it was made under.
        originals: Its images, as they came.

    Raises:
        OSError: The disk is full, for example; then whatever is there is no entry.
    """
    files = {}
    for name, arrays in _arrays(analysis).items():
        path = folder / f"{name}.safetensors"
        data = save(arrays)
        _write_file(path, data)
        files[name] = _described(hashlib.sha256(data).hexdigest(), len(data))
    (folder / _IMAGES).mkdir(mode=0o700)
    images = []
    for index, (photo, original) in enumerate(zip(analysis.photos, originals, strict=True)):
        content = Content.of(original)
        _keep(original, folder / _IMAGES / _file_name(index, content.suffix))
        images.append(
            {
                **_described(content.sha256, content.nbytes),
                "suffix": content.suffix,
                "height": photo.height,
                "width": photo.width,
                "remark": photo.remark,
                "orientation": photo.orientation,
            }
        )
    document = {
        "format": FORMAT,
        "conditions": conditions.as_dict(),
        "backbone": asdict(analysis.backbone),
        "images": images,
        "files": files,
    }
    text = json.dumps(document, indent=1).encode()
    _write_file(folder / _ENTRY, text)
    _write_file(folder / _CHECK, hashlib.sha256(text).hexdigest().encode())
    sync(folder / _IMAGES)
    sync(folder)


def read(folder: Path) -> Entry:
    """The entry in a folder.

    Raises:
        FileNotFoundError: Something of it is missing.
        OSError: It cannot be read, which may be no fault of its own.
        Damaged: It is not what was written.
    """
    # Here, since it imports torch, which a server that starts need not wait for.
    from pointprompt.analysis.terms import Terms

    document = _document(folder)
    files = _object(document, "files")
    with_embeddings = _EMBEDDINGS in files
    names = (*_PARTS, _EMBEDDINGS) if with_embeddings else _PARTS
    if set(files) != set(names):
        raise Damaged(f"{_ENTRY} names other files than an entry has.")
    arrays = {name: _load(folder, name, _object(files, name)) for name in names}
    images = document.get("images")
    if not isinstance(images, list) or not images:
        raise Damaged(f"{_ENTRY} has no list of images.")
    photos = tuple(
        _photo(folder, index, image, arrays["previews"]) for index, image in enumerate(images)
    )
    try:
        analysis = Analysis(
            photos,
            eigvecs=arrays["eigvecs"]["eigvecs"],
            codes=arrays["codes"]["codes"],
            colors=arrays["colors"]["colors"],
            terms=Terms.from_arrays(arrays["terms"]),
            backbone=_backbone(document),
            image_embeddings=arrays[_EMBEDDINGS][_EMBEDDINGS] if with_embeddings else None,
        )
    except KeyError as error:
        raise Damaged(f"An array is missing: {error}.") from error
    _check_shapes(analysis)
    return Entry(analysis, _conditions(document))


def nbytes(folder: Path) -> int:
    """Bytes of all files of an entry.

    Raises:
        OSError: It cannot be looked into.
    """
    return sum(
        path.lstat().st_size
        for place in (folder, folder / _IMAGES)
        for path in place.iterdir()
        if path.name != _IMAGES
    )


def sync(folder: Path) -> None:
    """Have the names in a folder on the disk.

    Raises:
        OSError: That failed.
    """
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


# --- Writing -------------------------------------------------------------------------------------


def _arrays(analysis: Analysis) -> dict[str, dict[str, Any]]:
    """All arrays, by file and name; a file each, so that only one is in memory twice."""
    previews = {
        _file_name(index): np.frombuffer(photo.preview, np.uint8)
        for index, photo in enumerate(analysis.photos)
    }
    found: dict[str, dict[str, Any]] = {
        "eigvecs": {"eigvecs": analysis.eigvecs},
        "codes": {"codes": analysis.codes},
        "colors": {"colors": analysis.colors},
        "terms": analysis.terms.arrays(),
        "previews": previews,
    }
    if analysis.image_embeddings is not None:
        found[_EMBEDDINGS] = {_EMBEDDINGS: analysis.image_embeddings}
    # Not `ascontiguousarray`, which would make vectors of numbers.
    return {
        name: {key: np.asarray(array, order="C") for key, array in arrays.items()}
        for name, arrays in found.items()
    }


def _described(sha256: str, nbytes: int) -> dict[str, Any]:
    return {"sha256": sha256, "bytes": nbytes}


def _file_name(index: int, suffix: str = "") -> str:
    return f"{index:03d}{suffix}"


def _keep(original: Original, path: Path) -> None:
    """Have an image at this path too: the same file where it can be, so that it takes no room."""
    if isinstance(original, bytes):
        _write_file(path, original)
        return
    try:
        # A link to a link would leave with what that leads to.
        os.link(original.resolve(), path)
    except OSError:  # Another file system, or one without links, or without so many.
        _copy(original, path)
        return
    sync(path)


def _copy(original: Path, path: Path) -> None:
    with original.open("rb") as source, path.open("xb") as file:
        while chunk := source.read(_CHUNK):
            _write(file, chunk)
        _finish(file)


def _write_file(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        _write(file, data)
        _finish(file)


def _write(file: BinaryIO, data: bytes) -> None:
    """All bytes come by here."""
    file.write(data)


def _finish(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


# --- Reading -------------------------------------------------------------------------------------


def _document(folder: Path) -> dict[str, Any]:
    """What entry.json says, which is what was written."""
    text = _small_file(folder / _ENTRY, _MAX_ENTRY_BYTES)
    check = _small_file(folder / _CHECK, 64)
    if hashlib.sha256(text).hexdigest().encode() != check:
        raise Damaged(f"{_ENTRY} is not what was written.")
    try:
        document = json.loads(text)
    except (RecursionError, ValueError) as error:
        raise Damaged(f"{_ENTRY} is not JSON.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Damaged(f"{_ENTRY} is of another format.")
    return document


def _small_file(path: Path, most: int) -> bytes:
    state = path.lstat()
    if not stat.S_ISREG(state.st_mode) or state.st_size > most:
        raise Damaged(f"{path.name} is no such file.")
    return path.read_bytes()


def _load(folder: Path, name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    path = folder / f"{name}.safetensors"
    _check_file(path, described)
    try:
        return dict(load_file(path))
    except (SafetensorError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise Damaged(f"{path.name} does not hold arrays: {error}") from error


def _check_file(path: Path, described: Mapping[str, Any]) -> None:
    """Check a file against what was written.

    Raises:
        Damaged: It is another one.
    """
    state = path.lstat()
    size = described.get("bytes")
    # Before it is read: it may be no file at all, or one without an end.
    if not stat.S_ISREG(state.st_mode) or not is_whole(size) or state.st_size != size:
        raise Damaged(f"{path.name} has another size than what was written.")
    if digest_of_file(path)[0] != described.get("sha256"):
        raise Damaged(f"{path.name} is not what was written.")


def _photo(folder: Path, index: int, image: object, previews: Mapping[str, Any]) -> Photo:
    if not isinstance(image, dict):
        raise Damaged(f"Image {index} is no object.")
    height, width = image.get("height"), image.get("width")
    suffix, remark = image.get("suffix"), image.get("remark")
    if not (_is_side(height) and _is_side(width) and isinstance(remark, str)):
        raise Damaged(f"Image {index} has no size or no remark.")
    # Older entries do not say it. They are opened only to be analysed anew.
    orientation = image.get("orientation", 1)
    if not is_whole(orientation) or not 1 <= orientation <= 8:
        raise Damaged(f"Image {index} is turned in no known way.")
    # It ends a path.
    if not isinstance(suffix, str) or not is_suffix(suffix):
        raise Damaged(f"Image {index} has no suffix.")
    path = folder / _IMAGES / _file_name(index, suffix)
    _check_file(path, image)
    preview = previews.get(_file_name(index))
    if preview is None or preview.dtype != np.uint8 or preview.ndim != 1:
        raise Damaged(f"Image {index} has no preview.")
    name = f"image-{index + 1:03d}{suffix}"
    return Photo(name, height, width, preview.tobytes(), path, remark, orientation)


def _is_side(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _backbone(document: dict[str, Any]) -> BackboneChoice:
    entry = _object(document, "backbone")
    kinds = {"name": str, "node": str, "layer": int, "input_size": int, "debias": bool}
    if set(entry) != set(kinds) or any(type(entry[name]) is not kinds[name] for name in kinds):
        raise Damaged(f"{_ENTRY} does not say which backbone it was.")
    return BackboneChoice(**entry)


def _conditions(document: dict[str, Any]) -> Conditions:
    entry = _object(document, "conditions")
    if set(entry) != {one.name for one in fields(Conditions)}:
        raise Damaged(f"{_ENTRY} does not say how it was made.")
    kinds = {"n_eigvecs": int, "seed": int, "versions": dict}
    if any(type(value) is not kinds.get(name, str) for name, value in entry.items()):
        raise Damaged(f"{_ENTRY} does not say how it was made.")
    return Conditions(**entry)


def _object(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    if not isinstance(value, dict):
        raise Damaged(f"{_ENTRY} has no {key}.")
    return value


def _check_shapes(analysis: Analysis) -> None:
    """Check that the arrays are those of one analysis.

    Raises:
        Damaged: They are not.
    """
    n, embeddings = len(analysis.photos), analysis.image_embeddings
    expected = (("float32", analysis.eigvecs), ("float32", analysis.codes))
    right = all(array.dtype == kind and array.ndim == 4 for kind, array in expected)
    right = right and analysis.eigvecs.shape[:3] == analysis.codes.shape[:3]
    right = right and analysis.colors.dtype == np.uint8
    right = right and analysis.colors.shape == (*analysis.codes.shape[:3], 3)
    right = right and len(analysis.codes) == n and 0 not in analysis.codes.shape
    if embeddings is not None:
        right = right and embeddings.dtype == np.float16 and embeddings.shape == (n, 64, 64, 256)
    if not right:
        raise Damaged("Its arrays do not fit each other.")
