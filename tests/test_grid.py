import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointprompt.grid import check_image, enlarge, regions, token_of, upscale
from pointprompt.types import Click


def test_four_quadrants_become_four_quadrants():
    mask = np.array([[True, False], [False, True]])
    large = upscale(mask, 6, 4)
    assert large.dtype == bool
    assert large.astype(int).tolist() == [[1, 1, 0, 0]] * 3 + [[0, 0, 1, 1]] * 3


def test_a_mask_of_its_own_size_stays_as_it_is():
    mask = np.random.default_rng(0).random((7, 5)) > 0.5
    assert np.array_equal(upscale(mask, 7, 5), mask)


def test_a_pixel_between_two_tokens_takes_the_one_its_centre_is_in():
    # Three pixels on two tokens: the middle one's centre is where the second begins.
    assert upscale(np.array([[True, False]]), 1, 3).tolist() == [[True, False, False]]
    # Two pixels on three tokens: centres at 0.75 and 2.25 tokens.
    assert upscale(np.array([[True, False, True]]), 1, 2).tolist() == [[True, True]]


@given(
    tokens=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    seed=st.integers(0, 99),
)
def test_each_pixel_agrees_with_a_click_on_its_centre(tokens, size, seed):
    mask = np.random.default_rng(seed).random(tokens) > 0.5
    large = upscale(mask, *size)
    assert large.shape == size
    height, width = size
    diagonal = range(max(size))
    for row, column in zip(
        (i % height for i in diagonal), (i % width for i in diagonal), strict=True
    ):
        click = Click(0, (column + 0.5) / width, (row + 0.5) / height)
        assert large[row, column] == mask[token_of(click, *tokens)]


@pytest.mark.parametrize(
    "size", [(1, 1), (20_000, 50), (50, 20_000), (1, 300), (30, 30), (6000, 8333)]
)
def test_any_size_of_image_has_a_mask_of_that_size(size):
    mask = np.random.default_rng(0).random((64, 64)) > 0.5
    large = upscale(mask, *size)
    assert large.shape == size
    assert large[0, 0] == mask[32 if size[0] == 1 else 0, 32 if size[1] == 1 else 0]


@pytest.mark.parametrize("token", [True, False])
def test_one_token_fills_the_image(token):
    assert (upscale(np.array([[token]]), 5, 9) == token).all()


@pytest.mark.parametrize(
    ("shape", "size"),
    [((4,), (8, 8)), ((1, 4, 4), (8, 8)), ((0, 4), (8, 8)), ((4, 4), (0, 8)), ((4, 4), (8, -1))],
)
def test_what_has_no_pixels_or_tokens_is_an_error(shape, size):
    with pytest.raises(ValueError, match="must have"):
        upscale(np.zeros(shape, bool), *size)


@given(
    x=st.floats(0, 1, exclude_max=True),
    y=st.floats(0, 1, exclude_max=True),
    h=st.integers(1, 4096),
    w=st.integers(1, 4096),
)
def test_every_click_is_on_a_token_of_the_grid(x, y, h, w):
    row, column = token_of(Click(0, x, y), h, w)
    assert 0 <= row < h
    assert 0 <= column < w
    assert abs(row + 0.5 - y * h) <= 0.5 + 1e-9
    assert abs(column + 0.5 - x * w) <= 0.5 + 1e-9


def test_a_click_strides_by_the_width_of_an_oblong_grid():
    assert token_of(Click(0, 0.99, 0.0), 10, 100) == (0, 99)
    assert token_of(Click(0, 0.0, 0.99), 10, 100) == (9, 0)


def test_a_click_beyond_the_last_image_is_an_error_that_counts_them():
    check_image(1, 2)
    with pytest.raises(ValueError, match="image 2, counted from 0, but the set has only 2"):
        check_image(2, 2)


def test_an_enlarged_plane_is_exact_at_its_cells_centres_and_straight_between_them():
    plane = np.array([[0, 1, 3]], np.float32)
    assert enlarge(plane, 1, 9)[0, [1, 4, 7]].tolist() == [0, 1, 3]
    assert enlarge(plane, 1, 9)[0, [2, 5]] == pytest.approx([1 / 3, 5 / 3], abs=1e-6)


def test_tokens_that_touch_at_a_corner_are_one_region_and_those_of_two_images_never():
    corner = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]], bool)
    assert regions(corner)[1] == 1
    assert regions(np.array([[1, 0, 1]], bool))[1] == 2
    numbers, count = regions(np.stack([corner, corner]))
    assert count == 2
    assert numbers[0].max() != numbers[1].max()


@pytest.mark.parametrize(
    "module", ["grid", "rules.concept", "rules.joint", "rules.one_only", "rules.predictor"]
)
def test_what_needs_no_tensors_imports_no_torch(module):
    """A rule can be applied where there is no torch."""
    script = f"import sys, pointprompt.{module}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
