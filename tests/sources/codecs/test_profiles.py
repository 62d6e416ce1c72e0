from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from pointprompt.sources.codecs.profiles import in_srgb

# Of red, green and blue, as XYZ at D50.
SRGB_PRIMARIES = (
    (0.43607, 0.22249, 0.01392),
    (0.38515, 0.71687, 0.09708),
    (0.14307, 0.06061, 0.7141),
)
P3_PRIMARIES = (
    (0.51512, 0.2412, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.1571, 0.06657, 0.78407),
)
COLOURS = (b"r", b"g", b"b")


def profile(name: str, gamma: float, primaries: tuple = SRGB_PRIMARIES, size: int = 0) -> bytes:
    """An RGB profile of this name, gamma, primaries (as XYZ at D50) and padding."""

    def xyz(*values: float) -> bytes:
        numbers = [struct.pack(">i", round(value * 65536)) for value in values]
        return b"XYZ \0\0\0\0" + b"".join(numbers)

    title = name.encode() + b"\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(title)) + title + bytes(78)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = [
        (b"desc", described + bytes(-len(described) % 4)),
        (b"cprt", b"text\0\0\0\0CC0\0" + bytes(size)),
        (b"wtpt", xyz(0.9642, 1, 0.8249)),
        *((c + b"XYZ", xyz(*values)) for c, values in zip(COLOURS, primaries, strict=True)),
        *((c + b"TRC", curve) for c in COLOURS),
    ]
    table, data, at = b"", b"", 132 + 12 * len(tags)
    for tag, content in tags:
        table += tag + struct.pack(">II", at + len(data), len(content))
        data += content
    body = struct.pack(">I", len(tags)) + table + data
    head = struct.pack(">I", 128 + len(body)) + bytes(4) + struct.pack(">I", 0x02100000)
    head += b"mntrRGB XYZ " + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    return (head + xyz(0.9642, 1, 0.8249)[8:]).ljust(128, b"\0") + body


def ramp() -> Image.Image:
    return Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2))


@pytest.mark.parametrize("name", ["GIMP built-in Linear sRGB", "Linear RGB", "sRGB"])
def test_a_profile_is_applied_whatever_its_name(name: str) -> None:
    pixels = np.asarray(in_srgb(ramp(), profile(name, 1.0)))
    light = np.arange(256) / 255
    wanted = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    np.testing.assert_allclose(pixels[0, :, 1], wanted, atol=1.5)


def test_primaries_alone_make_a_profile_one_that_is_applied() -> None:
    red = Image.new("RGB", (2, 2), (200, 50, 50))
    converted = np.asarray(in_srgb(red, profile("sRGB", 2.2, P3_PRIMARIES)))
    assert converted[0, 0, 0] > 210


def test_srgb_itself_changes_no_pixel_whatever_its_name() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = srgb.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    assert renamed != srgb
    for embedded in (srgb, renamed, None, b""):
        np.testing.assert_array_equal(in_srgb(Image.fromarray(pixels), embedded), pixels)


def test_a_large_profile_is_applied_too() -> None:
    large = profile("a", 1.0, size=3_000_000)
    assert np.asarray(in_srgb(ramp(), large))[0, 55, 0] > 100


def test_a_profile_for_other_colours_is_as_good_as_none() -> None:
    grey = Image.new("L", (2, 2), 77)
    assert in_srgb(grey, profile("a", 1.0)).getpixel((0, 0)) == (77, 77, 77)
    assert in_srgb(ramp(), b"nonsense").tobytes() == ramp().tobytes()
