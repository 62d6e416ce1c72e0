import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointprompt.masks.levels import LEAST, stable_level

GRID = (64, 64)


def _ramp_around(center, radius, size, fall):
    """Likeness and photo of a disc: 1 in its middle, `fall` lower at its edge, and 0.45 outside."""
    likeness, photo = (_scene(center, radius, extent, fall) for extent in (GRID, size))
    return likeness[0], photo[1]


def _scene(center, radius, size, fall):
    height, width = size
    rows, columns = np.mgrid[:height, :width] + 0.5
    beyond = np.hypot(columns / width - center[0], rows / height - center[1]) / radius
    likeness = np.where(beyond < 1, 1 - fall * beyond, 0.45).astype(np.float32)
    photo = np.where(beyond[..., None] < 1, (200, 40, 40), (90, 140, 70)).astype(np.uint8)
    return likeness, photo


@pytest.mark.parametrize("radius", [0.06, 0.1, 0.3])
@pytest.mark.parametrize("size", [(240, 240), (240, 720)])
def test_the_level_is_between_a_thing_and_what_is_around_it(radius, size):
    # What is around it is more like it than most things are like their own middle.
    likeness, photo = _ramp_around((0.4, 0.6), radius, size, 0.3)
    assert 0.45 < stable_level(likeness, photo, (0.4, 0.6)) < 0.7


def test_what_is_alike_elsewhere_in_the_photo_does_not_count():
    likeness, photo = _ramp_around((0.25, 0.5), 0.15, (240, 240), 0.2)
    with_a_second, second_photo = _ramp_around((0.75, 0.5), 0.2, (240, 240), 0.2)
    both, both_photo = np.maximum(likeness, with_a_second), photo.copy()
    both_photo[:, 120:] = second_photo[:, 120:]
    alone = stable_level(likeness, photo, (0.25, 0.5))
    assert stable_level(both, both_photo, (0.25, 0.5)) == pytest.approx(alone, abs=0.05)


def test_the_size_of_the_photo_makes_no_difference():
    likeness, small = _ramp_around((0.5, 0.5), 0.2, (160, 160), 0.3)
    _, large = _ramp_around((0.5, 0.5), 0.2, (1000, 1000), 0.3)
    middle = (0.5, 0.5)
    level = stable_level(likeness, small, middle)
    assert stable_level(likeness, large, middle) == pytest.approx(level, abs=0.03)


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_where_all_is_alike_there_is_a_level_all_the_same(value):
    photo = np.full((30, 40, 3), 128, np.uint8)
    assert LEAST <= stable_level(np.full(GRID, value, np.float32), photo, (0.5, 0.5)) <= 0.85


@settings(max_examples=40)
@given(
    grid=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    size=st.tuples(st.integers(1, 40), st.integers(1, 400)),
    at=st.tuples(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True)),
    seed=st.integers(0, 5),
)
def test_any_likeness_has_a_level(grid, size, at, seed):
    random = np.random.default_rng(seed)
    likeness = random.uniform(-1, 1, grid).astype(np.float32)
    photo = random.integers(0, 256, (*size, 3), np.uint8)
    assert LEAST <= stable_level(likeness, photo, at) <= 0.85
