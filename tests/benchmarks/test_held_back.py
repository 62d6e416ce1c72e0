"""Recipes on images held back: who is clicked where, and what the table says."""

from __future__ import annotations

import numpy as np

from benchmarks import held_back
from benchmarks.held_back import SHOWN, Found, courses, measured, summary
from benchmarks.labelled import LabelledSet
from benchmarks.stages import BACKBONE
from pointprompt import backbones
from tests.test_pipeline import scene

PLACES = [(0.25, 0.5), (0.7, 0.6), (0.5, 0.4), (0.35, 0.35)]
SCENES = [scene((120, 160), place, (0.85, 0.15)) for place in PLACES]


def test_a_recipe_finds_in_images_held_back_what_a_joint_analysis_does(monkeypatch):
    monkeypatch.setattr(held_back, "SHOWN", (1, 2))
    labelled = LabelledSet(
        "striped", "class", [one.pixels for one in SCENES], [one.striped for one in SCENES]
    )
    found = measured(labelled, backbones.load(BACKBONE, device="cpu"))
    assert found.kind == "class"
    for ious in (found.recipe, found.same, found.own):
        assert len(ious) == 2
        assert min(ious) > 0.6


def test_clicks_are_on_the_first_image_that_has_the_thing_and_end_where_nothing_is_wrong(
    monkeypatch,
):
    truth = [np.zeros((10, 10), bool), np.eye(10, dtype=bool)]

    class Right:
        masks = truth

    monkeypatch.setattr(held_back, "predict", lambda *_: Right)
    found = courses(None, truth)
    assert [len(clicks) for clicks in found] == [1] * len(SHOWN)
    assert (found[0][0].image, found[0][0].positive) == (1, True)


def test_the_table_has_means_of_all_and_of_each_kind_and_what_is_lost():
    shown = len(SHOWN)
    table = summary(
        [
            Found("class", [0.5] * shown, [0.5] * shown, [0.4] * shown),
            Found("video", [0.7] * shown, [0.8] * shown, [0.6] * shown),
        ]
    )
    first = [row for row in table.rows if row[2] == SHOWN[0]]
    assert [[str(cell) for cell in row] for row in first] == [
        ["all", "2", "1", "0.600", "0.650", "0.500", "0.050/0.02 over"],
        ["class", "1", "1", "0.500", "0.500", "0.400", "0.000/0.02 ok"],
        ["video", "1", "1", "0.700", "0.800", "0.600", "0.100/0.02 over"],
    ]
