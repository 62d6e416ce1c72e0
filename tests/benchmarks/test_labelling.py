"""A simulated person who labels things: where they click, and what is counted."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.labelled import LabelledSet
from benchmarks.labelling import (
    Step,
    Work,
    compared,
    joined,
    least_work,
    most_wrong,
    photo_ious,
)


def square(left: int, size: int = 2) -> np.ndarray:
    """A mask with a square in it."""
    mask = np.zeros((8, 12), bool)
    mask[2 : 2 + size, left : left + size] = True
    return mask


NONE = square(0, 0)


def labelled(name: str, count: int, left: int) -> LabelledSet:
    photos = [np.full((8, 12, 3), number, np.uint8) for number in range(count)]
    return LabelledSet(name, "class", photos, [square(left)] * count)


def test_sets_are_put_together_in_turn_and_a_thing_is_in_its_own_photos_alone():
    sets = [labelled("a", 2, 0), labelled("b", 1, 0), labelled("c", 9, 5)]
    task = joined(sets, {"cat": ["a", "b"], "dog": ["c"]}, 5)
    assert task.names == ("cat", "dog")
    assert [mask.any() for mask in task.masks[0]] == [True, False, True, False, True]
    assert [mask.any() for mask in task.masks[1]] == [False, True, False, True, False]
    assert [int(photo[0, 0, 0]) for photo in task.photos] == [0, 0, 1, 1, 0]
    alone = task.alone(3)
    assert (alone.names, len(alone.photos)) == (("dog",), 1)
    assert alone.masks[0][0][2, 5]


def test_the_person_clicks_on_what_is_most_wrong_of_all_things():
    truth = [[square(0), NONE], [NONE, square(4, 4)]]
    masks = [[NONE, square(0, 3)], [NONE, NONE]]
    thing, click = most_wrong(masks, truth, set())
    assert (thing, click.image, click.positive) == (1, 1, True)
    thing, click = most_wrong(masks, truth, {(1, 1)})
    assert (thing, click.image, click.positive) == (0, 1, False)
    assert most_wrong(truth, truth, set()) is None


def test_a_pixel_with_another_things_name_is_wrong():
    truth = [[square(0)], [NONE]]
    assert photo_ious(truth, truth) == [1]
    assert photo_ious([[NONE], [square(0)]], truth) == [0]
    assert photo_ious([[square(0)], [square(4)]], truth) == [0.5]


def test_what_is_done_adds_up_and_eyes_and_head_come_on_top():
    work = Work(clicks=2, keys=1, decisions=1, looks=10, waited=3) + Work(clicks=1, undone=1)
    assert (work.actions, work.undone) == (4, 1)
    assert work.seconds == pytest.approx(3 * 1.3 + 0.28 + 3)
    assert work.seconds_in_all == pytest.approx(work.seconds + 10 * 0.23 + 1.35)


def course(*ious: float) -> list[Step]:
    return [Step(Work(clicks=number), (iou,)) for number, iou in enumerate(ious)]


def test_one_photo_after_the_other_takes_the_least_that_reaches_the_mean():
    courses = [course(0, 0.5, 0.8, 0.9), course(0, 0.7, 0.6, 0.95)]
    assert least_work(courses, 0.6) == Work(clicks=2)
    # Good enough is the same in all photos: 0.8 is, so the second one takes three.
    assert least_work(courses, 0.8) == Work(clicks=5)
    assert least_work(courses, 0.99) is None


def test_the_last_row_is_the_most_that_one_set_reached():
    table = compared([Step(Work(clicks=1), (0.4,)), Step(Work(clicks=2), (0.55,))], [course(0, 1)])
    assert [row[0] for row in table.rows] == ["0.500", "0.550"]
    assert [(row[1], row[5]) for row in table.rows] == [(2, 1), (2, 1)]
