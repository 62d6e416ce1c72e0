"""A PBM, PGM, PPM, PAM or PFM file -> its picture.

Knows these formats. Does not know what becomes of the picture.

Pillow reads most of them, but some of them one value at a time (minutes for a photo), and neither
PAM nor PFM in colour.

Source:
    The netpbm manual pages pbm(5), pgm(5), ppm(5), pam(5) and pfm(5).
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image

from pointprompt.sources.codecs import tones
from pointprompt.sources.codecs.loaded import RARE, ImageError, Loaded, SizeCheck, incomplete

_MAX_HEADER = 10_000
_FIELD = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*([^\s#]+)")
_BITS, _TEXT, _BINARY, _FLOAT = "bits", "text", "binary", "float"
_KINDS = {
    b"P1": (_TEXT, 1),
    b"P2": (_TEXT, 1),
    b"P3": (_TEXT, 3),
    b"P4": (_BITS, 1),
    b"P5": (_BINARY, 1),
    b"P6": (_BINARY, 3),
    b"Pf": (_FLOAT, 1),
    b"PF": (_FLOAT, 3),
}


@dataclass(frozen=True)
class _Header:
    """How the values are stored.

    Attributes:
        kind: One of the four ways.
        width: In pixels.
        height: In pixels.
        bands: Values a pixel.
        top: The highest value; of fractions, the scale, negative where the lowest byte comes first.
        start: Where in the file the values start.
        inverted: 1 is black.
    """

    kind: str
    width: int
    height: int
    bands: int
    top: float
    start: int
    inverted: bool = False


def read(file: BinaryIO, check: SizeCheck) -> Loaded:
    """Return the picture.

    Raises:
        ImageError: It is too large, damaged, or most of it is missing.
    """
    try:
        header = _header(file.read(_MAX_HEADER))
    except (ValueError, KeyError, IndexError) as error:
        raise ImageError(RARE) from error
    check(header.width, header.height)
    file.seek(header.start)
    values = _values(file, header)
    pixels, missing = _laid_out(values, header)
    if header.kind == _FLOAT:
        # Its rows go from the bottom up.
        pixels, missing = pixels[::-1], missing[::-1]
    remarks = incomplete(missing) if missing.any() else ()
    return _shown(pixels, header, remarks, missing if remarks else None)


def _header(start: bytes) -> _Header:
    if start.startswith(b"P7"):
        return _pam_header(start)
    magic = start[:2]
    kind, bands = _KINDS[magic]
    # A bitmap declares no highest value.
    fields, end = _fields(start, 2, 2 if magic in (b"P1", b"P4") else 3)
    top = float(fields[2]) if len(fields) == 3 else 1.0
    if (kind != _FLOAT and not 1 <= top <= 65535) or top == 0 or not np.isfinite(top):
        raise ValueError(top)
    size = int(fields[0]), int(fields[1])
    # One white space ends the header.
    return _Header(kind, *size, bands, top, end + 1, inverted=magic in (b"P1", b"P4"))


def _fields(start: bytes, at: int, number: int) -> tuple[list[bytes], int]:
    fields = []
    for _ in range(number):
        match = _FIELD.match(start, at)
        if match is None:
            raise ValueError("The header ends early.")
        fields.append(match[1])
        at = match.end()
    return fields, at


def _pam_header(start: bytes) -> _Header:
    end = start.index(b"ENDHDR\n") + len(b"ENDHDR\n")
    lines = [line.split() for line in start[:end].splitlines() if not line.startswith(b"#")]
    fields = {line[0]: line[1] for line in lines if len(line) == 2}
    bands, top = int(fields[b"DEPTH"]), int(fields[b"MAXVAL"])
    if not 1 <= top <= 65535 or not 1 <= bands <= 4:
        raise ValueError(top)
    return _Header(_BINARY, int(fields[b"WIDTH"]), int(fields[b"HEIGHT"]), bands, float(top), end)


def _values(file: BinaryIO, header: _Header) -> np.ndarray:
    """Return the values one after the other, as many as there are and at most those needed."""
    number = header.width * header.height * header.bands
    if header.kind == _TEXT:
        return _text_values(file.read(), header, number)
    if header.kind == _BITS:
        row = -(-header.width // 8)
        packed = np.frombuffer(file.read(row * header.height), np.uint8)
        rows = packed[: len(packed) // row * row].reshape(-1, row)
        return np.unpackbits(rows, axis=1)[:, : header.width].reshape(-1)
    if header.kind == _FLOAT:
        name = "<f4" if header.top < 0 else ">f4"
    else:
        name = ">u2" if header.top > 255 else "u1"
    dtype = np.dtype(name)
    stored = file.read(number * dtype.itemsize)
    return np.frombuffer(stored, dtype, len(stored) // dtype.itemsize)


def _text_values(data: bytes, header: _Header, number: int) -> np.ndarray:
    data = re.sub(rb"#[^\r\n]*", b"", data)
    if header.inverted:
        # Bits need no space between them.
        bits = np.frombuffer(data, np.uint8)
        return (bits[(bits == ord("0")) | (bits == ord("1"))] - ord("0"))[:number]
    try:
        with warnings.catch_warnings():
            # What follows values that are none is as good as missing.
            warnings.simplefilter("ignore", DeprecationWarning)
            values = np.fromstring(data, np.int64, sep=" ")[:number]
    except ValueError as error:
        raise ImageError("The file is damaged or incomplete.") from error
    return values.clip(0, 65535).astype(np.uint16)


def _laid_out(values: np.ndarray, header: _Header) -> tuple[np.ndarray, np.ndarray]:
    """Return (H, W, bands) values, 0 where the file ended, and (H, W) bool where it had."""
    number = header.width * header.height * header.bands
    missing = np.zeros((header.height, header.width), bool)
    if len(values) < number:
        missing.reshape(-1)[len(values) // header.bands :] = True
        values = np.concatenate([values, np.zeros(number - len(values), values.dtype)])
    return values.reshape(header.height, header.width, header.bands), missing


def _shown(
    pixels: np.ndarray, header: _Header, remarks: tuple[str, ...], missing: np.ndarray | None
) -> Loaded:
    bands = header.bands
    colors = pixels[..., : bands - 1] if bands in (2, 4) else pixels
    if header.kind == _FLOAT or header.top > 255:
        full = 1.0 if header.kind == _FLOAT else header.top
        shown, remark = tones.eight_bits(colors, full=full)
        remarks += (remark,) if remark else ()
    else:
        shown = _stretched(colors, header.top)
    if header.inverted:
        shown = 255 - shown
    image = Image.fromarray(shown[..., 0] if shown.shape[2] == 1 else np.ascontiguousarray(shown))
    if bands in (2, 4):
        alpha = _stretched(pixels[..., -1], header.top)
        image.putalpha(Image.fromarray(np.ascontiguousarray(alpha)))
    return Loaded(image, remarks, missing)


def _stretched(values: np.ndarray, top: float) -> np.ndarray:
    """Return 8-bit values, `top` as 255, through a table of all there are."""
    table = np.clip(np.arange(65536) * (255 / top) + 0.5, 0, 255).astype(np.uint8)
    return table[values]
