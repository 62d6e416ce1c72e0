"""What a program hands in as files -> paths of files, under the names that it gave them.

A program names files that it uploaded before, or sends small ones as texts. Knows files and what a
message says of them. No address is ever fetched, and no file is used but an upload.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pointprompt.server.session_files import link, subfolder
from pointprompt.sources.names import safe_names

# What gradio's clients put before the path of an upload where they write its address.
_ADDRESS = "/gradio_api/file="
_DATA = "data:"

NO_FILES = "There must be a list of files."
NOT_A_FILE = (
    "A file must be one that was uploaded here just now, or a text that begins with data: and "
    "holds it as base64."
)
NOT_FETCHED = "No address is fetched here: upload the file instead."


class HandedInError(ValueError):
    """What was handed in is no file; the message is a sentence, and quotes nothing of it."""


def as_list(value: object) -> list[Any]:
    """The files in a message; one alone is a list of it.

    Raises:
        HandedInError: It is no list.
    """
    if isinstance(value, (str, dict)):
        return [value]
    if not isinstance(value, list):
        raise HandedInError(NO_FILES)
    return value


def files_in(values: Sequence[object], uploads: Path, folder: Path) -> list[Path]:
    """The files, in order, as files of a folder.

    Args:
        values: Of a message, whatever they are: a path that an upload was answered with, its
            address, an object with its `path` and perhaps an `orig_name`; or a data: address.
        uploads: The folder that uploads lie in.
        folder: Where they go: an empty one on the same disk.

    Raises:
        HandedInError: One is nothing of these.
        OSError: A file cannot be written.
    """
    return [
        _file_in(value, uploads, subfolder(folder, str(index)))
        for index, value in enumerate(values)
    ]


def _file_in(value: object, uploads: Path, folder: Path) -> Path:
    text = value.get("path") if isinstance(value, dict) else value
    if not isinstance(text, str):
        raise HandedInError(NOT_A_FILE)
    if text.startswith(_DATA):
        path = folder / _file_name(value, f"image.{_suffix(text)}")
        path.write_bytes(_decoded(text))
        return path
    upload = _upload(text, uploads)
    path = folder / _file_name(value, upload.name)
    link(upload, path)
    return path


def _file_name(value: object, otherwise: str) -> str:
    """What a file is called: as its owner says, where it is said."""
    said = value.get("orig_name") if isinstance(value, dict) else ""
    return safe_names([said if isinstance(said, str) and said else otherwise])[0]


def _upload(text: str, uploads: Path) -> Path:
    """The upload that a text names.

    Raises:
        HandedInError: It names none.
    """
    _, address, path = text.partition(_ADDRESS)
    if not address and "://" in text:
        raise HandedInError(NOT_FETCHED)
    try:
        # Links are followed first, so that what lies elsewhere is seen to.
        file = Path(unquote(path) if address else text).resolve(strict=True)
        if file.is_file() and file.is_relative_to(uploads.resolve()):
            return file
    except (OSError, ValueError, RuntimeError):
        pass
    raise HandedInError(NOT_A_FILE)


def _suffix(text: str) -> str:
    """Of the kind that a data: address says: "png"; what it holds is found out when it is read."""
    kind = text[len(_DATA) :].partition(";")[0].partition("/")[2]
    return kind if kind.isascii() and kind.isalnum() and len(kind) <= 8 else "bin"


def _decoded(text: str) -> bytes:
    head, _, data = text.partition(",")
    if not head.endswith(";base64"):
        raise HandedInError(NOT_A_FILE)
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise HandedInError(NOT_A_FILE) from error
