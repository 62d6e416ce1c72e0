"""A QOI file -> its picture.

Knows the header of QOI. Does not know what becomes of the picture.

Pillow reads QOI too, one pixel at a time: half a minute for a photo.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np
from PIL import Image

from pointprompt.sources.codecs.loaded import ImageError, Loaded, SizeCheck, incomplete

_END = bytes(7) + b"\1"


def read(file: BinaryIO, check: SizeCheck) -> Loaded:
    """Return the picture.

    Raises:
        ImageError: It is too large, damaged, or most of it is missing.
    """
    import imagecodecs

    data = file.read()
    if len(data) < 14:
        raise ImageError("The file is damaged or incomplete.")
    check(*struct.unpack_from(">II", data, 4))
    pixels = imagecodecs.qoi_decode(data)
    image = Image.fromarray(pixels)
    if data.rstrip(b"\0").endswith(_END):
        return Loaded(image)
    # The decoder repeats the last pixel that it found.
    differs = (pixels != pixels[-1, -1]).any(axis=2).reshape(-1)
    missing = np.ones(differs.shape, bool)
    missing[: differs.size - int(np.argmax(differs[::-1]))] = False
    missing = missing.reshape(pixels.shape[:2])
    return Loaded(image, incomplete(missing), missing)
