"""The bounds of `make quality`, on tokens and masks whose right answers are known."""

import numpy as np
import pytest

from benchmarks.labelled import LabelledSet
from benchmarks.oracles import (
    Best,
    agreement,
    best_linear,
    best_of,
    best_size,
    best_threshold,
    coverage,
    linear_margins,
    true_tokens,
)
from benchmarks.person import innermost
from benchmarks.prepared import SMALL_SIDE, prepare
from benchmarks.robust import disc_scene
from benchmarks.stages import BACKBONE
from pointprompt import backbones
from pointprompt.settings import SIZES, Settings
from pointprompt.types import Click


def left_of(column, size=20):
    mask = np.zeros((size, size), bool)
    mask[:, :column] = True
    return mask


def test_the_best_choice_is_the_one_whose_masks_agree_best_on_average():
    truth = [left_of(10), left_of(4)]
    best = best_of(lambda column: [left_of(int(column))] * 2, [2, 4, 8, 10], truth)
    assert best.choice == 4
    assert best.iou == [0.4, 1.0]
    assert best.mean == pytest.approx(0.7)


def test_of_equal_choices_the_first_is_the_best():
    assert best_of(lambda _: [left_of(3)], [7, 5], [left_of(3)]) == Best(7, [1.0])


def test_the_coverage_of_a_token_is_its_share_of_the_mask():
    mask = np.zeros((8, 8), bool)
    mask[:4, :2] = True
    assert coverage([mask], (2, 2)).tolist() == [[[0.5, 0], [0, 0]]]


def test_a_linear_rule_finds_what_a_plane_separates():
    random = np.random.default_rng(0)
    inside = random.random((3, 8, 8)) < 0.3
    tokens = random.normal(0, 1, (3, 8, 8, 5)).astype(np.float32)
    tokens[..., 2] = np.where(inside, 4, 3)
    margins = linear_margins(tokens, inside.astype(np.float32))
    assert np.abs(margins - (2 * inside - 1)).max() < 0.1


def test_a_linear_rule_of_tokens_that_say_nothing_is_the_mean():
    shares = np.zeros((1, 4, 4), np.float32)
    shares[0, 0] = 1
    tokens = np.ones((1, 4, 4, 3), np.float32)
    tokens[0, :, ::2, 1] = 2
    assert linear_margins(tokens, shares) == pytest.approx(-0.5, abs=1e-6)


def test_agreement_leaves_images_without_the_thing_out_of_the_boundary():
    empty = np.zeros((20, 20), bool)
    found = agreement([left_of(10), left_of(3)], [left_of(10), empty])
    assert (found.iou, found.boundary) == (0.5, 1)


@pytest.fixture(scope="module")
def discs():
    scenes = [disc_scene(seed, x) for seed, x in ((1, 0.5), (2, 0.3))]
    photos = [np.repeat(np.repeat(scene.pixels, 2, 0), 2, 1) for scene in scenes]
    masks = [np.repeat(np.repeat(scene.truth, 2, 0), 2, 1) for scene in scenes]
    labelled = LabelledSet("discs", "class", photos, masks)
    return prepare(labelled, backbones.load(BACKBONE, device="cpu"))


def test_true_tokens_are_near_the_truth_through_every_outline(discs):
    found = true_tokens(discs)
    assert set(found) == {"true tokens, outline tokens", "true tokens, outline photo"}
    assert min(of_outline.iou for of_outline in found.values()) > 0.9


def test_a_linear_rule_on_features_finds_drawn_discs(discs):
    assert best_linear(discs, discs.features).iou > 0.9


def test_no_threshold_is_better_than_the_best_and_it_is_found_on_small_photos(discs):
    row, column = innermost(discs.full.masks[0])
    height, width = discs.full.masks[0].shape
    clicks = [Click(0, (column + 0.5) / width, (row + 0.5) / height)]
    assert max(discs.small.masks[0].shape) == SMALL_SIDE < width
    own = best_threshold(discs, clicks, Settings(), [0.5])
    best = best_threshold(discs, clicks, Settings(), [0.5, 0.05, 0.6])
    assert own.mean <= best.mean
    assert best.choice != 0.05


def test_no_size_is_better_than_the_best(discs):
    row, column = innermost(discs.full.masks[0])
    height, width = discs.full.masks[0].shape
    clicks = [Click(0, (column + 0.5) / width, (row + 0.5) / height)]
    best = best_size(discs, clicks, Settings())
    assert best.mean >= best_threshold(discs, clicks, Settings(), [0.5]).mean
    assert best.choice in range(len(SIZES))
