from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@st.composite
def shuffles(draw):
    names = draw(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=6, unique=True))
    order = draw(st.permutations(range(len(names))))
    return names, order


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shuffles())
def test_the_same_images_are_found_in_any_order(run, shuffle):
    names, order = shuffle
    before = [{"name": name, "width": 3, "height": 4, "tile": "old"} for name in names]
    after = [{**before[index], "tile": "new"} for index in order]
    places = run("return (await import('/state/same.js')).sameImages(...input);", [before, after])
    assert [after[place]["name"] for place in places] == names


@pytest.mark.parametrize(
    "after",
    [
        [],
        [("a", 3, 4)],
        [("a", 3, 4), ("b", 3, 4), ("c", 3, 4)],
        [("a", 3, 4), ("c", 3, 4)],
        [("a", 3, 4), ("b", 4, 3)],
        [("a", 3, 4), ("a", 3, 4)],
    ],
)
def test_other_images_are_not_the_same(run, after):
    def images(given):
        return [dict(zip(("name", "width", "height"), one, strict=True)) for one in given]

    before = images([("a", 3, 4), ("b", 3, 4)])
    places = run(
        "return (await import('/state/same.js')).sameImages(...input);", [before, images(after)]
    )
    assert places is None


def test_two_images_that_cannot_be_told_apart_are_not_mixed_up(run):
    twins = [{"name": "a", "width": 3, "height": 4}] * 2
    run_it = "return (await import('/state/same.js')).sameImages(...input);"
    assert run(run_it, [twins, twins]) is None
