"""A TIFF file -> the picture of its first page, scientific data included.

Knows TIFF. Does not know what becomes of the picture.

Pillow reads what cameras, scanners and painting programs write, with old compressions and all.
tifffile reads the rest: more than 8 bits, signed numbers, fractions, any number of bands.
"""

from __future__ import annotations

import math
import struct
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from pointprompt.sources.codecs import lzw, tones
from pointprompt.sources.codecs.loaded import ImageError, Loaded, SizeCheck, incomplete, load

_DNG_VERSION, _NODATA, _PROFILE = 50706, 42113, 34675
_GREY, _RGB, _CMYK, _YCBCR = (0, 1), 2, 5, 6
_CIELAB, _ICCLAB = 8, 9
_RAW = (32803, 34892)
# What Pillow shows as it is meant, at up to 8 bits.
_PILLOWS = (0, 1, 2, 3, 5, 6, 8)
_UNPACKED, _LZW = 1, 5
_ASSOCIATED, _UNASSOCIATED = 1, 2
# Of one strip or tile, and of the bands that are shown, unpacked.
_MAX_BYTES = 2 << 30
# Headers of packed data.
_SLACK = 1 << 16
_RARE = "The file is damaged, or a rare kind of its format."
_RAW_REFUSED = "The file is a camera raw file; develop it to JPEG, PNG or TIFF first."


def read(file: BinaryIO, check: SizeCheck) -> Loaded:
    """Return the picture of the first page.

    Raises:
        ImageError: It is too large, a camera raw file, of a kind that is not read, or most of it is
            missing.
    """
    import tifffile

    def reopen() -> Image.Image:
        file.seek(0)
        return TiffImagePlugin.TiffImageFile(file)

    try:
        with tifffile.TiffFile(file) as tif:
            page = tif.pages.first
            _refuse_raw(page)
            check(page.imagewidth, page.imagelength)
            if not _is_pillows(page):
                return _read_page(page, file)
    except (tifffile.TiffFileError, struct.error, KeyError, IndexError):
        # Pillow may make sense of it.
        return load(reopen, check)
    try:
        return load(reopen, check)
    except (SyntaxError, OSError, ImageError):
        file.seek(0)
        with tifffile.TiffFile(file) as tif:
            return _read_page(tif.pages.first, file)


def _refuse_raw(page: Any) -> None:
    is_preview = page.subfiletype & 1 and page.subifds
    if is_preview or _DNG_VERSION in page.tags or page.photometric in _RAW:
        raise ImageError(_RAW_REFUSED)


def _is_pillows(page: Any) -> bool:
    extra = len(page.extrasamples)
    return (
        page.bitspersample in (1, 2, 4, 8)
        and page.sampleformat in (1, 4)
        and page.photometric in _PILLOWS
        # Pillow takes these for red, green, blue and a band of nothing.
        and not (page.photometric == _YCBCR and page.compression == _UNPACKED)
        and (extra == 0 or (extra == 1 and page.bitspersample == 8))
        and not (page.photometric in _GREY and page.samplesperpixel - extra != 1)
    )


def _read_page(page: Any, file: BinaryIO) -> Loaded:
    colors, alpha = _bands(page)
    values, missing = _values(page, file, colors if alpha is None else [*colors, alpha])
    remarks = incomplete(missing) if missing.any() else ()
    if len(colors) < page.samplesperpixel - (alpha is not None):
        shown = "as red, green and blue" if len(colors) == 3 else "as grey"
        remarks += (
            f"Only the first {len(colors)} of its {page.samplesperpixel} bands are shown, {shown}."
            if len(colors) > 1
            else f"Only the first of its {page.samplesperpixel} bands is shown, {shown}.",
        )
    image, remark = _picture(page, values[..., : len(colors)])
    if remark:
        remarks += (remark,)
    elif _PROFILE in page.tags:
        # A profile says nothing of values that were spread.
        image.info["icc_profile"] = bytes(page.tags[_PROFILE].value)
    if alpha is not None:
        opaque = _opaque(page, values[..., -1])
        image = _with_alpha(image, opaque, page.extrasamples[0] == _ASSOCIATED)
    if ExifTags.Base.Orientation in page.tags:
        orientation = page.tags[ExifTags.Base.Orientation].value
        image.getexif()[ExifTags.Base.Orientation] = orientation
    return Loaded(image, remarks, missing if missing.any() else None)


def _bands(page: Any) -> tuple[list[int], int | None]:
    """Return which bands are colours, and which one says how opaque they are."""
    own = {_RGB: 3, _CMYK: 4, _YCBCR: 3, _CIELAB: 3, _ICCLAB: 3}.get(page.photometric)
    if page.photometric in _GREY:
        own = page.samplesperpixel - len(page.extrasamples)
        if page.samplesperpixel >= 3 and not _alpha_bands(page):
            return [0, 1, 2], None
        own = 1 if own < 3 else 3
    is_packed_colour = page.photometric == _YCBCR and (
        page.is_subsampled or page.bitspersample != 8
    )
    if own is None or own > page.samplesperpixel or is_packed_colour:
        raise ImageError(_RARE)
    alphas = _alpha_bands(page)
    return list(range(own)), alphas[0] if alphas else None


def _alpha_bands(page: Any) -> list[int]:
    first = page.samplesperpixel - len(page.extrasamples)
    return [
        first + at
        for at, kind in enumerate(page.extrasamples[:1])
        if kind in (_ASSOCIATED, _UNASSOCIATED)
    ]


def _values(page: Any, file: BinaryIO, bands: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return (H, W, bands) of the first plane, and (H, W) bool where the file has none."""
    if page.dtype is None or page.dtype.kind not in "uifb":
        raise ImageError(_RARE)
    height, width = page.imagelength, page.imagewidth
    _check_bytes(page, len(bands))
    values = np.zeros((height, width, len(bands)), page.dtype)
    missing = np.ones((height, width), bool)
    is_lzw = page.compression == _LZW
    if is_lzw:
        # Unpacked before tifffile sees it.
        page.compression = _UNPACKED
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
    most = row_bytes * rows * (1 if page.compression == _UNPACKED and not is_lzw else 2) + _SLACK
    stored = min(page.databytecounts[index], most)
    if stored == 0:
        return _sparse(page, index)
    file.seek(page.dataoffsets[index])
    data = file.read(stored)
    whole = 1.0
    if page.compression == _UNPACKED and not is_lzw:
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
    empty = np.full((rows, columns, bands), _nodata(page) or 0).astype(page.dtype)
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


def _picture(page: Any, values: np.ndarray) -> tuple[Image.Image, str]:
    """Return the colours at 8 bits, and what is to be said of their range."""
    if page.photometric in (_CIELAB, _ICCLAB):
        return _lab(page, values), ""
    if page.photometric == _YCBCR:
        return Image.fromarray(np.ascontiguousarray(values), "YCbCr").convert("RGB"), ""
    if page.photometric == _CMYK:
        shown, remark = tones.eight_bits(values, full=_full(page, values.dtype))
        return Image.fromarray(shown, "CMYK"), remark
    if values.dtype == np.uint8:
        # Whole numbers of up to 8 bits are a picture's, however few levels they use.
        shown, remark = _spread(values, page.bitspersample), ""
    else:
        full = _full(page, values.dtype)
        shown, remark = tones.eight_bits(values, full=full, nodata=_nodata(page))
    if page.photometric == 0:
        shown = 255 - shown
    return Image.fromarray(shown[..., 0] if shown.shape[2] == 1 else shown), remark


def _lab(page: Any, values: np.ndarray) -> Image.Image:
    """Return CIE L*a*b* at 8 bits."""
    if values.dtype.kind not in "ui" or values.dtype.itemsize > 2:
        raise ImageError(_RARE)
    upper = (values.view(f"u{values.dtype.itemsize}") >> (8 * values.dtype.itemsize - 8)).astype(
        np.uint8
    )
    if page.photometric == _ICCLAB:
        # Pillow takes a and b as signed, as the other kind stores them.
        upper[..., 1:] ^= 0x80
    return Image.fromarray(upper, "LAB")


def _with_alpha(image: Image.Image, opaque: np.ndarray, associated: bool) -> Image.Image:
    if image.mode not in ("L", "RGB"):
        return image
    # A small letter: the colours have been multiplied by it.
    letter = "a" if associated else "A"
    stacked = np.ascontiguousarray(np.dstack([np.asarray(image), opaque]))
    result = Image.frombytes(image.mode + letter, image.size, stacked.tobytes())
    result.info = image.info
    return result


def _opaque(page: Any, alpha: np.ndarray) -> np.ndarray:
    full = _full(page, alpha.dtype) or float(np.iinfo(alpha.dtype).max)
    return np.clip(alpha / full * 255 + 0.5, 0, 255).astype(np.uint8)


def _spread(values: np.ndarray, bits: int) -> np.ndarray:
    return values if bits == 8 else (values * (255 / (2**bits - 1)) + 0.5).astype(np.uint8)


def _full(page: Any, dtype: np.dtype) -> float | None:
    return tones.full_of(dtype, page.bitspersample if dtype.kind == "u" else None)


def _nodata(page: Any) -> float | None:
    tag = page.tags.get(_NODATA)
    try:
        return float(str(tag.value).strip("\0 ")) if tag is not None else None
    except ValueError:
        return None
