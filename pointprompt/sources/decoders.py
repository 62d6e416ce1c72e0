"""An image file -> the picture that it stores, by the reader of its format.

Knows which reader a format has, and those that are little more than Pillow's. Does not know what
becomes of the picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    PsdImagePlugin,
    TgaImagePlugin,
    WebPImagePlugin,
)

from pointprompt.sources.codecs import jpeg, jpegxl, png, pnm, qoi, signatures, tiff
from pointprompt.sources.codecs.loaded import ImageError, Loaded, SizeCheck, load


def reader_of(file: BinaryIO, name: str) -> Callable[[BinaryIO, SizeCheck], Loaded]:
    """Return what reads the format that the file's first bytes show.

    Raises:
        ImageError: There is no reader of it; the message says what it is instead.
    """
    start = file.read(signatures.START_BYTES)
    file.seek(0)
    found = signatures.format_of(start, name)
    if found not in _READERS:
        raise ImageError(signatures.refusal(start, found, name))
    return _READERS[found]


def _pillows(
    plugin: Callable[[BinaryIO], Image.Image],
) -> Callable[[BinaryIO, SizeCheck], Loaded]:
    """Return the reader of a format that one of Pillow's plugins is right for.

    Image.open is not used: it would consider every format Pillow knows (some start other programs)
    and compares sizes with a process-wide limit, where Limits decides here.
    """

    def read(file: BinaryIO, check: SizeCheck) -> Loaded:
        def reopen() -> Image.Image:
            file.seek(0)
            return plugin(file)

        return load(reopen, check)

    return read


def _read_heic(file: BinaryIO, check: SizeCheck) -> Loaded:
    from pillow_heif import HeifImageFile

    return _pillows(HeifImageFile)(file, check)


def _read_icon(file: BinaryIO, check: SizeCheck) -> Loaded:
    """Return the largest of an icon's pictures."""
    # A cursor differs from an icon in this byte, and in what its directory says beside the sizes.
    data = bytearray(file.read())
    data[2] = 1
    image = IcoImagePlugin.IcoImageFile(io.BytesIO(data))
    # It may be a PNG, whose own header counts.
    check(*image.ico.frame(image.ico.getentryindex(image.size)).size)
    image.load()
    return Loaded(image)


def _read_psd(file: BinaryIO, check: SizeCheck) -> Loaded:
    """Return the flattened picture."""
    loaded = _pillows(PsdImagePlugin.PsdImageFile)(file, check)
    if loaded.image.mode != "RGBA" or _psd_is_transparent(file):
        return loaded
    profile = loaded.image.info.get("icc_profile")
    opaque = loaded.image.convert("RGB")
    opaque.info["icc_profile"] = profile
    return Loaded(opaque, loaded.remarks, loaded.missing)


def _psd_is_transparent(file: BinaryIO) -> bool:
    """Return whether the fourth band is transparency, and not a selection that was saved.

    Source:
        Adobe Photoshop File Formats Specification, Layer info: a layer count below zero.
    """
    file.seek(26)
    for _ in ("the colours of a palette", "resources"):
        file.seek(int.from_bytes(file.read(4), "big"), io.SEEK_CUR)
    section, layers, count = file.read(4), file.read(4), file.read(2)
    has_count = int.from_bytes(section, "big") >= 6 and int.from_bytes(layers, "big") >= 2
    return has_count and count[:1] >= b"\x80"


_READERS: dict[str, Callable[[BinaryIO, SizeCheck], Loaded]] = {
    "JPEG": jpeg.read,
    "PNG": png.read,
    "TIFF": tiff.read,
    "PNM": pnm.read,
    "QOI": qoi.read,
    "JPEG XL": jpegxl.read,
    "HEIC": _read_heic,
    "ICO": _read_icon,
    "PSD": _read_psd,
    "AVIF": _pillows(AvifImagePlugin.AvifImageFile),
    "WebP": _pillows(WebPImagePlugin.WebPImageFile),
    "GIF": _pillows(GifImagePlugin.GifImageFile),
    "BMP": _pillows(BmpImagePlugin.BmpImageFile),
    "DIB": _pillows(BmpImagePlugin.DibImageFile),
    "TGA": _pillows(TgaImagePlugin.TgaImageFile),
    "JPEG 2000": _pillows(Jpeg2KImagePlugin.Jpeg2KImageFile),
}
