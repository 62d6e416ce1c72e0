"""What lies in one cell of a parquet file, as Python sees it -> the bytes of its images.

Knows how the Hub's datasets store images. Does not know columns, nor whether the bytes can be read.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One place in a row where an image may be.

    Attributes:
        data: What is stored there, None if nothing is.
        lack: Why not: "empty", "too big", or "elsewhere" where there is only a reference to
            another place, which is never followed.
    """

    data: bytes | None
    lack: str = "empty"


def leaves(value: object, path: tuple[str, ...]) -> Iterator[object]:
    """Yield what lies at a path below a value, for each element of the lists on the way."""
    if isinstance(value, list):
        for element in value:
            yield from leaves(element, path)
    elif path:
        yield from leaves(value.get(path[0]) if isinstance(value, dict) else None, path[1:])
    else:
        yield value


def cell_of(value: object, kind: str) -> Cell:
    """Return what a value of a column of that kind (`Column.kind`) holds."""
    if isinstance(value, dict):
        data, path = value.get("bytes"), value.get("path")
        if isinstance(data, bytes):
            return Cell(data)
        return Cell(None, "elsewhere" if isinstance(path, str) else "empty")
    if isinstance(value, str) and kind == "text":
        return Cell(_from_base64(value))
    return Cell(value if isinstance(value, bytes) else None)


def _from_base64(text: str) -> bytes | None:
    _, _, encoded = text.rpartition(",") if text.startswith("data:") else ("", "", text)
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    # Any text but such a code.
    except ValueError:
        return None
