import numpy as np
import pytest

from pointprompt.masks.colour_models import near_by, of_photo

RED, BLUE = (200, 40, 40), (40, 60, 200)
SIZE = (60, 200)


def _photo(red):
    return np.where(red[..., None], RED, BLUE).astype(np.uint8)


def _sure_left_and_right(value=0.4):
    """Inside at the left end, outside at the right one, and nothing known in between."""
    margins = np.zeros(SIZE, np.float32)
    margins[:, :20], margins[:, -20:] = value, -value
    return margins


def test_a_colour_seen_inside_only_is_inside_everywhere_in_the_photo():
    red = np.zeros(SIZE, bool)
    red[:, :100] = True
    likely = of_photo(_sure_left_and_right(), _photo(red))
    assert likely[red] == pytest.approx(1)
    assert likely[~red] == pytest.approx(-1)
    assert of_photo(-_sure_left_and_right(), _photo(red)) == pytest.approx(-likely)


def test_a_colour_seen_as_often_on_both_sides_says_nothing():
    red = np.zeros(SIZE, bool)
    red[::2] = True
    assert of_photo(_sure_left_and_right(), _photo(red)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("margins", [0.0, 0.9, -0.9, 0.05])
def test_where_one_side_is_not_known_the_photos_colours_say_nothing(margins):
    photo = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    assert not of_photo(np.full(SIZE, margins, np.float32), photo).any()


def test_near_by_a_colour_is_what_it_is_there_whatever_it_is_elsewhere():
    # Red is inside on the left, and outside on the right.
    margins = _sure_left_and_right()
    likely = near_by(margins, np.full((*SIZE, 3), RED, np.uint8))
    assert (likely[:, :20] > 0.9).all()
    assert (likely[:, -20:] < -0.9).all()
    assert near_by(-margins, np.full((*SIZE, 3), RED, np.uint8)) == pytest.approx(-likely)


@pytest.mark.parametrize("size", [(1, 1), (1, 320), (48, 49)])
def test_photos_of_any_size_have_colours(size):
    random = np.random.default_rng(0)
    photo = random.integers(0, 256, (*size, 3), np.uint8)
    margins = random.uniform(-1, 1, size).astype(np.float32)
    for likely in (of_photo(margins, photo), near_by(margins, photo)):
        assert likely.shape == size
        assert likely.dtype == np.float32
        assert np.abs(likely).max() <= 1
