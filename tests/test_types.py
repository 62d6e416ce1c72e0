import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointprompt.types import Click, Settings

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.just(10**400),
    st.lists(st.integers(), max_size=2),
)


@given(image=ANYTHING, x=ANYTHING, y=ANYTHING, positive=ANYTHING)
def test_a_click_is_inside_an_image_or_it_is_refused(image, x, y, positive):
    try:
        click = Click(image, x, y, positive)
    except ValueError as error:
        assert str(error).startswith("A click's")
    else:
        assert click.image >= 0
        assert 0 <= click.x < 1
        assert 0 <= click.y < 1
        assert isinstance(click.positive, bool)


@given(
    threshold=ANYTHING,
    gamma=ANYTHING,
    denoise=ANYTHING,
    min_area=ANYTHING,
    negative_threshold=ANYTHING,
    n_eigvecs=ANYTHING,
)
def test_settings_are_in_their_ranges_or_they_are_refused(**values):
    try:
        settings = Settings(**values)
    except ValueError as error:
        assert any(str(error).startswith(name) for name in values)
    else:
        assert 0 <= settings.threshold <= 1
        assert 0 <= settings.negative_threshold <= 1
        assert 0 < settings.gamma <= 10
        assert settings.min_area >= 0
        assert settings.n_eigvecs is None or settings.n_eigvecs >= 1


def test_the_defaults_are_the_tutorials():
    assert Settings() == Settings(
        threshold=0.5, gamma=1, denoise=True, min_area=3, negative_threshold=0.99
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1, "0.5", None, True])
def test_a_threshold_out_of_range_is_refused_with_its_name(value):
    with pytest.raises(ValueError, match="^threshold must be a number from 0 to 1"):
        Settings(threshold=value)


def test_numpy_numbers_are_numbers():
    click = Click(0, np.float32(0.25), np.float64(0.5))
    assert (click.x, click.y) == (0.25, 0.5)
    assert Settings(min_area=np.int64(2), gamma=np.float32(2)).min_area == 2
