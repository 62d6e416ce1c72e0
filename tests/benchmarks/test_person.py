"""The simulated person of `make quality` clicks where a careful person would."""

import numpy as np
import pytest
from scipy import ndimage

from benchmarks.person import CLICKS, innermost, next_click, run


def with_square(top, left, side, size=60):
    mask = np.zeros((size, size), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_the_innermost_point_of_a_square_is_its_middle():
    assert innermost(with_square(10, 20, 21)) == (20, 30)


def test_the_innermost_point_keeps_off_the_border_of_the_image():
    left = np.zeros((40, 41), bool)
    left[:, :21] = True
    row, column = innermost(left)
    assert column == 10
    assert 10 <= row <= 29


def test_no_point_of_a_ragged_region_is_further_in_than_the_innermost():
    random = ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 1, (50, 70)), 3)
    for region in (random > 0, random > 0.1, random < -0.1):
        depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
        assert depth[innermost(region)] == depth.max()


def test_what_is_most_missing_is_clicked_as_this():
    truth = [with_square(10, 10, 9), with_square(10, 10, 21)]
    click = next_click([np.zeros((60, 60), bool)] * 2, truth)
    assert (click.image, click.positive) == (1, True)
    assert (click.x * 60, click.y * 60) == pytest.approx((20.5, 20.5))


def test_what_is_most_wrongly_taken_is_clicked_as_not_this():
    empty = np.zeros((60, 60), bool)
    click = next_click([with_square(10, 10, 9), with_square(30, 30, 21)], [empty, empty])
    assert (click.image, click.positive) == (1, False)
    assert (click.x * 60, click.y * 60) == pytest.approx((40.5, 40.5))


def test_of_right_masks_nothing_is_clicked():
    truth = [with_square(10, 10, 9)]
    assert next_click(truth, truth) is None


def test_a_course_begins_inside_the_thing_and_ends_when_all_is_right():
    truth = [with_square(10, 10, 21), with_square(30, 30, 11)]
    asked = []

    def rule(clicks):
        asked.append(len(clicks))
        return [truth[0], truth[1] if len(clicks) > 1 else ~truth[1]], 0.5

    course = run(rule, truth)
    assert asked == [1, 2]
    assert course.clicks[0].positive
    assert (course.clicks[0].x * 60, course.clicks[0].y * 60) == pytest.approx((20.5, 20.5))
    assert course.iou.tolist() == [0.5] + [1] * (CLICKS - 1)
    assert course.boundary == 1


def test_a_rule_that_never_learns_is_clicked_ten_times():
    truth = [with_square(10, 10, 21)]
    course = run(lambda clicks: ([~truth[0]], 0.0), truth)
    assert len(course.clicks) == CLICKS
    assert not course.iou.any()
