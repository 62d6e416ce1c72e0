from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pointprompt.sources.codecs.tones import eight_bits, full_of


def shown(values: list[float], dtype: str, nodata: float | None = None) -> tuple[list[int], str]:
    array = np.array([values], dtype)
    pixels, remark = eight_bits(array, full=full_of(array.dtype), nodata=nodata)
    assert pixels.dtype == np.uint8
    return pixels[0].tolist(), remark


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0, 32896, 65535], "u2"),
        ([257, 32896, 65278], "u2"),
        ([0, 128 * 257, 0], "u2"),
        ([0.0, 0.5, 1.0], "f4"),
        ([0.25, 0.5, 0.75], "f8"),
    ],
)
def test_a_photos_values_look_as_other_viewers_show_them(values: list[float], dtype: str) -> None:
    pixels, remark = shown(values, dtype)
    full = 65535 if dtype == "u2" else 1
    assert pixels == [int(value / full * 255 + 0.5) for value in values]
    assert remark == ""


@pytest.mark.parametrize(
    ("values", "dtype", "low", "high"),
    [
        ([0, 512, 1023], "u2", "0", "1023"),
        ([100, 2000, 4095], "u2", "100", "4095"),
        ([0, 8000, 16383], "u2", "0", "16383"),
        ([-300, 100, 500], "i2", "-300", "500"),
        ([0, 128, 255], "i4", "0", "255"),
        ([4_000_000_000, 4_000_000_050, 4_000_000_100], "u4", "4000000000", "4000000100"),
        ([-5.0, 0.0, 5.0], "f4", "-5", "5"),
        ([0.0, 0.001, 0.002], "f4", "0", "0.002"),
        ([0.0, 1.5e9, 3e9], "f8", "0", "3000000000"),
        ([-3e38, 0.0, 3e38], "f4", "-3e+38", "3e+38"),
        ([-1.7e308, 0.0, 1.7e308], "f8", "-1.7e+308", "1.7e+308"),
    ],
)
def test_other_values_are_shown_with_the_range_that_is_there_and_it_is_said(
    values: list[float], dtype: str, low: str, high: str
) -> None:
    pixels, remark = shown(values, dtype)
    assert pixels[0] == 0
    assert pixels[2] == 255
    expected = (values[1] / 2 - values[0] / 2) / (values[2] / 2 - values[0] / 2) * 255
    assert abs(pixels[1] - expected) <= 1
    assert remark == f"Shown from {low} to {high}, the range of its values."


def test_no_value_is_black_and_does_not_count() -> None:
    values = [np.nan, np.inf, -np.inf, -9999.0, 10.0, 20.0]
    pixels, remark = shown(values, "f4", nodata=-9999)
    assert pixels == [0, 0, 0, 0, 0, 255]
    assert remark == "Shown from 10 to 20, the range of its values."
    assert shown([-32768, 0, 100], "i2", nodata=-32768)[0] == [0, 0, 255]
    # The number in the text and the one in the file differ by a rounding.
    lowest = float(np.finfo("f4").min)
    assert shown([lowest, 1.0, 3.0], "f4", nodata=-3.4028234663852886e38)[0] == [0, 0, 255]
    assert shown([np.nan, np.nan], "f4") == ([0, 0], "It has no values at all; it is shown black.")


def test_a_few_values_far_outside_do_not_make_the_rest_one_grey() -> None:
    values = np.linspace(0, 100, 40_000, dtype=np.float32).reshape(200, 200)
    values[0, :3] = -9999
    values[5, 5] = 1e6
    pixels, remark = eight_bits(values, full=1.0)
    np.testing.assert_allclose(pixels[100, 100], values[100, 100] * 2.55, atol=2)
    assert pixels[0, 0] == 0
    assert pixels[5, 5] == 255
    assert remark.endswith("the range of its values but for a few from -9999 to 1000000.")


def test_few_levels_are_no_outliers() -> None:
    values = np.zeros((200, 200), np.int32)
    values[:2, :2] = 1000
    pixels, _ = eight_bits(values, full=None)
    assert pixels[0, 0] == 255
    assert pixels[-1, -1] == 0


def test_a_constant_is_black_unless_its_type_says_how_bright_it_is() -> None:
    assert shown([7.0, 7.0], "f4") == ([0, 0], "All its values are 7; it is black.")
    assert shown([32896, 32896], "u2") == ([128, 128], "")
    assert shown([0, 0], "u2") == ([0, 0], "")
    assert shown([514, 514], "u2") == ([2, 2], "")


def test_a_large_picture_is_the_same_as_its_parts() -> None:
    values = np.arange(3000 * 2000, dtype=np.uint32).reshape(3000, 2000)
    pixels, _ = eight_bits(values, full=None)
    assert pixels[0, 0] == 0
    assert pixels[-1, -1] == 255
    assert (np.diff(pixels[:, 0].astype(int)) >= 0).all()


@given(
    hnp.arrays(
        st.sampled_from(["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]),
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=5),
    ),
    st.one_of(st.none(), st.floats()),
)
def test_any_values_give_a_picture_and_a_sentence(values: np.ndarray, nodata: float | None) -> None:
    pixels, remark = eight_bits(values, full=full_of(values.dtype), nodata=nodata)
    assert pixels.shape == values.shape
    assert pixels.dtype == np.uint8
    assert remark == "" or remark.endswith(".")
