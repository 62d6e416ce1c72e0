"""A PNG file -> its picture, whatever else the file holds.

Knows the chunks of PNG. Does not know what becomes of the picture.

Decoders have limits for text and profiles and refuse the whole file over them; they also refuse
wrong checksums, or do not look at them. So the chunks that make the picture are taken out of the
file here, and a decoder sees only them.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from PIL import Image, PngImagePlugin

from pointprompt.sources.codecs import tones
from pointprompt.sources.codecs.loaded import ImageError, Loaded, SizeCheck, load

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf")
# Where some programs put EXIF or XMP, and with it the orientation.
_TEXTS = (b"XML:com.adobe.xmp", b"Raw profile type exif")
_MAX_TEXT = 1 << 20
_MAX_PROFILE = 64 << 20


@dataclass
class _Chunks:
    """What counts of a PNG file.

    Attributes:
        header: Those of its chunks that describe the picture, each with a right checksum.
        pixels: Those that hold it.
        profile: The ICC profile, unpacked.
        sound: No chunk's checksum was wrong.
        texts: The texts that are in `header`.
    """

    header: bytearray = field(default_factory=bytearray)
    pixels: bytearray = field(default_factory=bytearray)
    profile: bytes | None = None
    sound: bool = True
    texts: set[bytes] = field(default_factory=set)

    def png(self) -> bytes:
        """Return a PNG of these chunks alone."""
        return _SIGNATURE + self.header + self.pixels + _chunk(b"IEND", b"")


def read(file: BinaryIO, check: SizeCheck) -> Loaded:
    """Return the picture.

    Raises:
        ImageError: It is too large, or most of it is missing.
    """
    head = file.read(33)
    if head[:8] != _SIGNATURE or head[12:16] != b"IHDR" or len(head) < 33:
        raise ImageError("The file is damaged or incomplete.")
    width, height, bits, colour = struct.unpack_from(">IIBB", head, 16)
    check(width, height)
    file.seek(len(_SIGNATURE))
    chunks = _chunks(file)
    png = chunks.png()
    loaded = _deep(png) if bits == 16 else None
    if loaded is None:
        loaded = load(lambda: PngImagePlugin.PngImageFile(io.BytesIO(png)), check)
        if bits < 8 and colour == 0:
            _mend_transparency(loaded.image, bits)
    loaded.image.info["icc_profile"] = chunks.profile
    if chunks.sound or loaded.remarks:
        return loaded
    remark = "The file's checksums are wrong; the picture may be damaged."
    return Loaded(loaded.image, (remark,), loaded.missing)


def _chunks(file: BinaryIO) -> _Chunks:
    found = _Chunks()
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if not kind.isalpha() or kind == b"IEND":
            break
        if kind in _PICTURE or kind in (b"iCCP", b"iTXt", b"zTXt", b"tEXt"):
            data, check = file.read(length), file.read(4)
            found.sound &= len(check) < 4 or zlib.crc32(kind + data) == int.from_bytes(check, "big")
            _take(found, kind, data)
        else:
            file.seek(length + 4, io.SEEK_CUR)
    return found


def _take(found: _Chunks, kind: bytes, data: bytes) -> None:
    if kind == b"iCCP":
        found.profile = _unpacked(data.partition(b"\0")[2][1:], _MAX_PROFILE)
    elif kind == b"IDAT":
        found.pixels += _chunk(kind, data)
    elif kind in _PICTURE:
        found.header += _chunk(kind, data)
    else:
        keyword = data.partition(b"\0")[0]
        if keyword in _TEXTS and keyword not in found.texts and _fits(kind, data):
            found.texts.add(keyword)
            found.header += _chunk(kind, data)


def _fits(kind: bytes, data: bytes) -> bool:
    """Return whether a chunk of text is one that a decoder takes."""
    text = data.partition(b"\0")[2]
    if len(data) > _MAX_TEXT:
        return False
    if kind == b"zTXt":
        return _unpacked(text[1:], _MAX_TEXT) is not None
    if kind == b"iTXt" and text[:1] == b"\1":
        return _unpacked(text[2:].split(b"\0", 2)[-1], _MAX_TEXT) is not None
    return True


def _unpacked(data: bytes, limit: int) -> bytes | None:
    """Return the data, None if there are more than `limit` bytes or they are damaged."""
    unpacker = zlib.decompressobj()
    try:
        result = unpacker.decompress(data, limit)
    except zlib.error:
        return None
    return None if unpacker.unconsumed_tail else result


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _mend_transparency(image: Image.Image, bits: int) -> None:
    # Pillow spreads grey of 2 and 4 bits to 8, but not the grey that is declared transparent.
    transparent = image.info.get("transparency")
    if image.mode == "L" and isinstance(transparent, int):
        image.info["transparency"] = transparent * 255 // (2**bits - 1)


def _deep(png: bytes) -> Loaded | None:
    """Return a picture of 16 bits a value, None where it is damaged.

    Pillow would keep the upper 8 of colours, which is nothing of a picture of 10 or 12 bits.
    """
    import imagecodecs

    try:
        values = imagecodecs.png_decode(png)
        info = dict(PngImagePlugin.PngImageFile(io.BytesIO(png)).info)
    except MemoryError:
        raise
    except Exception:
        return None
    # The transparent colour, if there is one, has become a band of its own.
    info.pop("transparency", None)
    bands = values.reshape(*values.shape[:2], -1)
    has_alpha = bands.shape[2] in (2, 4)
    shown, remark = tones.eight_bits(bands[..., :-1] if has_alpha else bands, full=65535.0)
    image = Image.fromarray(shown[..., 0] if shown.shape[2] == 1 else shown)
    if has_alpha:
        image.putalpha(Image.fromarray((bands[..., -1] >> 8).astype(np.uint8)))
    image.info = info
    return Loaded(image, (remark,) if remark else ())
