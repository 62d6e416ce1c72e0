from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pointprompt.sources.codecs import tiff_segments
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import ImageError, Limits, read, read_pixels
from tests.sources.codecs.test_profiles import profile

ROWS, COLUMNS = np.mgrid[0:40, 0:60]
GREY = (COLUMNS * 255 // 59).astype(np.uint8)
COLOUR = np.dstack([GREY, ROWS * 255 // 39, np.full_like(GREY, 128)]).astype(np.uint8)
DEEP = COLOUR.astype(np.uint16) * 257
AS_GREY = np.repeat(GREY[..., None], 3, axis=2)
NODATA = 42113


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.tif"


def written(path: Path, values: np.ndarray, **options: object) -> tuple[np.ndarray, str]:
    """The pixels and the remark of a TIFF of these values."""
    tifffile.imwrite(path, values, **options)
    return read_pixels(path).astype(int), read(path, "a", Framing(4))[0].remark


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_deep_colour_is_right_in_either_layout_and_byte_order(
    path: Path, planar: str, alpha: bool, order: str
) -> None:
    values = np.dstack([DEEP, np.full(GREY.shape, 65535, np.uint16)]) if alpha else DEEP
    stored = np.moveaxis(values, 2, 0) if planar == "separate" else values
    extra = {"extrasamples": ["unassalpha"]} if alpha else {}
    pixels, remark = written(
        path, stored, photometric="rgb", planarconfig=planar, byteorder=order, **extra
    )
    np.testing.assert_array_equal(pixels, COLOUR)
    assert remark == ""


@pytest.mark.parametrize(
    "packing",
    [{"compression": kind} for kind in ("lzw", "zlib", "packbits", "zstd", "lzma")]
    + [{"compression": "lzw", "predictor": True}, {"compression": "zlib", "predictor": True}]
    + [{"tile": (16, 16)}, {"tile": (32, 16), "compression": "lzw"}, {"rowsperstrip": 7}]
    + [{"bigtiff": True}],
    ids=str,
)
@pytest.mark.parametrize("values", [DEEP, COLOUR, (COLOUR / 255).astype(np.float32)], ids=len)
def test_every_packing_gives_the_same_picture(
    path: Path, values: np.ndarray, packing: dict[str, object]
) -> None:
    pixels, _ = written(path, values, photometric="rgb", **packing)
    np.testing.assert_allclose(pixels, COLOUR, atol=0)


@pytest.mark.parametrize(
    "values",
    [
        (GREY / 255).astype(np.float16),
        (GREY / 255).astype(np.float32),
        (GREY / 255).astype(np.float64),
        GREY.astype(np.float32) * 1000 - 50_000,
        GREY.astype(np.int8),
        GREY.astype(np.int16) * 100 - 20_000,
        GREY.astype(np.int32),
        GREY.astype(np.uint32) * 1_000_000,
        GREY.astype(np.int64) * 10**12,
        GREY.astype(np.uint16) * 4,
        GREY.astype(np.uint16) * 16,
        GREY.astype(np.uint16) * 257,
    ],
    ids=lambda values: f"{values.dtype} to {values.max()}",
)
def test_grey_of_any_depth_and_range_is_seen(path: Path, values: np.ndarray) -> None:
    pixels, remark = written(path, values)
    wanted = (values.astype(float) - values.min()) / (np.ptp(values.astype(float))) * 255
    np.testing.assert_allclose(pixels, np.repeat(wanted[..., None], 3, axis=2), atol=1)
    is_photo = values.dtype.kind in "uf" and values.max() in (1, 65535)
    assert remark.startswith("" if is_photo else "Shown from ")
    assert (remark == "") == is_photo


@pytest.mark.parametrize("nodata", [-9999.0, float("nan"), float(np.finfo(np.float32).min)])
def test_declared_nodata_is_black_and_does_not_count(path: Path, nodata: float) -> None:
    values = GREY.astype(np.float32)
    values[:10] = nodata
    tag = [(NODATA, "s", 0, f"{nodata}", True)]
    pixels, remark = written(path, values, extratags=tag)
    np.testing.assert_allclose(pixels[10:], AS_GREY[10:], atol=1)
    assert (pixels[:10] == 0).all()
    assert remark == "Shown from 0 to 255, the range of its values."


def test_grey_whose_zero_is_white_is_turned_round(path: Path) -> None:
    pixels, _ = written(path, GREY.astype(np.uint16) * 4, photometric="miniswhite")
    np.testing.assert_allclose(pixels, 255 - AS_GREY.astype(int), atol=1)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_the_first_three_of_many_bands_are_shown_and_it_is_said(
    path: Path, dtype: str, planar: str
) -> None:
    scale = {"u1": 1, "u2": 257, "f4": 1 / 255}[dtype]
    values = (np.dstack([COLOUR, COLOUR[..., ::-1]]).astype(float) * scale).astype(dtype)
    stored = np.moveaxis(values, 2, 0) if planar == "separate" else values
    pixels, remark = written(path, stored, photometric="minisblack", planarconfig=planar)
    np.testing.assert_allclose(pixels, COLOUR, atol=1)
    assert remark == "Only the first 3 of its 6 bands are shown, as red, green and blue."


def test_the_first_of_two_bands_is_shown_as_grey(path: Path) -> None:
    values = np.dstack([GREY, GREY[::-1]]).astype(np.uint16) * 257
    pixels, remark = written(path, values, photometric="minisblack", planarconfig="contig")
    np.testing.assert_array_equal(pixels, AS_GREY)
    assert remark == "Only the first of its 2 bands is shown, as grey."


@pytest.mark.parametrize("kind", ["assocalpha", "unassalpha"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("bands", [1, 3])
def test_transparent_parts_stand_on_white(path: Path, bands: int, dtype: str, kind: str) -> None:
    top = {"u1": 255, "u2": 65535, "f4": 1}[dtype]
    alpha = np.where(COLUMNS < 30, 0.0, 1.0)
    colour = COLOUR[..., :bands] / 255 * (alpha[..., None] if kind == "assocalpha" else 1)
    values = (np.dstack([colour, alpha]) * top).round(8).astype(dtype)
    photometric = "rgb" if bands == 3 else "minisblack"
    pixels, _ = written(
        path, values, photometric=photometric, planarconfig="contig", extrasamples=[kind]
    )
    assert (pixels[:, :30] == 255).all()
    wanted = COLOUR if bands == 3 else AS_GREY
    np.testing.assert_allclose(pixels[:, 30:], wanted[:, 30:], atol=1)


@pytest.mark.parametrize(("kind", "zero"), [("cielab", 0), ("icclab", 128)])
def test_cie_lab_of_16_bits_is_read(path: Path, kind: str, zero: int) -> None:
    # White, and a red that is (53.2, 80.1, 67.2).
    values = np.zeros((2, 4, 3), np.uint16)
    values[0] = [65535, zero * 256, zero * 256]
    values[1] = [53.2 / 100 * 65535, (80.1 + zero) * 256, (67.2 + zero) * 256]
    pixels, _ = written(path, values, photometric=kind, planarconfig="contig")
    np.testing.assert_allclose(pixels[0, 0], [255, 255, 255], atol=3)
    np.testing.assert_allclose(pixels[1, 0], [255, 0, 0], atol=12)


def test_grey_and_alpha_of_4_bits_are_read(path: Path) -> None:
    # Width, height, bits, compression, kind, strip, bands, rows, bytes, alpha. No writer makes it.
    tags = [(256, 4), (257, 1), (258, 4 << 16 | 4), (259, 1), (262, 1), (273, 134), (277, 2)]
    tags += [(278, 1), (279, 4), (338, 2)]
    entries = [struct.pack("<HHII", tag, 3, 2 if tag == 258 else 1, value) for tag, value in tags]
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    path.write_bytes(head + b"".join(entries) + bytes(4) + bytes([0x0F, 0xFF, 0x8F, 0x80]))
    assert read_pixels(path)[0, :, 0].tolist() == [0, 255, 136, 255]
    assert read(path, "a", Framing(4))[0].remark == ""


@pytest.mark.parametrize("compression", [None, "lzw"])
def test_brightness_and_colour_differences_are_converted(
    path: Path, compression: str | None
) -> None:
    stored = np.asarray(Image.fromarray(COLOUR).convert("YCbCr"))
    pixels, _ = written(path, stored, photometric="ycbcr", compression=compression)
    np.testing.assert_allclose(pixels, COLOUR, atol=4)


def test_what_pillow_cannot_unpack_is_left_to_tifffile(path: Path) -> None:
    pixels, remark = written(path, COLOUR, photometric="rgb", compression="webp")
    np.testing.assert_allclose(pixels, COLOUR, atol=40)
    assert remark == ""


def test_cmyk_of_16_bits_is_read(path: Path) -> None:
    values = np.zeros((4, 4, 4), np.uint16)
    values[..., 1:3] = 65535
    pixels, _ = written(path, values, photometric="separated", planarconfig="contig")
    np.testing.assert_allclose(pixels[0, 0], [255, 0, 0], atol=3)


def test_a_profile_is_applied_to_deep_colour(path: Path) -> None:
    linear = profile("a", 1.0)
    tags = [(34675, "B", len(linear), linear, True)]
    pixels, _ = written(path, DEEP, photometric="rgb", extratags=tags)
    tifffile.imwrite(path, COLOUR, photometric="rgb", extratags=tags)
    np.testing.assert_array_equal(pixels, read_pixels(path))
    assert (pixels > COLOUR + 20).any()


def test_the_orientation_of_scientific_data_counts(path: Path) -> None:
    pixels, _ = written(path, DEEP, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(pixels, np.rot90(COLOUR, -1))
    assert read(path, "a", Framing(4))[0].orientation == 6


def test_only_the_first_of_very_many_pages_is_looked_at(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for page in range(2000):
            writer.write(np.full((4, 4), 300 + page, np.int16), contiguous=False)
    assert read(path, "a", Framing(4))[0].remark == "All its values are 300; it is black."


def test_a_stack_shows_its_first_plane(path: Path) -> None:
    values = np.stack([GREY, GREY[::-1], GREY]).astype(np.uint16) * 257
    pixels, _ = written(path, values, imagej=True)
    np.testing.assert_array_equal(pixels, AS_GREY)
    pixels, _ = written(path, values, volumetric=True, tile=(1, 16, 16))
    np.testing.assert_array_equal(pixels, AS_GREY)


def test_a_camera_raw_file_is_refused_as_such(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        writer.write(COLOUR, photometric="rgb", subfiletype=1, subifds=1)
        writer.write(np.zeros((80, 120), np.uint16), photometric=32803, subfiletype=0)
    with pytest.raises(ImageError, match="camera raw"):
        read_pixels(path)
    for options in ({"photometric": 32803}, {"extratags": [(50706, "B", 4, (1, 4, 0, 0), True)]}):
        tifffile.imwrite(path, np.zeros((8, 8), np.uint16), **options)
        with pytest.raises(ImageError, match="camera raw"):
            read_pixels(path)


def test_an_ordinary_file_with_smaller_copies_is_no_camera_raw_file(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        writer.write(COLOUR, photometric="rgb", subifds=1, tile=(16, 16))
        writer.write(COLOUR[::2, ::2], photometric="rgb", subfiletype=1, tile=(16, 16))
    np.testing.assert_array_equal(read_pixels(path), COLOUR)


@pytest.mark.parametrize("packing", [{}, {"compression": "zlib"}, {"compression": "lzw"}], ids=str)
@pytest.mark.parametrize("values", [DEEP, COLOUR], ids=["deep", "plain"])
def test_a_file_cut_short_shows_what_is_there(
    path: Path, values: np.ndarray, packing: dict[str, object]
) -> None:
    rng = np.random.default_rng(0)
    noisy = values ^ rng.integers(0, 8, values.shape, dtype=values.dtype)
    tifffile.imwrite(path, noisy, photometric="rgb", rowsperstrip=4, **packing)
    whole = read_pixels(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.85)])
    photo, _ = read(path, "a", Framing(4))
    assert "of the picture, shown grey" in photo.remark
    np.testing.assert_array_equal(read_pixels(path)[:28], whole[:28])
    assert (read_pixels(path)[-1] == 128).all()
    path.write_bytes(data[: len(data) // 6])
    with pytest.raises(ImageError, match="damaged"):
        read_pixels(path)


def test_what_a_sparse_file_leaves_out_is_empty_not_missing(path: Path) -> None:
    tifffile.imwrite(path, shape=(64, 64), dtype="uint16", tile=(16, 16), data=None)
    with tifffile.TiffFile(path, mode="r+") as tif:
        page = tif.pages.first
        for name in ("TileByteCounts", "TileOffsets"):
            page.tags[name].overwrite([0] * 16)
    photo, _ = read(path, "a", Framing(4))
    assert "incomplete" not in photo.remark


def test_the_size_counts_before_anything_is_unpacked(path: Path) -> None:
    tifffile.imwrite(path, GREY.astype(np.float32))
    with pytest.raises(ImageError, match=r"megapixels \(60 x 40\)"):
        read_pixels(path, Limits(max_megapixels=0.001))


def test_a_picture_that_unpacked_is_too_large_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tifffile.imwrite(path, np.zeros((40, 60, 9), np.float64), planarconfig="contig")
    monkeypatch.setattr(tiff_segments, "_MAX_BYTES", 100_000)
    with pytest.raises(ImageError, match="GiB of memory"):
        read_pixels(path)


def test_numbers_of_two_parts_are_refused(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((4, 4), np.complex64))
    with pytest.raises(ImageError, match="rare kind"):
        read_pixels(path)


def hostile_files() -> list[bytes]:
    files = []
    for values, options in (
        (DEEP, {"photometric": "rgb", "compression": "lzw"}),
        (GREY.astype(np.int16), {"compression": "packbits", "tile": (16, 16)}),
        (np.dstack([COLOUR, COLOUR]), {"photometric": "minisblack", "planarconfig": "contig"}),
    ):
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, values, **options)
        files.append(buffer.getvalue())
    return files


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(hostile_files()),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=5),
)
def test_no_bytes_can_raise_anything_but_an_image_error(
    path: Path, data: bytes, changes: list[tuple[float, bytes]]
) -> None:
    hostile = bytearray(data)
    for where, junk in changes:
        at = int(where * len(data))
        hostile[at : at + len(junk)] = junk
    path.write_bytes(hostile)
    try:
        assert read_pixels(path, Limits(max_megapixels=1)).dtype == np.uint8
    except ImageError as error:
        assert str(error).endswith(".")


def test_pillow_and_tifffile_agree_on_what_both_read(path: Path) -> None:
    for compression in ("tiff_lzw", "jpeg", "tiff_adobe_deflate"):
        options = {"quality": 95} if compression == "jpeg" else {}
        Image.fromarray(COLOUR).save(path, compression=compression, **options)
        with tifffile.TiffFile(path) as tif:
            np.testing.assert_allclose(
                read_pixels(path).astype(int), tif.pages.first.asarray(), atol=3
            )
