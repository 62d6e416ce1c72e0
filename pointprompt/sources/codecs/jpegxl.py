"""A JPEG XL file -> its picture.

Knows where a JPEG XL file says its size, since its decoder says it only with all pixels. Does not
know what becomes of the picture.

Source:
    ISO/IEC 18181-1, SizeHeader; ISO/IEC 18181-2, the boxes.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from PIL import ExifTags

from pointprompt.sources.codecs.loaded import ImageError, Loaded, SizeCheck

_CODESTREAM = b"\xff\x0a"
# Width over height, where the header names it instead of a width.
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def read(file: BinaryIO, check: SizeCheck) -> Loaded:
    """Return the picture, upright already.

    Raises:
        ImageError: It is too large or damaged.
    """
    from pillow_jxl.JpegXLImagePlugin import JXLImageFile

    check(*_size(_codestream(file)))
    file.seek(0)
    image = JXLImageFile(file)
    image.load()
    # The decoder turns the picture by the file's own orientation, and EXIF's is only a copy. But a
    # JPEG that was packed into JPEG XL comes out as it was, with its EXIF.
    if not image.jpeg:
        image.getexif()[ExifTags.Base.Orientation] = 1
    return Loaded(image)


def _codestream(file: BinaryIO) -> bytes:
    """Return the first bytes of the coded picture."""
    start = file.read(16)
    if start.startswith(_CODESTREAM):
        return start
    file.seek(0)
    while len(head := file.read(16)) >= 8:
        length, kind = struct.unpack_from(">I4s", head)
        size = 8
        if length == 1 and len(head) == 16:
            length, size = struct.unpack_from(">8xQ", head)[0], 16
        file.seek(size - len(head), 1)
        if kind == b"jxlc":
            return file.read(16)
        if kind == b"jxlp":
            # Its first four bytes number the parts.
            return file.read(20)[4:]
        if length < size:
            break
        file.seek(length - size, 1)
    raise ImageError("The file is damaged or incomplete.")


def _size(codestream: bytes) -> tuple[int, int]:
    if not codestream.startswith(_CODESTREAM):
        raise ImageError("The file is damaged or incomplete.")
    bits = int.from_bytes(codestream[2:], "little")

    def take(number: int) -> int:
        nonlocal bits
        value = bits & ((1 << number) - 1)
        bits >>= number
        return value

    def side(small: int) -> int:
        return 8 * (1 + take(5)) if small else 1 + take((9, 13, 18, 30)[take(2)])

    small = take(1)
    height = side(small)
    ratio = take(3)
    if ratio == 0:
        return side(small), height
    above, below = _RATIOS[ratio]
    return height * above // below, height
