from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import ImageError, Limits, read, read_pixels


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a"


def seen(path: Path, data: bytes) -> list:
    path.write_bytes(data)
    return read_pixels(path).tolist()


def grey(*values: int) -> list:
    return [[[value] * 3 for value in values]]


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (b"P1\n3 1\n0 1 0\n", grey(255, 0, 255)),
        (b"P1 3 1 010", grey(255, 0, 255)),
        (b"P2\n# a comment\n3 1 # another\n15\n0 15 5\n", grey(0, 255, 85)),
        (b"P2 2 1 65535 0 # of 1\n 65535", grey(0, 255)),
        (b"P3 2 1 255 255 0 0 0 0 255", [[[255, 0, 0], [0, 0, 255]]]),
        (b"P4\n9 1\n\x80\x80", grey(0, *[255] * 7, 0)),
        (b"P5 3 1 255\n\x00\x7f\xff", grey(0, 127, 255)),
        (b"P5 3 1 1023\n\x00\x00\x02\x00\x03\xff", grey(0, 128, 255)),
        (b"P5 2 1 100\n\x00\x64", grey(0, 255)),
        (b"P6 1 1 255\n\x01\x02\x03", [[[1, 2, 3]]]),
        (b"P6 1 1 65535\n\xff\xff\x80\x80\x00\x00", [[[255, 128, 0]]]),
        (b"P7\nWIDTH 1\nHEIGHT 2\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
         b"\xff\0\0\xff\xff\0\0\0", [[[255, 0, 0]], [[255, 255, 255]]]),
        (b"Pf 2 2 -1.0\n" + np.array([0, 0.5, 1, 0.5], "<f4").tobytes(),
         [grey(255, 128)[0], grey(0, 128)[0]]),
        (b"PF 1 1 1.0\n" + np.array([0, 0.5, 1], ">f4").tobytes(), [[[0, 128, 255]]]),
    ],
)  # fmt: skip
def test_every_kind_is_read(path: Path, data: bytes, pixels: list) -> None:
    assert seen(path, data) == pixels


def test_a_small_range_is_shown_and_said(path: Path) -> None:
    path.write_bytes(b"Pf 3 1 -1.0\n" + np.array([0, 50, 200], "<f4").tobytes())
    assert read(path, "a", Framing(4))[0].remark == "Shown from 0 to 200, the range of its values."
    assert read_pixels(path)[0, :, 0].tolist() == [0, 64, 255]


def test_a_large_deep_photo_is_read_at_once(path: Path) -> None:
    # A value at a time, this takes a minute.
    path.write_bytes(b"P6 4000 3000 1023\n" + bytes([3, 255]) * (3 * 4000 * 3000))
    assert (read_pixels(path) == 255).all()


@pytest.mark.parametrize("start", [b"P5 4 4 255\n", b"P2 4 4 255\n", b"P4 8 4\n"])
def test_a_file_cut_short_shows_what_is_there(path: Path, start: bytes) -> None:
    values = {b"P5": b"\xc8" * 12, b"P2": b"200 " * 12, b"P4": b"\0" * 3}[start[:2]]
    path.write_bytes(start + values)
    photo, _ = read(path, "a", Framing(4))
    assert "it lacks 25% of the picture, shown grey" in photo.remark
    assert read_pixels(path)[:, 0, 0].tolist()[-1] == 128


@pytest.mark.parametrize(
    "data",
    [b"P6 9", b"P5 2 2 0\n1234", b"P5 2 2 70000\n1234", b"P5 -2 2 255\n", b"P2 2 2 255\nab cd",
     b"Pf 1 1 nan\n1234", b"P7\nWIDTH 1\n", b"P7\nENDHDR\n", b"P5 a b c\n", b"P5 2 2 255\n"],
)  # fmt: skip
def test_a_damaged_file_is_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"damaged|no pixels"):
        read_pixels(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([b"P%d " % i for i in range(1, 8)] + [b"Pf ", b"PF "]), st.binary())
def test_no_bytes_can_raise_anything_but_an_image_error(
    path: Path, start: bytes, rest: bytes
) -> None:
    for data in (start + rest, start + b"3 2 9\n" + rest):
        path.write_bytes(data)
        try:
            read_pixels(path, Limits(max_megapixels=0.01))
        except ImageError as error:
            assert str(error).endswith(".")
