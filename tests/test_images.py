from __future__ import annotations

import io
import os
import struct
import threading
import unicodedata
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from pointprompt import decode, images
from pointprompt.images import (
    PREVIEW_SIDE,
    ImageError,
    Limits,
    read,
    read_pixels,
    read_set,
    safe_names,
)
from pointprompt.types import Progress

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


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


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "gif", "jpg"])
def test_every_promised_format_is_read(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    path = saved(Image.new("RGB", (5, 3), RED), tmp_path / f"a.{suffix}", **options)
    pixels = read_pixels(path)
    assert pixels.shape == (3, 5, 3)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels[1, 2], RED, atol=2)


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
    tifffile = pytest.importorskip("tifffile")
    for order in "<>":
        tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), 32896, np.uint16), byteorder=order)
        assert colour_of(tmp_path / "a.tif") == (128, 128, 128)


def test_sixteen_bit_grey_whose_zero_is_white_is_turned_round(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    pixels = np.zeros((4, 4), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    assert colour_of(tmp_path / "a.tif") == WHITE


def test_sixteen_bit_colour_is_read_from_png_and_tiff(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
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


def test_whole_numbers_of_32_bits_that_fit_16_count_as_16() -> None:
    assert read_pixels(Image.fromarray(np.array([[0, 32896, 65535]], np.int32)))[
        0, :, 0
    ].tolist() == [
        0,
        128,
        255,
    ]
    assert read_pixels(Image.fromarray(np.array([[-5, 2**31 - 1]], np.int32)))[
        0, :, 0
    ].tolist() == [
        0,
        255,
    ]


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
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp"])
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
    path = saved(stored, tmp_path / f"a.{suffix}", exif=exif, **options)
    np.testing.assert_allclose(read_pixels(path).astype(int), upright, atol=4)
    photo, square = read(path, "a", 16)
    assert (photo.height, photo.width) == (16, 32)
    np.testing.assert_allclose(square[2, 2], RED, atol=4)


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


def test_the_photo_of_an_array_does_not_change_with_the_array() -> None:
    pixels = noise(4, 6)
    photo, _ = read(pixels, "a.png", 8)
    before = pixels.copy()
    pixels[:] = 0
    np.testing.assert_array_equal(photo.source, before)


def test_a_callers_pillow_image_is_left_as_it_was(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(saved(Image.new("RGB", (4, 2)), tmp_path / "a.png", exif=exif)) as image:
        assert read_pixels(image).shape == (4, 2, 3)
        assert image.size == (4, 2)
        assert image.getexif()[0x0112] == 6


def test_the_same_pillow_image_twice_is_read_twice(tmp_path: Path) -> None:
    path = saved(Image.fromarray(noise(300, 300)), tmp_path / "a.png")
    with Image.open(path) as image:
        result = read_set([image] * 6, 8)
    assert len(result.photos) == 6
    assert (result.squares == result.squares[0]).all()


# --- The square and the preview ------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(40, 60), (1, 1), (300, 200), (50, 2000)])
def test_the_square_is_the_tutorials_byte_for_byte(tmp_path: Path, shape: tuple[int, int]) -> None:
    path = saved(Image.fromarray(noise(*shape)), tmp_path / "a.jpg")
    _, square = read(path, "a.jpg", 64)
    with Image.open(path) as image:
        expected = image.convert("RGB").resize((64, 64), Image.LANCZOS)
    np.testing.assert_array_equal(square, np.asarray(expected))


@pytest.mark.parametrize(
    ("shape", "preview_size"),
    [
        ((1, 1), (1, 1)),
        ((500, 900), (900, 500)),
        ((50, 20000), (1024, 3)),
        ((1, 20000), (1024, 1)),
        ((2048, 1024), (512, 1024)),
    ],
)
def test_the_preview_is_shrunk_but_never_enlarged(
    shape: tuple[int, int], preview_size: tuple[int, int]
) -> None:
    photo, _ = read(np.zeros((*shape, 3), np.uint8), "a.png", 4)
    with Image.open(io.BytesIO(photo.preview)) as preview:
        assert preview.format == "JPEG"
        assert preview.size == preview_size
        assert max(preview.size) <= PREVIEW_SIDE


def test_full_pixels_can_be_read_again_from_a_photo(tmp_path: Path) -> None:
    path = saved(Image.fromarray(noise(5, 7)), tmp_path / "a.png")
    photo, _ = read(str(path), "a.png", 4)
    assert photo.source == path
    assert (photo.height, photo.width) == (5, 7)
    np.testing.assert_array_equal(read_pixels(photo.source), noise(5, 7))


# --- What is refused -----------------------------------------------------------------------------


def test_size_is_checked_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png(60_000, 60_000, 8, 2, b""))
    monkeypatch.setattr(decode, "_decoded", lambda image: pytest.fail("decoded"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match=r"3600\.0 megapixels \(60000 x 60000\); at most 50"):
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


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tif", "bmp", "webp"])
def test_a_truncated_file_is_damaged(tmp_path: Path, suffix: str) -> None:
    path = saved(Image.fromarray(noise(64, 64)), tmp_path / f"secret.{suffix}")
    data = path.read_bytes()
    for kept in (20, len(data) // 2):
        path.write_bytes(data[:kept])
        with pytest.raises(ImageError, match="is damaged") as caught:
            read_pixels(path)
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (b"", "empty"),
        (b"hello, this is no image", "not an image"),
        (b"%PDF-1.7", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\0\0\0\x18ftypavif", "AVIF"),
        (b"\0\0\0\x18ftypisom", "MP4"),
        (b"PK\3\4", "ZIP"),
        (b"<svg xmlns", "SVG"),
        (b"BM", "damaged"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, start: bytes, reason: str) -> None:
    (tmp_path / "a.png").write_bytes(start)
    with pytest.raises(ImageError, match=reason):
        read_pixels(tmp_path / "a.png")


def test_a_missing_file_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path, Path(os.devnull), "a\0b.png", "x" * 5000):
        with pytest.raises(ImageError, match=r"\.$"):
            read_pixels(path)


# --- Sets ----------------------------------------------------------------------------------------


def test_order_is_kept_and_each_failure_has_its_reason(tmp_path: Path) -> None:
    colours = [RED, GREEN, BLUE]
    sources: list[Path] = [
        saved(Image.new("RGB", (9, 9), c), tmp_path / f"{i}.png") for i, c in enumerate(colours)
    ]
    (tmp_path / "note.txt").write_text("not an image at all")
    sources.insert(1, tmp_path / "note.txt")
    sources.append(tmp_path / "gone.png")
    result = read_set(sources, 4)
    assert [p.name for p in result.photos] == ["0.png", "1.png", "2.png"]
    assert [tuple(s[0, 0]) for s in result.squares] == colours
    assert result.squares.shape == (3, 4, 4, 3)
    assert [r.name for r in result.rejected] == ["note.txt", "gone.png"]
    assert all(r.reason.endswith(".") for r in result.rejected)
    assert all(str(tmp_path) not in r.reason for r in result.rejected)


def test_images_beyond_the_limit_are_not_looked_at() -> None:
    sources = [noise(4, 4, i) for i in range(3)] + [np.zeros(1)] * 2
    result = read_set(sources, 4, limits=Limits(max_images=3))
    assert len(result.photos) == 3
    assert [r.reason for r in result.rejected] == ["The set had room for only 3 of the images."] * 2


def test_names_are_made_safe_and_rejections_keep_the_owners_name() -> None:
    pixels = noise(4, 4)
    result = read_set([pixels, pixels, np.zeros(2)], 4, names=["../a.jpg", "A.png", "my <bad>.png"])
    assert [p.name for p in result.photos] == ["a.jpg", "A-2.png"]
    assert result.rejected[0].name == "my <bad>.png"


def test_images_without_a_file_are_numbered() -> None:
    names = [p.name for p in read_set([noise(4, 4), noise(4, 4)], 4).photos]
    assert names == ["image-001.png", "image-002.png"]


def test_names_must_be_as_many_as_images() -> None:
    with pytest.raises(ValueError, match="2 images and 1 names"):
        read_set([noise(2, 2)] * 2, 4, names=["a"])


def test_no_image_and_no_readable_image_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no images"):
        read_set([], 4)
    for i in range(5):
        (tmp_path / f"{i}.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"0\.png: The file is empty\. .* And 2 more\."):
        read_set(sorted(tmp_path.iterdir()), 4)


def test_progress_counts_failures_too() -> None:
    seen: list[Progress] = []
    read_set([noise(2, 2), np.zeros(1), noise(2, 2)], 4, progress=seen.append)
    assert seen == [Progress("read", i, 3) for i in (1, 2, 3)]


def test_cancelling_leaves_the_remaining_images_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cancelled(Exception):
        pass

    started: list[str] = []
    first_is_done = threading.Event()
    real_read = images.read

    def slow_read(source: object, name: str, side: int, limits: Limits) -> object:
        started.append(name)
        if len(started) > 1:
            assert first_is_done.wait(30)
        return real_read(source, name, side, limits)  # type: ignore[arg-type]

    def cancel(_: Progress) -> None:
        threading.Timer(0.05, first_is_done.set).start()
        raise Cancelled

    monkeypatch.setattr(images, "read", slow_read)
    with pytest.raises(Cancelled):
        read_set([noise(2, 2)] * 50, 4, progress=cancel)
    assert len(started) < 10


def test_only_a_few_images_are_decoded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = threading.Lock()
    open_now, most = 0, 0
    real = images.upright_rgb

    def counting(source: object, limits: Limits) -> object:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        try:
            return real(source, limits)  # type: ignore[arg-type]
        finally:
            with lock:
                open_now -= 1

    monkeypatch.setattr(images, "upright_rgb", counting)
    read_set([noise(200, 200)] * 40, 8)
    assert 1 <= most <= 4


# --- Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("IMG_0001.JPG", "IMG_0001.JPG"),
        ("my photo (1).png", "my photo 1.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.png", "a.png"),
        ("..", "image"),
        ("", "image"),
        (".hidden.png", "hidden.png"),
        ("trailing. ", "trailing"),
        ("a\0b\n.png", "ab.png"),
        ("con.png", "_con.png"),
        ("COM1.tar.png", "_COM1.tar.png"),
        ("写真.png", "写真.png"),
        ("Ä.png", "Ä.png"),
        ("हिन्दी.jpg", "हिन्दी.jpg"),
        ("😀.png", "image.png"),
        ("a:b|c?.png", "abc.png"),
        ("Dr. Who", "Dr. Who"),
        ("no suffix", "no suffix"),
        ("x" * 300 + ".jpeg", "x" * 95 + ".jpeg"),
    ],
)
def test_names_become_safe_and_stay_recognisable(name: str, safe: str) -> None:
    assert safe_names([name]) == (safe,)


def test_names_differ_by_stem_whatever_the_case() -> None:
    names = ["a.png", "a.png", "A.jpg", "a-2.png", "b.png"]
    assert safe_names(names) == ("a.png", "a-2.png", "A-3.jpg", "a-2-2.png", "b.png")


@settings(deadline=None)
@given(st.lists(st.one_of(st.text(max_size=300), st.sampled_from(["a.png", "A", "NUL", "é.é"]))))
def test_any_names_give_safe_and_unique_ones(names: list[str]) -> None:
    result = safe_names(names)
    assert len(result) == len(names)
    stems = [Path(name).stem.casefold() for name in result]
    assert len(set(stems)) == len(names)
    for name in result:
        assert 1 <= len(name) <= 100
        assert len(name.encode()) <= 200
        assert name == unicodedata.normalize("NFC", name)
        assert name == name.strip(" .")
        assert all(c in " .-_" or unicodedata.category(c)[0] in "LMN" for c in name)
        assert name.partition(".")[0].rstrip().upper() not in {"CON", "NUL", "AUX", "PRN", "COM1"}


@settings(deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["PNG", "GIF", "BMP", "TIFF", "WEBP", "JPEG"]))
def test_no_bytes_can_raise_anything_but_an_image_error(junk: bytes, kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, kind)
    data = buffer.getvalue()
    hostile = data[: len(data) // 2] + junk + data[len(data) // 2 + len(junk) :]
    path = Path(os.environ["PYTEST_SCRATCH"]) / "a"
    path.write_bytes(hostile)
    try:
        assert read_pixels(path, Limits(max_megapixels=1)).dtype == np.uint8
    except ImageError as error:
        assert str(error).endswith(".")


@pytest.fixture(autouse=True, scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Hypothesis must not share a function's own folder between its examples.
    os.environ["PYTEST_SCRATCH"] = str(tmp_path_factory.mktemp("hostile"))
