import numpy as np
import pytest
from hypothesis import given

from pointprompt.types import BackboneRequest, Click
from tests.hostile import ANYTHING


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


def test_numpy_numbers_are_numbers():
    click = Click(0, np.float32(0.25), np.float64(0.5))
    assert (click.x, click.y) == (0.25, 0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"name": 5},
        {"name": ["a"]},
        {"name": "a", "node": 1},
        {"name": "a", "layer": "1"},
        {"name": "a", "layer": True},
        {"name": "a", "input_size": 512.0},
        {"name": "a", "input_size": [512]},
        {"name": "a", "debias": "yes"},
        {"name": "a", "debias": 1},
    ],
)
def test_a_choice_of_a_backbone_is_of_the_right_kinds(wrong):
    with pytest.raises(ValueError, match="backbone"):
        BackboneRequest(**wrong)
