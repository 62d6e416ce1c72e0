"""A TIFF file -> the picture of its first page, scientific data included.

Knows TIFF. Does not know what becomes of the picture.

Pillow reads what cameras, scanners and painting programs write, with old compressions and all.
tifffile reads the rest: more than 8 bits, signed numbers, fractions, any number of bands.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from pointprompt.sources.codecs import tones
from pointprompt.sources.codecs.loaded import RARE, ImageError, Loaded, SizeCheck, incomplete, load
from pointprompt.sources.codecs.tiff_segments import UNPACKED, nodata, values_of

_DNG_VERSION, _PROFILE = 50706, 34675
_GREY, _RGB, _CMYK, _YCBCR = (0, 1), 2, 5, 6
_CIELAB, _ICCLAB = 8, 9
_RAW = (32803, 34892)
# What Pillow shows as it is meant, at up to 8 bits.
_PILLOWS = (0, 1, 2, 3, 5, 6, 8)
_ASSOCIATED, _UNASSOCIATED = 1, 2
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
        # Pillow turns it as it loads it, and leaves no trace of that.
        return replace(load(reopen, check), turned=_orientation(page))
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
        and not (page.photometric == _YCBCR and page.compression == UNPACKED)
        and (extra == 0 or (extra == 1 and page.bitspersample == 8))
        and not (page.photometric in _GREY and page.samplesperpixel - extra != 1)
    )


def _read_page(page: Any, file: BinaryIO) -> Loaded:
    colors, alpha = _bands(page)
    values, missing = values_of(page, file, colors if alpha is None else [*colors, alpha])
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
    image.getexif()[ExifTags.Base.Orientation] = _orientation(page)
    return Loaded(image, remarks, missing if missing.any() else None)


def _orientation(page: Any) -> int:
    """Return what its tag says; 1 where it says nothing."""
    tag = page.tags.get(ExifTags.Base.Orientation)
    return int(tag.value) if tag is not None and isinstance(tag.value, int) else 1


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
        raise ImageError(RARE)
    alphas = _alpha_bands(page)
    return list(range(own)), alphas[0] if alphas else None


def _alpha_bands(page: Any) -> list[int]:
    first = page.samplesperpixel - len(page.extrasamples)
    return [
        first + at
        for at, kind in enumerate(page.extrasamples[:1])
        if kind in (_ASSOCIATED, _UNASSOCIATED)
    ]


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
        shown, remark = tones.eight_bits(values, full=full, nodata=nodata(page))
    if page.photometric == 0:
        shown = 255 - shown
    return Image.fromarray(shown[..., 0] if shown.shape[2] == 1 else shown), remark


def _lab(page: Any, values: np.ndarray) -> Image.Image:
    """Return CIE L*a*b* at 8 bits."""
    if values.dtype.kind not in "ui" or values.dtype.itemsize > 2:
        raise ImageError(RARE)
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
