"""The strips or tiles of a TIFF page -> its values, and which of them the file lacks.

Knows how a page is laid out and packed. Does not know what the values mean.
"""

from __future__ import annotations

import math
from typing import Any, BinaryIO

import numpy as np

from pointprompt.sources.codecs import lzw
from pointprompt.sources.codecs.loaded import RARE, ImageError

UNPACKED, _LZW = 1, 5
_NODATA = 42113
# Of one strip or tile, and of the bands that are shown, unpacked.
_MAX_BYTES = 2 << 30
# Headers of packed data.
_SLACK = 1 << 16


def values_of(page: Any, file: BinaryIO, bands: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return (H, W, bands) of the first plane, and (H, W) bool where the file has none."""
    if page.dtype is None or page.dtype.kind not in "uifb":
        raise ImageError(RARE)
    height, width = page.imagelength, page.imagewidth
    _check_bytes(page, len(bands))
    values = np.zeros((height, width, len(bands)), page.dtype)
    missing = np.ones((height, width), bool)
    is_lzw = page.compression == _LZW
    if is_lzw:
        # Unpacked before tifffile sees it.
        page.compression = UNPACKED
    for index in _segments(page):
        placed = _segment(page, file, index, is_lzw)
        if placed is None:
            continue
        segment, (sample, _, top, left, _), whole = placed
        rows, columns = min(len(segment), height - top), min(segment.shape[1], width - left)
        for at, band in enumerate(bands):
            # Bands lie beside each other in one segment, or each in segments of its own.
            own = band if page.planarconfig == 1 else band - sample
            if 0 <= own < segment.shape[2]:
                place = (slice(top, top + rows), slice(left, left + columns))
                values[place][..., at] = segment[:rows, :columns, own]
                if at == 0:
                    missing[place][: math.floor(rows * whole)] = False
    return values, missing


def _check_bytes(page: Any, bands: int) -> None:
    side_by_side = page.samplesperpixel if page.planarconfig == 1 else 1
    if page.is_tiled:
        segment = page.tilelength * page.tilewidth * page.tiledepth
    else:
        segment = min(page.rowsperstrip, page.imagelength) * page.imagewidth
    most = max(segment * side_by_side, page.imagelength * page.imagewidth * bands)
    size = most * page.dtype.itemsize
    if size > _MAX_BYTES:
        raise ImageError(
            f"The image needs {size / 2**30:.1f} GiB of memory; "
            f"at most {_MAX_BYTES / 2**30:.0f} are allowed."
        )


def _segments(page: Any) -> range:
    """Return the indices of the strips or tiles, as many as the picture can have."""
    _, depth, length, width, _ = page.shaped
    if page.is_tiled:
        plane = math.ceil(length / page.tilelength) * math.ceil(width / page.tilewidth)
    else:
        plane = math.ceil(length / max(1, page.rowsperstrip))
    planes = page.samplesperpixel if page.planarconfig == 2 else 1
    return range(min(len(page.dataoffsets), plane * depth * planes))


def _segment(
    page: Any, file: BinaryIO, index: int, is_lzw: bool
) -> tuple[np.ndarray, tuple[int, int, int, int, int], float] | None:
    """Return a strip or tile (rows, columns, bands), its place, and which part of it is whole.

    None if it is missing, damaged, or of another plane than the first.
    """
    row_bytes, rows = _segment_bytes(page, index)
    # Packing never makes so much of it; a damaged file may say anything.
    most = row_bytes * rows * (1 if page.compression == UNPACKED and not is_lzw else 2) + _SLACK
    stored = min(page.databytecounts[index], most)
    if stored == 0:
        return _sparse(page, index)
    file.seek(page.dataoffsets[index])
    data = file.read(stored)
    whole = 1.0
    if page.compression == UNPACKED and not is_lzw:
        whole = len(data) / stored
        data = data.ljust(stored, b"\0")
    try:
        if is_lzw:
            data = lzw.unpacked(data, row_bytes, rows)
        segment, place, _ = page.decode(data, index, jpegtables=page.jpegtables)
    except MemoryError:
        raise
    # Damaged data can make the many decoders raise nearly anything.
    except Exception:
        return None
    if segment is None or place[1] > 0:
        return None
    return segment[0], place, whole


def _sparse(
    page: Any, index: int
) -> tuple[np.ndarray, tuple[int, int, int, int, int], float] | None:
    """Return a segment that the file leaves out because it is all empty."""
    _, place, (_, rows, columns, bands) = page.decode(None, index)
    empty = np.full((rows, columns, bands), nodata(page) or 0).astype(page.dtype)
    return (empty, place, 1.0) if place[1] == 0 else None


def _segment_bytes(page: Any, index: int) -> tuple[int, int]:
    """Return the bytes of a row, and the rows, of an unpacked strip or tile."""
    bands = page.samplesperpixel if page.planarconfig == 1 else 1
    width = page.tilewidth if page.is_tiled else page.imagewidth
    if page.is_tiled:
        rows = page.tilelength * page.tiledepth
    else:
        strips = math.ceil(page.imagelength / page.rowsperstrip)
        rows = min(page.rowsperstrip, page.imagelength - index % strips * page.rowsperstrip)
    return -(-width * bands * page.bitspersample // 8), rows


def nodata(page: Any) -> float | None:
    """Return the value that stands where nothing was measured, if there is one."""
    tag = page.tags.get(_NODATA)
    try:
        return float(str(tag.value).strip("\0 ")) if tag is not None else None
    except ValueError:
        return None
