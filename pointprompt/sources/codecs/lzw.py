"""A strip of a TIFF, packed by LZW -> its bytes.

Knows how to ask Pillow's libtiff for it. imagecodecs, which unpacks everything else in a scientific
TIFF, ends the process at some damaged data of this one compression.
"""

from __future__ import annotations

import io
import struct

from PIL import TiffImagePlugin

_ENTRIES = 9
_SHORT, _LONG = 3, 4


def unpacked(data: bytes, row_bytes: int, rows: int) -> bytes:
    """Return `row_bytes * rows` bytes.

    Raises:
        OSError: The data are damaged or too few.
    """
    start = 8 + 2 + 12 * _ENTRIES + 4
    tags = (
        (256, _LONG, row_bytes),
        (257, _LONG, rows),
        (258, _SHORT, 8),
        (259, _SHORT, 5),
        (262, _SHORT, 1),
        (273, _LONG, start),
        (277, _SHORT, 1),
        (278, _LONG, rows),
        (279, _LONG, len(data)),
    )
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    grey = struct.pack("<2sHIH", b"II", 42, 8, _ENTRIES) + directory + bytes(4) + data
    with TiffImagePlugin.TiffImageFile(io.BytesIO(grey)) as image:
        return image.tobytes()
