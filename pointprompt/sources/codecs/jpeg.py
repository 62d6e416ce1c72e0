"""A JPEG file -> its picture, the whole of it or what is there.

Knows the markers of JPEG. Does not know what becomes of the picture.
"""

from __future__ import annotations

import io
import re
from typing import BinaryIO

import numpy as np
from PIL import JpegImagePlugin

from pointprompt.sources.codecs.loaded import (
    ImageError,
    Loaded,
    SizeCheck,
    incomplete,
    what_is_there,
)

# A progressive JPEG has about ten scans, and each costs a pass over the whole picture.
_MAX_SCANS = 100
_END_OF_IMAGE = b"\xff\xd9"
# What ends a scan: any marker but a stuffed zero, a restart and a fill byte.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# What a decoder puts where there are no data, in each mode.
_NOTHING = (127, 128)


def read(file: BinaryIO, check: SizeCheck) -> Loaded:
    """Return the picture.

    Raises:
        ImageError: It is too large, most of it is missing, or it has absurdly many scans.
    """
    data = file.read()
    image = JpegImagePlugin.jpeg_factory(io.BytesIO(data))
    check(*image.size)
    if _scans(data) > _MAX_SCANS:
        raise ImageError(
            f"The JPEG has more than {_MAX_SCANS} scans; no camera makes such a file, and decoding "
            "it would take very long."
        )
    try:
        image.load()
    except OSError:
        return _completed(data) or what_is_there(
            lambda: JpegImagePlugin.jpeg_factory(io.BytesIO(data))
        )
    return Loaded(image)


def _scans(data: bytes) -> int:
    """Return how many scans the first image has, or one more than are allowed."""
    at, scans = 2, 0
    while scans <= _MAX_SCANS and at + 4 <= len(data):
        kind = data[at + 1]
        if data[at] != 0xFF or kind == _END_OF_IMAGE[1]:
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == 0xDA:
            scans += 1
            marker = _MARKER.search(data, at)
            at = marker.start() if marker else len(data)
    return scans


def _completed(data: bytes) -> Loaded | None:
    """Return what an ending put after the data makes of them, as other viewers show it.

    None if the data are not only cut but damaged.
    """
    image = JpegImagePlugin.jpeg_factory(io.BytesIO(data + _END_OF_IMAGE))
    try:
        image.load()
    except OSError:
        return None
    pixels = np.asarray(image).reshape(image.height, -1)
    # From the bottom up: a row that has anything ends it.
    missing = np.zeros((image.height, image.width), bool)
    for row in range(image.height - 1, -1, -1):
        if not np.isin(pixels[row], _NOTHING).all():
            break
        missing[row] = True
    remarks = incomplete(missing)
    if image.info.get("progressive"):
        remarks += ("It may be less sharp than it was.",)
    return Loaded(image, remarks, missing)
