from __future__ import annotations

import io
import os
import re
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  (Pillow learns to write JPEG XL)
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, PngImagePlugin

from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import (
    ImageError,
    Limits,
    read,
    read_pixels,
    suffix_of,
)
from tests.hostile import many_scans
from tests.pictures import BLUE, GREEN, RED, WHITE, noise, saved

# Pillow learns to write HEIC.
pillow_heif.register_heif_opener()


def colour_of(path: Path) -> tuple[int, ...]:
    return tuple(int(v) for v in read_pixels(path)[0, 0])


def png(width: int, height: int, bits: int, kind: int, rows: bytes, **chunks: bytes) -> bytes:
    """A PNG written by hand, for what Pillow reads but does not write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    extra = b"".join(chunk(name.encode(), data) for name, data in chunks.items())
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


# --- Formats and kinds of pixels -----------------------------------------------------------------


# What is read, and how a test can write it.
WRITERS = {
    ".jpg": ("JPEG", {"quality": 95}),
    ".png": ("PNG", {}),
    ".webp": ("WEBP", {"lossless": True}),
    ".heic": ("HEIF", {"quality": 95}),
    ".avif": ("AVIF", {"quality": 95}),
    ".tif": ("TIFF", {}),
    ".gif": ("GIF", {}),
    ".bmp": ("BMP", {}),
    ".dib": ("DIB", {}),
    ".jxl": ("JXL", {"lossless": True}),
    ".jp2": ("JPEG2000", {}),
    ".pnm": ("PPM", {}),
    ".tga": ("TGA", {}),
    ".qoi": ("QOI", {}),
    ".ico": ("ICO", {"sizes": [(48, 32)]}),
}


def encoded(image: Image.Image, suffix: str, **options: object) -> bytes:
    kind, usual = WRITERS[suffix]
    buffer = io.BytesIO()
    image.save(buffer, kind, **{**usual, **options})
    return buffer.getvalue()


def psd(image: Image.Image, *more: Image.Image, layers: int = 0) -> bytes:
    """A Photoshop file of these bands, flattened, that says so many layers and has none."""
    bands = [*image.split(), *more]
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, len(bands), image.height, image.width, 8, 3)
    described = struct.pack(">IIh", 6, 2, layers) if layers else b""
    lengths = bytes(8) + (described or bytes(4))
    return header + lengths + b"\0\0" + b"".join(band.tobytes() for band in bands)


def flag() -> Image.Image:
    """A picture no two turns of which look alike."""
    image = Image.new("RGB", (48, 32), GREEN)
    image.paste(RED, (0, 0, 24, 16))
    image.paste(BLUE, (24, 0, 48, 16))
    return image


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_promised_format_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encoded(flag(), suffix))
    pixels = read_pixels(path)
    assert pixels.shape == (32, 48, 3)
    assert pixels.dtype == np.uint8
    for (row, column), colour in {(8, 8): RED, (8, 40): BLUE, (24, 24): GREEN}.items():
        np.testing.assert_allclose(pixels[row, column].astype(int), colour, atol=4)
    assert suffix_of(path.read_bytes(), path.name) == suffix


@pytest.mark.parametrize("suffix", [suffix for suffix in WRITERS if suffix != ".tga"])
def test_the_name_of_a_file_says_nothing(tmp_path: Path, suffix: str) -> None:
    for name in ("a.HEIC", "a.jpg", "a.svg", "a"):
        (tmp_path / name).write_bytes(encoded(flag(), suffix))
        assert read_pixels(tmp_path / name).shape == (32, 48, 3)


def test_only_a_files_name_tells_that_it_is_a_tga(tmp_path: Path) -> None:
    data = encoded(flag(), ".tga")
    (tmp_path / "a.TGA").write_bytes(data)
    assert colour_of(tmp_path / "a.TGA") == RED
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ImageError, match="not an image"):
        read_pixels(tmp_path / "a.png")
    (tmp_path / "text.tga").write_bytes(b"this is nothing like a picture")
    with pytest.raises(ImageError, match="not an image"):
        read_pixels(tmp_path / "text.tga")


def test_a_photoshop_file_shows_its_flattened_picture(tmp_path: Path) -> None:
    # A fourth band is a mask of Photoshop's, and the colours stand on white already.
    for more in ((), (Image.new("L", (48, 32), 0),)):
        (tmp_path / "a.psd").write_bytes(psd(flag(), *more))
        np.testing.assert_array_equal(read_pixels(tmp_path / "a.psd"), np.asarray(flag()))


def test_a_photoshop_file_with_transparency_stands_on_white(tmp_path: Path) -> None:
    (tmp_path / "a.psd").write_bytes(psd(flag(), Image.new("L", (48, 32), 0), layers=-1))
    assert (read_pixels(tmp_path / "a.psd") == 255).all()


def test_the_largest_picture_of_an_icon_counts(tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 32, 64))
    for kind in ("bmp", "png"):
        path = saved(image, tmp_path / "a.ico", sizes=[(16, 16), (64, 64)], bitmap_format=kind)
        pixels = read_pixels(path)
        assert pixels.shape == (64, 64, 3)
        assert pixels[0, 0].tolist() == list(RED)
        assert pixels[0, 63].tolist() == list(WHITE)


def test_a_cursor_is_read_as_an_icon_is(tmp_path: Path) -> None:
    data = bytearray(encoded(flag(), ".ico", bitmap_format="bmp"))
    data[2] = 2
    (tmp_path / "a.cur").write_bytes(data)
    assert colour_of(tmp_path / "a.cur") == RED


@pytest.mark.parametrize("brand", [b"mif1", b"msf1"])
@pytest.mark.parametrize("suffix", [".heic", ".avif"])
def test_a_container_that_names_no_coding_is_read(
    tmp_path: Path, suffix: str, brand: bytes
) -> None:
    data = bytearray(encoded(flag(), suffix))
    data[8:12] = brand
    (tmp_path / "a").write_bytes(data)
    np.testing.assert_allclose(colour_of(tmp_path / "a"), RED, atol=4)


def test_the_content_decides_on_the_format_not_the_name(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (2, 2), GREEN), tmp_path / "a.jpg", format="PNG")
    assert colour_of(path) == GREEN


@pytest.mark.parametrize(
    ("mode", "colour", "seen"),
    [
        ("1", 1, WHITE),
        ("L", 77, (77, 77, 77)),
        ("LA", (77, 255), (77, 77, 77)),
        ("LA", (77, 0), WHITE),
        ("RGBA", (255, 0, 0, 255), RED),
        ("RGBA", (255, 0, 0, 0), WHITE),
        ("RGBA", (255, 0, 0, 51), (255, 204, 204)),
        ("RGBa", (51, 0, 0, 51), (255, 204, 204)),
        ("La", (51, 51), WHITE),
        ("CMYK", (0, 255, 255, 0), RED),
        ("YCbCr", (76, 85, 255), (254, 0, 0)),
        ("HSV", (0, 255, 255), RED),
    ],
)
def test_each_mode_looks_as_in_an_image_viewer(mode: str, colour: object, seen: object) -> None:
    pixels = read_pixels(Image.new(mode, (3, 2), colour))
    assert pixels.shape == (2, 3, 3)
    assert tuple(pixels[0, 0]) == seen


def test_lab_is_converted_to_srgb() -> None:
    pixels = read_pixels(Image.new("LAB", (2, 2), (255, 128, 128)))
    np.testing.assert_allclose(pixels[0, 0], WHITE, atol=3)


def test_a_palette_with_a_transparent_colour_stands_on_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putdata([0, 1])
    path = saved(image, tmp_path / "a.png", transparency=0)
    assert read_pixels(path).tolist() == [[list(WHITE), list(BLUE)]]


def test_a_colour_declared_transparent_stands_on_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[RED, GREEN]], dtype=np.uint8))
    path = saved(image, tmp_path / "a.png", transparency=RED)
    assert read_pixels(path).tolist() == [[list(WHITE), list(GREEN)]]


def test_cmyk_jpegs_which_are_stored_inverted_are_right(tmp_path: Path) -> None:
    path = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), tmp_path / "a.jpg", quality=95)
    assert b"Adobe" in path.read_bytes()
    np.testing.assert_allclose(colour_of(path), RED, atol=3)


@pytest.mark.parametrize(("suffix", "value"), [("png", 32896), ("tif", 32896)])
def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path, suffix: str, value: int) -> None:
    image = Image.fromarray(np.full((2, 2), value, dtype=np.uint16))
    assert colour_of(saved(image, tmp_path / f"a.{suffix}")) == (128, 128, 128)


def test_sixteen_bit_grey_is_right_in_either_byte_order(tmp_path: Path) -> None:
    for order in "<>":
        tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), 32896, np.uint16), byteorder=order)
        assert colour_of(tmp_path / "a.tif") == (128, 128, 128)


def test_sixteen_bit_grey_whose_zero_is_white_is_turned_round(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    assert colour_of(tmp_path / "a.tif") == WHITE


def test_sixteen_bit_colour_is_read_from_png_and_tiff(tmp_path: Path) -> None:
    colour = np.array([65535, 32896, 0], dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(png(1, 1, 16, 2, b"\0" + colour.astype(">u2").tobytes()))
    tifffile.imwrite(tmp_path / "a.tif", np.tile(colour, (4, 4, 1)), photometric="rgb")
    for name in ("a.png", "a.tif"):
        np.testing.assert_allclose(colour_of(tmp_path / name), (255, 128, 0), atol=1)


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([-10.0, 0.0, 10.0], [0, 128, 255]),
        ([0.0, np.nan, 1.0], [0, 0, 255]),
        ([7.0, 7.0, 7.0], [0, 0, 0]),
        ([-3e38, 0.0, 3e38], [0, 128, 255]),
    ],
)
def test_fractions_are_scaled(tmp_path: Path, values: list[float], seen: list[int]) -> None:
    image = Image.fromarray(np.array([values], dtype=np.float32))
    assert read_pixels(saved(image, tmp_path / "a.tif"))[0, :, 0].tolist() == seen


@pytest.mark.parametrize(
    ("values", "seen"),
    [([0, 32896, 65535], [0, 128, 255]), ([0, 5, 10], [0, 128, 255]), ([-5, 2**31 - 1], [0, 255])],
)
def test_a_pillow_image_of_whole_numbers_shows_its_range(
    values: list[int], seen: list[int]
) -> None:
    image = Image.fromarray(np.array([values], np.int32))
    assert read_pixels(image)[0, :, 0].tolist() == seen


def test_the_first_frame_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, BLUE)]
    for suffix in ("gif", "webp", "tif", "png"):
        options = {"lossless": True} if suffix == "webp" else {}
        path = tmp_path / f"a.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], **options)
        assert colour_of(path) == RED


def test_a_photo_with_several_pictures_in_it_is_a_jpeg(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    frames[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(colour_of(tmp_path / "a.jpg"), RED, atol=3)


# --- Orientation and colour profiles -------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp", "heic", "avif"])
def test_every_exif_orientation_comes_out_upright(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    upright = np.zeros((16, 32, 3), dtype=np.uint8)
    upright[:8, :16] = RED
    upright[:8, 16:] = GREEN
    upright[8:, :16] = BLUE
    as_stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(as_stored(upright)))
    options = {"lossless": True} if suffix == "webp" else {}
    options |= {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    # These two store the turn in a place of their own. Every reader of HEIC turns it upright.
    options |= {"quality": 100, "subsampling": "4:4:4"} if suffix == "avif" else {}
    options |= {"quality": 100, "chroma": 444} if suffix == "heic" else {}
    path = saved(stored, tmp_path / f"a.{suffix}", exif=exif.tobytes(), **options)
    np.testing.assert_allclose(read_pixels(path).astype(int), upright, atol=4)
    photo, square = read(path, "a", Framing(16))
    assert (photo.height, photo.width) == (16, 32)
    assert photo.orientation == (1 if suffix == "heic" else orientation)
    np.testing.assert_allclose(square[2, 2], RED, atol=4)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_there_is_none_of_turns_nothing(
    tmp_path: Path, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(Image.new("RGB", (4, 2)), tmp_path / "a.png", exif=exif)
    photo, _ = read(path, "a", Framing(16))
    assert (photo.height, photo.width, photo.orientation) == (2, 4, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_xl_is_turned_once(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = saved(flag(), tmp_path / "a.jpg", exif=exif, quality=95)
    upright = read_pixels(stored)
    with Image.open(stored) as image, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # One is the JPEG packed; the other has only an EXIF that readers must not follow.
        image.save(tmp_path / "packed.jxl", lossless_jpeg=True)
        image.save(tmp_path / "anew.jxl", lossless_jpeg=False, lossless=True)
    np.testing.assert_array_equal(read_pixels(tmp_path / "packed.jxl"), upright)
    np.testing.assert_allclose(colour_of(tmp_path / "anew.jxl"), RED, atol=4)


def test_an_orientation_in_xmp_counts_as_it_does_for_pillow(tmp_path: Path) -> None:
    xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp)
    assert read_pixels(saved(flag(), tmp_path / "a.png", pnginfo=info)).shape == (48, 32, 3)


def test_broken_exif_does_not_spoil_the_picture(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 4), RED)
    path = saved(image, tmp_path / "a.png", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0\0")
    assert colour_of(path) == RED


def swapped_profile() -> bytes:
    """An RGB profile in which red and blue have changed places."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {bytes(data[i : i + 4]): i for i in range(132, 132 + 12 * data[131], 12)}
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    data[red + 4 : red + 12], data[blue + 4 : blue + 12] = (
        data[blue + 4 : blue + 12],
        data[red + 4 : red + 12],
    )
    return bytes(data).replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))


def test_an_embedded_profile_is_applied(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (2, 2), RED), tmp_path / "a.png", icc_profile=swapped_profile())
    np.testing.assert_allclose(colour_of(path), BLUE, atol=3)


def test_a_profile_keeps_transparency(tmp_path: Path) -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    image.putpixel((1, 0), (255, 0, 0, 0))
    path = saved(image, tmp_path / "a.png", icc_profile=swapped_profile())
    np.testing.assert_allclose(read_pixels(path)[0], [BLUE, WHITE], atol=3)


def test_an_srgb_profile_changes_no_pixel(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = noise(20, 30)
    path = saved(Image.fromarray(pixels), tmp_path / "a.png", icc_profile=srgb)
    np.testing.assert_array_equal(read_pixels(path), pixels)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_broken_or_unfitting_profile_is_as_good_as_none(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (16, 16))
    plain = read_pixels(saved(image, tmp_path / "plain.jpg"))
    for profile in (b"nonsense", swapped_profile()[:200], swapped_profile()):
        if mode == "RGB" and len(profile) > 200:
            continue
        path = saved(image, tmp_path / "a.jpg", icc_profile=profile)
        np.testing.assert_array_equal(read_pixels(path), plain)


# --- Arrays and Pillow images --------------------------------------------------------------------


def test_arrays_are_taken_as_they_are() -> None:
    pixels = noise(4, 6)
    np.testing.assert_array_equal(read_pixels(pixels), pixels)
    np.testing.assert_array_equal(read_pixels(pixels[..., 0])[..., 2], pixels[..., 0])
    np.testing.assert_array_equal(read_pixels(pixels[::2, ::-1]), pixels[::2, ::-1])
    clear = np.dstack([pixels, np.zeros((4, 6), np.uint8)])
    assert (read_pixels(clear) == 255).all()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.int64),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4, 1), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused_in_a_sentence(array: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"\.$"):
        read_pixels(array)


def test_other_objects_are_refused() -> None:
    with pytest.raises(ImageError, match="not int"):
        read_pixels(3)  # type: ignore[arg-type]


def test_a_callers_pillow_image_is_left_as_it_was(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(saved(Image.new("RGB", (4, 2)), tmp_path / "a.png", exif=exif)) as image:
        assert read_pixels(image).shape == (4, 2, 3)
        assert image.size == (4, 2)
        assert image.getexif()[0x0112] == 6


# --- What is refused -----------------------------------------------------------------------------


def test_size_is_checked_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png(60_000, 60_000, 8, 2, b""))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("decoded"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match=r"3600\.0 megapixels \(60000 x 60000\); at most 120"):
            read_pixels(bomb)


def test_the_size_limit_can_be_set_beyond_pillows_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    path = saved(Image.new("RGB", (100, 100), RED), tmp_path / "a.gif")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_pixels(path).shape == (100, 100, 3)
        with pytest.raises(ImageError, match="megapixels"):
            read_pixels(path, Limits(max_megapixels=0.009))
    assert Image.MAX_IMAGE_PIXELS == 10


def test_each_format_says_its_size_before_it_is_decoded(tmp_path: Path) -> None:
    for suffix in WRITERS:
        (tmp_path / f"a{suffix}").write_bytes(encoded(flag(), suffix))
        with pytest.raises(ImageError, match=r"megapixels \(48 x 32\); at most 0.001 "):
            read_pixels(tmp_path / f"a{suffix}", Limits(max_megapixels=0.001))


@pytest.mark.parametrize("size", [(50_000_000, 1), (1, 50_000_000)])
def test_an_absurdly_long_image_is_refused_by_its_side(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    (tmp_path / "a.png").write_bytes(png(*size, 8, 0, b""))
    with pytest.raises(ImageError, match="no side may be longer than 250,000"):
        read_pixels(tmp_path / "a.png")


def test_a_long_panorama_is_read(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (70_000, 8), RED), tmp_path / "a.png")
    photo, square = read(path, "a.png", Framing(64))
    assert (photo.height, photo.width) == (8, 70_000)
    assert (square == np.array(RED)).all()


def test_a_photo_of_a_phones_full_resolution_is_within_the_limit(tmp_path: Path) -> None:
    path = saved(Image.new("L", (8160, 6144), 77), tmp_path / "a.png")
    assert read_pixels(path).shape == (6144, 8160, 3)


@pytest.mark.parametrize("where", ["load", "resize", "convert"])
def test_an_image_for_which_memory_ends_is_refused_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    path = saved(flag(), tmp_path / "a.bmp")
    monkeypatch.setattr(ImageFile.ImageFile if where == "load" else Image.Image, where, no_memory)
    with pytest.raises(ImageError, match="memory of this computer"):
        read(path, "a.bmp", Framing(8))


# --- What is damaged -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".dib", ".tga", ".pnm", ".qoi"])
def test_a_file_cut_short_shows_what_is_there(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(noise(96, 64) // 2 + 128)
    options = {"interlace": 0} if suffix == ".gif" else {}
    data = encoded(image.quantize() if suffix == ".gif" else image, suffix, **options)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    whole = read_pixels(path).astype(int)
    path.write_bytes(data[: int(len(data) * 0.8)])
    photo, _ = read(path, path.name, Framing(8))
    match = re.search(r"incomplete: it lacks (\d+)% of the picture, shown grey", photo.remark)
    assert match is not None, photo.remark
    assert 10 <= int(match[1]) <= 30
    pixels = read_pixels(path).astype(int)
    if suffix in (".bmp", ".dib", ".tga"):
        # Their rows go from the bottom up.
        pixels, whole = pixels[::-1], whole[::-1]
    np.testing.assert_allclose(pixels[:60], whole[:60], atol=3)
    assert (pixels[-1] == 128).all()


@pytest.mark.parametrize("missing", [1, 2, 10])
def test_a_jpeg_without_its_last_bytes_is_all_there(tmp_path: Path, missing: int) -> None:
    data = encoded(Image.fromarray(noise(64, 64)), ".jpg")
    (tmp_path / "a.jpg").write_bytes(data)
    whole = read_pixels(tmp_path / "a.jpg").astype(int)
    (tmp_path / "a.jpg").write_bytes(data[:-missing])
    assert (np.abs(read_pixels(tmp_path / "a.jpg") - whole).max(axis=2) > 3).mean() < 0.05


def test_a_progressive_jpeg_cut_short_is_shown_less_sharp(tmp_path: Path) -> None:
    photo = Image.effect_mandelbrot((160, 120), (-2, -1.5, 1, 1.5), 100).convert("RGB")
    data = encoded(photo, ".jpg", progressive=True)
    (tmp_path / "a.jpg").write_bytes(data[: len(data) * 9 // 10])
    read_photo, _ = read(tmp_path / "a.jpg", "a.jpg", Framing(8))
    assert "less sharp" in read_photo.remark
    pixels = read_pixels(tmp_path / "a.jpg").astype(int)
    assert np.abs(pixels - np.asarray(photo)).mean() < 10


def test_a_jpeg_damaged_in_the_middle_shows_what_comes_before(tmp_path: Path) -> None:
    data = bytearray(encoded(Image.fromarray(noise(96, 64)), ".jpg"))
    (tmp_path / "a.jpg").write_bytes(data)
    whole = read_pixels(tmp_path / "a.jpg")
    at = len(data) * 2 // 3
    # A second header, which no decoder takes here.
    data[at : at + 4] = b"\xff\xc0\0\x0b"
    (tmp_path / "a.jpg").write_bytes(data)
    photo, _ = read(tmp_path / "a.jpg", "a.jpg", Framing(8))
    assert "The file is damaged" in photo.remark
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.jpg")[:32], whole[:32])


@pytest.mark.parametrize("suffix", [suffix for suffix in WRITERS if suffix != ".ico"])
def test_a_file_of_which_most_is_missing_is_refused(tmp_path: Path, suffix: str) -> None:
    data = encoded(Image.fromarray(noise(128, 64)), suffix)
    path = tmp_path / f"secret{suffix}"
    for kept in (20, len(data) // 6):
        path.write_bytes(data[:kept])
        with pytest.raises(ImageError, match="is damaged") as caught:
            read_pixels(path)
        assert str(tmp_path) not in str(caught.value)


def test_a_jpeg_of_very_many_scans_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(many_scans(side=64, scans=200))
    with pytest.raises(ImageError, match="more than 100 scans"):
        read_pixels(tmp_path / "a.jpg")


def test_what_follows_a_jpeg_counts_for_no_scans(tmp_path: Path) -> None:
    data = encoded(flag(), ".jpg") + b"\xff\xda\0\2\xff\xd0" * 1000
    (tmp_path / "a.jpg").write_bytes(data)
    np.testing.assert_allclose(colour_of(tmp_path / "a.jpg"), RED, atol=4)


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (b"", "empty"),
        (b"hello, this is no image", "not an image"),
        (b"%PDF-1.7", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"8BPS\0\1", "damaged"),
        (b"8BPS\0\2", "PSB"),
        (b"\0\0\0\x18ftypheic", "damaged"),
        (b"\0\0\0\x18ftypavif", "damaged"),
        (b"\0\0\0\x18ftypisom", "MP4"),
        (b"\0\0\0\x18ftypcrx ", "camera raw"),
        (b"II*\0\x10\0\0\0CR\2\0", "camera raw"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw"),
        (b"IIU\0\x18\0\0\0", "camera raw"),
        (b"IIRO\x08\0\0\0", "camera raw"),
        (b"PK\3\4", "ZIP"),
        (b"<svg xmlns", "SVG"),
        (b"<?xml version='1.0'?>\n<!-- a --><svg xmlns=''>", "SVG"),
        (b"<?xml version='1.0'?>\n<note/>", "XML"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X", "side file of macOS"),
        (b"\xff\x0a", "damaged"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "damaged"),
        (b"qoif", "damaged"),
        (b"P6 9", "damaged"),
        (b"BM", "damaged"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, start: bytes, reason: str) -> None:
    (tmp_path / "a.png").write_bytes(start)
    with pytest.raises(ImageError, match=rf"(?s){reason}.*\.$"):
        read_pixels(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["._a.jpg", ".DS_Store", "._.DS_Store"])
def test_side_files_of_macos_are_refused_as_such(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\0\0\0\1Bud1 and so on")
    with pytest.raises(ImageError, match="side file of macOS, not a photo"):
        read_pixels(tmp_path / name)


def test_a_tiff_that_a_camera_calls_raw_is_refused_as_such(tmp_path: Path) -> None:
    path = saved(flag(), tmp_path / "a.NEF", format="TIFF")
    with pytest.raises(ImageError, match="camera raw"):
        read_pixels(path)
    path = saved(flag(), tmp_path / "b.NEF", format="JPEG", quality=95)
    np.testing.assert_allclose(colour_of(path), RED, atol=4)


def test_a_missing_file_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path, Path(os.devnull), "a\0b.png", "x" * 5000):
        with pytest.raises(ImageError, match=r"\.$"):
            read_pixels(path)


@given(st.binary(max_size=400), st.sampled_from(sorted(WRITERS)), st.floats(0, 1))
def test_no_bytes_can_raise_anything_but_an_image_error(
    junk: bytes, suffix: str, where: float
) -> None:
    data = encoded(flag(), suffix)
    at = int(where * len(data))
    hostile = data[:at] + junk + data[at + len(junk) :]
    path = Path(os.environ["PYTEST_SCRATCH"]) / f"a{suffix}"
    path.write_bytes(hostile)
    try:
        assert read_pixels(path, Limits(max_megapixels=1)).dtype == np.uint8
    except ImageError as error:
        assert str(error).endswith(".")


@pytest.fixture(autouse=True, scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Hypothesis must not share a function's own folder between its examples.
    os.environ["PYTEST_SCRATCH"] = str(tmp_path_factory.mktemp("hostile"))
