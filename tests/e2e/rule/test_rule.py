"""The rule in the browser finds what the server's finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as options
from hypothesis import strategies as st

from pointprompt.settings import JointRule, Settings
from pointprompt.types import Click
from tests.e2e.rule.cases import CLICKED, FOREIGN, ITS_OWN, Cases, H, W, analysis, prompts

N = 5


@pytest.fixture(scope="module")
def cases(run) -> Cases:
    return Cases(run, analysis(N))


@pytest.fixture(scope="module")
def going_on(run) -> Cases:
    return Cases(run, analysis(N), goes_on=True)


def compare(cases: Cases, asked: list[tuple[list[Click], Settings]]) -> None:
    for (clicks, settings), found in zip(asked, cases.in_the_browser(asked), strict=True):
        expected = cases.predictor.predict(clicks, settings)
        is_asked = settings.concept or any(click.positive for click in clicks)
        if not expected.presence.any() and not is_asked:
            assert found is None
            continue
        if found is None:
            # All that was positive was clicked again as negative.
            assert not expected.masks.any()
            continue
        margins = np.array([image["margins"] for image in found]).reshape(N, H, W)
        heatmaps = np.array([image["heatmap"] for image in found]).reshape(N, H, W)
        assert ((margins > 0) == expected.masks).mean() >= 0.995
        # Almost nowhere by more than what single precision leaves open.
        assert np.median(np.abs(margins - expected.margins)) < 1e-4
        assert np.median(np.abs(heatmaps - expected.heatmaps)) < 1e-4
        presence = [image["presence"] for image in found]
        np.testing.assert_allclose(presence, expected.presence, atol=1e-3)


ONE = Click(0, 0.4, 0.5)
SEVERAL = [
    Click(0, 0.4, 0.5),
    Click(1, 0.7, 0.2, positive=False),
    Click(2, 0.1, 0.8),
    Click(3, 0.5, 0.5),
    Click(1, 0.3, 0.3),
    Click(0, 0.8, 0.9, positive=False),
]


@pytest.mark.parametrize("size", ["thing", "part", "more"])
@pytest.mark.parametrize("clicks", [[ONE], SEVERAL, SEVERAL[1:]])
def test_one_click_and_several_of_every_size_select_the_same(cases, clicks, size):
    compare(cases, [(clicks, Settings(rule=JointRule(size=size)))])


@pytest.mark.parametrize(("threshold", "gamma"), [(0.3, 1.0), (0.7, 1.0), (0.5, 3.0), (1.0, 0.4)])
def test_threshold_and_gamma_mean_the_same(cases, threshold, gamma):
    compare(cases, [(SEVERAL, Settings(rule=JointRule(threshold=threshold, gamma=gamma)))])


def test_this_one_only_leaves_the_same_regions(cases):
    compare(cases, [(SEVERAL, Settings(one_only=True)), ([ONE], Settings(one_only=True))])


def test_on_one_token_the_last_click_counts_and_without_this_there_is_nothing(cases):
    opposite = replace(ONE, positive=False)
    compare(
        cases,
        [
            ([ONE, opposite], Settings()),
            ([opposite, ONE], Settings()),
            ([opposite], Settings()),
            ([ONE, replace(ONE, image=N - 1, positive=False)], Settings()),
        ],
    )


def test_an_image_that_is_there_twice_is_one_image(cases):
    (found,) = cases.in_the_browser([([ONE], Settings())])
    others = np.array(found[0]["margins"]) != np.array(found[N - 1]["margins"])
    assert others.sum() == 1  # the clicked token itself, which is of the first image alone


def test_what_was_asked_before_leaves_nothing_in_what_is_asked_next(cases):
    """As the pointer moves, the clicks before stay and the last is another one each time."""
    moving = [[*SEVERAL[:3], Click(1, x / 16, 0.4)] for x in range(16)]
    asked = [(clicks, Settings()) for clicks in [*moving, SEVERAL[:2], SEVERAL[:4], [ONE]]]
    compare(cases, asked)


# Not made smaller where it fails: each try is work of a browser.
@options(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(asked=st.lists(prompts(N), min_size=12, max_size=24))
def test_whatever_is_clicked_both_select_the_same(cases, asked):
    compare(cases, asked)


@pytest.mark.parametrize("concept", [ITS_OWN, FOREIGN])
@pytest.mark.parametrize("clicks", [[], [ONE], [*CLICKED, *SEVERAL], [SEVERAL[1]]])
def test_from_a_concept_of_a_recipe_both_go_on_to_the_same(going_on, concept, clicks):
    compare(going_on, [(clicks, Settings(JointRule(concept=concept)))])


def test_what_was_asked_of_one_concept_leaves_nothing_in_what_is_asked_of_another(going_on):
    names = [ITS_OWN, FOREIGN, "", FOREIGN, ITS_OWN]
    asked = [([ONE], Settings(JointRule(concept=name))) for name in names]
    compare(going_on, asked)


def test_of_a_concept_that_it_has_not_the_browser_says_nothing(going_on):
    (found,) = going_on.in_the_browser([([ONE], Settings(JointRule(concept=f"{'b' * 16}-0")))])
    assert found is None


@options(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(asked=st.lists(prompts(N, ("", ITS_OWN, FOREIGN)), min_size=12, max_size=24))
def test_whatever_goes_on_from_a_concept_both_select_the_same(going_on, asked):
    compare(going_on, asked)
