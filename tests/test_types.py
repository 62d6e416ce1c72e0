import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointprompt.types import RULES, BackboneRequest, Click, Settings

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
    rule=ANYTHING,
    strength=ANYTHING,
    one_only=ANYTHING,
    edges=ANYTHING,
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
        assert settings.rule in RULES
        assert 0 <= settings.strength <= 1
        assert {settings.one_only, settings.edges, settings.denoise} <= {True, False}
        assert 0 <= settings.threshold <= 1
        assert 0 <= settings.negative_threshold <= 1
        assert 0 < settings.gamma <= 10
        assert settings.min_area >= 0
        assert settings.n_eigvecs is None or settings.n_eigvecs >= 1


def test_the_defaults_are_our_rule_with_edges_and_the_tutorials_own_values():
    assert Settings() == Settings(
        rule="kernel",
        strength=0.5,
        one_only=False,
        edges=True,
        threshold=0.5,
        gamma=1,
        denoise=True,
        min_area=3,
        negative_threshold=0.99,
        n_eigvecs=None,
    )


@pytest.mark.parametrize("rule", ["", "Kernel", "tutorials", None, 0, True, ["kernel"]])
def test_an_unknown_rule_is_refused_and_the_known_ones_are_named(rule):
    with pytest.raises(ValueError, match=r"^rule must be one of kernel, tutorial, not "):
        Settings(rule=rule)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_can_be_chosen(rule):
    assert Settings(rule=rule).rule == rule


@pytest.mark.parametrize("name", ["one_only", "edges", "denoise"])
@pytest.mark.parametrize("value", [None, 0, 1, "true", np.True_])
def test_a_switch_is_true_or_false(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be true or false"):
        Settings(**{name: value})


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1, "0.5", None, True])
@pytest.mark.parametrize("name", ["strength", "threshold", "negative_threshold"])
def test_a_share_out_of_range_is_refused_with_its_name(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be a number from 0 to 1"):
        Settings(**{name: value})


def test_numpy_numbers_are_numbers():
    click = Click(0, np.float32(0.25), np.float64(0.5))
    assert (click.x, click.y) == (0.25, 0.5)
    assert Settings(min_area=np.int64(2), gamma=np.float32(2)).min_area == 2


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
    ],
)
def test_a_choice_of_a_backbone_is_of_the_right_kinds(wrong):
    with pytest.raises(ValueError, match="backbone"):
        BackboneRequest(**wrong)
