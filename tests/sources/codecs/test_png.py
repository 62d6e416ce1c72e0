from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import ImageError, read, read_pixels
from tests.sources.codecs.test_profiles import profile

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(values: np.ndarray, kind: int, bits: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG written by hand, of values (H, W, bands) that fill whole bytes."""
    height, width = values.shape[:2]
    stored = values.astype(">u2" if bits == 16 else np.uint8).reshape(height, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in stored)
    if bits < 8:
        per_byte = 8 // bits
        packed = np.zeros((height, -(-width // per_byte)), np.uint8)
        for at in range(width):
            packed[:, at // per_byte] |= stored[:, at] << (8 - bits - at % per_byte * bits)
        rows = b"".join(b"\0" + row.tobytes() for row in packed)
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    middle = b"".join(chunk(*one) for one in chunks)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + middle
    return start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def encoded(**options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG", **options)
    return buffer.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.png"


def text_chunks() -> list[bytes]:
    plain = PngImagePlugin.PngInfo()
    plain.add_text("workflow", "x" * 3_000_000)
    packed = PngImagePlugin.PngInfo()
    packed.add_text("workflow", "x" * 3_000_000, zip=True)
    international = PngImagePlugin.PngInfo()
    international.add_itxt("prompt", "x" * 3_000_000, zip=True)
    return [encoded(pnginfo=info) for info in (plain, packed, international)]


@pytest.mark.parametrize("data", text_chunks(), ids=["tEXt", "zTXt", "iTXt"])
def test_large_text_does_not_matter(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    np.testing.assert_array_equal(read_pixels(path), PIXELS)


def test_a_large_profile_is_applied_and_a_broken_one_is_as_good_as_none(path: Path) -> None:
    path.write_bytes(encoded(icc_profile=profile("a", 1.0)))
    linear = read_pixels(path)
    path.write_bytes(encoded(icc_profile=profile("a", 1.0, size=3_000_000)))
    np.testing.assert_array_equal(read_pixels(path), linear)
    assert (linear != PIXELS).any()
    path.write_bytes(encoded(icc_profile=bytes(1_200_000)))
    np.testing.assert_array_equal(read_pixels(path), PIXELS)


@pytest.mark.parametrize("name", [b"iCCP", b"zTXt", b"iTXt"])
def test_a_bomb_in_a_profile_or_text_is_not_unpacked(path: Path, name: bytes) -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1000)) + packer.flush()
    head = {
        b"iCCP": b"a\0\0",
        b"zTXt": b"Raw profile type exif\0\0",
        b"iTXt": b"XML:com.adobe.xmp\0\1\0\0\0",
    }[name]
    path.write_bytes(png(PIXELS, 2, 8, (name, head + bomb)))
    tracemalloc.start()
    np.testing.assert_array_equal(read_pixels(path), PIXELS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 << 20


def test_a_wrong_checksum_is_told_and_the_picture_shown(path: Path) -> None:
    for name in (b"IHDR", b"IDAT", b"tEXt"):
        info = PngImagePlugin.PngInfo()
        info.add_text("a", "b")
        data = bytearray(encoded(pnginfo=info))
        at = data.index(name)
        (length,) = struct.unpack(">I", data[at - 4 : at])
        data[at + 4 + length] ^= 1
        path.write_bytes(data)
        photo, _ = read(path, "a", Framing(8))
        assert photo.remark == "The file's checksums are wrong; the picture may be damaged."
        np.testing.assert_array_equal(read_pixels(path), PIXELS)


def test_what_lacks_or_follows_the_end_does_not_matter(path: Path) -> None:
    data = encoded()
    for changed in (data + bytes(100), data[:-12], data[:-13], data[:-16]):
        path.write_bytes(changed)
        np.testing.assert_array_equal(read_pixels(path), PIXELS)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_stands_on_white_at_any_depth(path: Path, bits: int) -> None:
    top = 2**bits - 1
    values = np.array([[[0], [top // 2 + 1], [top], [0]]])
    clear = struct.pack(">H", top // 2 + 1)
    path.write_bytes(png(values, 0, bits, (b"tRNS", clear)))
    assert read_pixels(path)[0, :, 0].tolist() == [0, 255, 255, 0]
    path.write_bytes(png(values, 0, bits, (b"tRNS", struct.pack(">H", 0))))
    half = 255 if bits == 1 else round((top // 2 + 1) / top * 255)
    assert abs(int(read_pixels(path)[0, 1, 0]) - half) <= 1
    assert read_pixels(path)[0, 0, 0] == 255


def test_the_transparent_colour_of_16_bits_is_compared_with_16_bits(path: Path) -> None:
    values = np.array([[[30000, 1, 2], [30000, 1, 3], [65535, 0, 0]]])
    path.write_bytes(png(values, 2, 16, (b"tRNS", struct.pack(">HHH", 30000, 1, 2))))
    assert read_pixels(path).tolist() == [[[255, 255, 255], [117, 0, 0], [255, 0, 0]]]


def test_alpha_of_16_bits_stands_on_white(path: Path) -> None:
    path.write_bytes(png(np.array([[[65535, 0, 0, 0], [65535, 0, 0, 65535]]]), 6, 16))
    assert read_pixels(path).tolist() == [[[255, 255, 255], [255, 0, 0]]]
    path.write_bytes(png(np.array([[[40000, 0], [40000, 65535]]]), 4, 16))
    assert read_pixels(path)[0, :, 0].tolist() == [255, 156]


@pytest.mark.parametrize("bits", [10, 12])
def test_colour_of_10_or_12_bits_in_16_is_seen_and_said(path: Path, bits: int) -> None:
    values = np.arange(30)[None, :, None] * [1, 2, 3] * ((2**bits - 1) // 87)
    path.write_bytes(png(values, 2, 16))
    photo, _ = read(path, "a", Framing(8))
    assert photo.remark == f"Shown from 0 to {values.max()}, the range of its values."
    np.testing.assert_allclose(read_pixels(path), values / values.max() * 255, atol=1)


def test_orientation_of_a_deep_png_counts(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    values = np.full((2, 3, 3), 40000)
    path.write_bytes(png(values, 2, 16, (b"eXIf", exif.tobytes()[6:])))
    assert read_pixels(path).shape == (3, 2, 3)


def test_a_file_without_a_picture_is_refused(path: Path) -> None:
    for data in (encoded()[:8], encoded()[:33], b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b"")):
        path.write_bytes(data)
        with pytest.raises(ImageError, match="damaged"):
            read_pixels(path)
