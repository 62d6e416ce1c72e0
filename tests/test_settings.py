import math

import numpy as np
import pytest
from hypothesis import given

from pointprompt.settings import OUTLINES, RULES, JointRule, Settings, TutorialRule
from tests.hostile import ANYTHING


@given(threshold=ANYTHING, gamma=ANYTHING)
def test_our_rules_settings_are_in_their_ranges_or_they_are_refused(**values):
    try:
        rule = JointRule(**values)
    except ValueError as error:
        assert any(str(error).startswith(name) for name in values)
    else:
        assert 0 <= rule.threshold <= 1
        assert 0 < rule.gamma <= 10


@given(
    threshold=ANYTHING,
    gamma=ANYTHING,
    denoise=ANYTHING,
    min_area=ANYTHING,
    negative_threshold=ANYTHING,
    n_eigvecs=ANYTHING,
)
def test_the_tutorials_settings_are_in_their_ranges_or_they_are_refused(**values):
    try:
        rule = TutorialRule(**values)
    except ValueError as error:
        assert any(str(error).startswith(name) for name in values)
    else:
        assert rule.denoise in (True, False)
        assert 0 <= rule.threshold <= 1
        assert 0 <= rule.negative_threshold <= 1
        assert 0 < rule.gamma <= 10
        assert rule.min_area >= 0
        assert rule.n_eigvecs is None or rule.n_eigvecs >= 1


@given(rule=ANYTHING, one_only=ANYTHING, outline=ANYTHING)
def test_settings_are_what_they_are_or_they_are_refused(**values):
    with pytest.raises(ValueError, match=r"^(rule|one_only|outline) must be "):
        Settings(**values)


def test_the_defaults_are_our_rule_along_the_photos_edges_and_the_tutorials_own_values():
    assert Settings() == Settings(JointRule(threshold=0.5, gamma=1), False, "photo")
    assert TutorialRule() == TutorialRule(0.5, 1, True, 3, 0.99, None)


@pytest.mark.parametrize("name", ["", "Joint", "kernel", None, 0, True, ["joint"]])
def test_an_unknown_rule_is_refused_and_the_known_ones_are_named(name):
    with pytest.raises(ValueError, match=r"^rule must be one of joint, tutorial, not "):
        Settings.from_dict({"rule": {"name": name}})


@pytest.mark.parametrize("entry", [{"sharpness": 1}, {"rule": {"name": "joint", "min_area": 3}}])
def test_a_setting_that_its_rule_does_not_have_is_refused_with_its_name(entry):
    with pytest.raises(ValueError, match=r"There is no setting '(sharpness|min_area)'"):
        Settings.from_dict(entry)


@pytest.mark.parametrize("rule", RULES.values())
@pytest.mark.parametrize("outline", OUTLINES)
def test_settings_survive_the_way_through_a_dictionary(rule, outline):
    settings = Settings(rule(threshold=0.3, gamma=2), one_only=True, outline=outline)
    assert Settings.from_dict(settings.as_dict()) == settings
    assert Settings.from_dict({}) == Settings()


@pytest.mark.parametrize("value", [None, 0, 1, "true", np.True_])
def test_a_switch_is_true_or_false(value):
    with pytest.raises(ValueError, match=r"^one_only must be true or false"):
        Settings(one_only=value)
    with pytest.raises(ValueError, match=r"^denoise must be true or false"):
        TutorialRule(denoise=value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1, "0.5", None, True])
def test_a_share_out_of_range_is_refused_with_its_name(value):
    for rule, name in (
        (JointRule, "threshold"),
        (TutorialRule, "threshold"),
        (TutorialRule, "negative_threshold"),
    ):
        with pytest.raises(ValueError, match=f"^{name} must be a number from 0 to 1"):
            rule(**{name: value})


def test_numpy_numbers_are_numbers():
    assert TutorialRule(min_area=np.int64(2), gamma=np.float32(2)).min_area == 2
