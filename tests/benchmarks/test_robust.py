"""A thing in a set with images that have nothing to do with it, with the built-in backbone."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from benchmarks.analysis import analyze_set
from benchmarks.labelled import iou
from benchmarks.robust import (
    ALONE,
    BACKBONE,
    beside,
    click_on,
    companions,
    dark,
    disc_scene,
    plain,
    text_page,
)
from pointprompt import backbones
from pointprompt.analysis.analysis import Analysis
from pointprompt.backbones.backbone import Backbone
from pointprompt.pipeline import predict
from pointprompt.settings import RULES, Settings
from pointprompt.sources.photos import read_set
from pointprompt.types import ByteArray, Click

DISC = disc_scene()
COMPANIONS = companions(DISC.pixels)
ON_DISC = click_on(DISC)
BLACK, ORANGE = plain(0, 0, 0), plain(240, 150, 20)


@cache
def model() -> Backbone:
    return backbones.load(BACKBONE, device="cpu")


@cache
def alone() -> float:
    return beside(DISC, COMPANIONS[ALONE], model())


def analysis_of(*images: ByteArray) -> Analysis:
    return analyze_set(read_set(images, model().framing), model())


def test_the_disc_alone_is_found():
    assert alone() > 0.9


# `python -m benchmarks.robust` has more of them.
@pytest.mark.parametrize(
    "name", ["black", "white", "orange", "text", "noise", "3 black", "20 black", "20 of itself"]
)
def test_images_without_the_disc_do_not_ruin_its_mask(name):
    assert beside(DISC, COMPANIONS[name], model()) > alone() - 0.05


def test_three_of_one_thing_survive_foreign_images_and_those_stay_empty():
    scenes = [disc_scene(seed, x) for seed, x in ((1, 0.5), (2, 0.3), (3, 0.7))]
    foreign = [BLACK, text_page(), ORANGE]
    analysis = analysis_of(*(scene.pixels for scene in scenes), *foreign)
    prediction = predict(analysis, [ON_DISC])
    for scene, mask in zip(scenes, prediction.masks, strict=False):
        assert iou(mask, scene.truth) > 0.85
    assert not any(mask.any() for mask in prediction.masks[len(scenes) :])
    assert prediction.presence[: len(scenes)].min() > prediction.presence[len(scenes) :].max()


def test_exact_duplicates_have_identical_masks_wherever_they_stand():
    other = disc_scene(2, 0.3)
    analysis = analysis_of(DISC.pixels, other.pixels, DISC.pixels, other.pixels)
    assert np.array_equal(analysis.eigvecs[:2], analysis.eigvecs[2:])
    assert np.array_equal(analysis.codes[:2], analysis.codes[2:])
    found = predict(analysis, [ON_DISC, Click(0, 0.1, 0.9, positive=False)])
    assert np.array_equal(found.masks[1], found.masks[3])
    assert found.presence[1] == found.presence[3]
    # The clicked token, which is given its side, is surely inside already.
    assert np.array_equal(predict(analysis, [ON_DISC]).masks[0], found.masks[2])


def test_an_image_that_is_there_often_weighs_no_more_than_once():
    other = disc_scene(2, 0.3)
    once = analysis_of(DISC.pixels, other.pixels)
    often = analysis_of(DISC.pixels, other.pixels, *[DISC.pixels] * 18)
    assert len(often.photos) == len(often.eigvecs) == 20
    assert np.array_equal(often.eigvals, once.eigvals)
    assert np.array_equal(often.codes[:2], once.codes)
    masks = predict(often, [ON_DISC]).masks
    assert np.array_equal(masks[1], predict(once, [ON_DISC]).masks[1])


def test_a_duplicate_that_joins_later_has_the_mask_of_the_first():
    scenes = [DISC, disc_scene(2, 0.3)]
    pictures = [scene.pixels for scene in scenes]
    analysis = analysis_of(*pictures)
    more = read_set([*pictures, BLACK, BLACK], model().framing)
    joined = analyze_set(more, model(), joins=analysis)
    found = predict(joined, [ON_DISC])
    before = predict(analysis, [ON_DISC])
    for index in range(2):
        assert np.array_equal(found.masks[index], before.masks[index])
        assert iou(found.masks[index], found.masks[index + 2]) > 0.97
    assert not found.masks[4].any()
    assert np.array_equal(joined.eigvecs[4], joined.eigvecs[5])


@pytest.mark.parametrize(
    "images",
    [[BLACK], [ORANGE], [BLACK, BLACK], [BLACK, plain(255, 255, 255), ORANGE], [dark(0)]],
    ids=["black", "orange", "black twice", "three colours", "dark"],
)
def test_a_set_with_nothing_in_it_gives_finite_answers(images):
    analysis = analysis_of(*images)
    assert np.isfinite(analysis.eigvecs).all()
    assert np.isfinite(analysis.codes).all()
    clicks = [Click(0, 0.5, 0.5), Click(len(images) - 1, 0.1, 0.1, positive=False)]
    for rule in RULES.values():
        prediction = predict(analysis, clicks, Settings(rule()))
        assert np.isfinite(prediction.heatmaps).all()
        assert np.isfinite(prediction.presence).all()
        assert len(list(prediction.masks)) == len(images)
