"""Where `make quality` says that masks lose, on masks whose right answers are known."""

import numpy as np
import pytest

from benchmarks.loss import Loss, loss, near_outline

# 40 x 80 pixels of 10 x 10 tokens: a token is 4 pixels high and 8 wide.
GRID = (10, 10)
TRUTH = np.zeros((40, 80), bool)
TRUTH[:, :40] = True


def columns(first, stop):
    mask = np.zeros_like(TRUTH)
    mask[:, first:stop] = True
    return mask


def loss_of(mask, truth=TRUTH):
    return loss([mask], [truth], [near_outline(truth, GRID)])


def test_near_the_outline_is_one_token_on_either_side():
    assert np.array_equal(near_outline(TRUTH, GRID), columns(32, 48))
    lower = np.zeros_like(TRUTH)
    lower[20:] = True
    assert np.flatnonzero(near_outline(lower, GRID)[:, 0]).tolist() == list(range(16, 24))


def test_nothing_and_everything_have_no_outline():
    assert not near_outline(np.zeros_like(TRUTH), GRID).any()
    assert not near_outline(np.ones_like(TRUTH), GRID).any()


def test_right_masks_lose_nothing():
    assert loss_of(TRUTH) == Loss(0, 0, 0, 0)
    assert loss_of(np.zeros_like(TRUTH), np.zeros_like(TRUTH)) == Loss(0, 0, 0, 0)


def test_too_much_is_outline_and_background():
    found = loss_of(columns(0, 60))  # 20 of 60 columns are wrong, 8 of them near.
    assert found.outline == pytest.approx(8 / 60)
    assert found.background == pytest.approx(12 / 60)
    assert found.missed == found.part == 0


def test_too_little_is_outline_and_part():
    found = loss_of(columns(0, 10))  # 30 of 40 columns are wrong, 8 of them near.
    assert found.outline == pytest.approx(8 / 40)
    assert found.part == pytest.approx(22 / 40)
    assert found.missed == found.background == 0


def test_an_image_in_which_hardly_anything_was_found_is_missed_whole():
    found = loss_of(columns(38, 80))
    assert found.missed == found.total == pytest.approx(1 - 2 / 80)


def test_what_is_taken_where_the_thing_is_not_is_background():
    assert loss_of(columns(0, 3), np.zeros_like(TRUTH)) == Loss(0, 0, 1, 0)


def test_the_parts_of_all_images_add_up_to_the_mean_of_what_is_lost():
    masks = [columns(0, 60), columns(0, 10), columns(70, 80)]
    found = loss(masks, [TRUTH] * 3, [near_outline(TRUTH, GRID)] * 3)
    assert found.total == pytest.approx((20 / 60 + 30 / 40 + 1) / 3)
    assert found.missed == pytest.approx(1 / 3)
