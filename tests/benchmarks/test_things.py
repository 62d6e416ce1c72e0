from __future__ import annotations

import numpy as np

from benchmarks.labelled import LabelledSet
from benchmarks.things import _first, pairs

PHOTOS = [np.full((4, 6, 3), value, np.uint8) for value in range(12)]


def labelled(name: str, kind: str, numbers: range, at: int) -> LabelledSet:
    """A set of some of the photos, with a thing in one column of each."""
    mask = np.zeros((4, 6), bool)
    mask[:, at] = True
    return LabelledSet(name, kind, [PHOTOS[number] for number in numbers], [mask] * len(numbers))


def test_two_things_are_looked_for_in_the_photos_that_both_sets_have():
    wheels = labelled("wheels", "part", range(7), 1)
    doors = labelled("doors", "part", range(2, 12), 4)
    few = labelled("few", "part", range(8, 12), 5)
    (pair,) = pairs([wheels, doors, few])
    assert (pair.name, pair.kind) == ("wheels and doors", "the same photos")
    assert [int(photo[0, 0, 0]) for photo in pair.photos] == [2, 3, 4, 5, 6]
    one, other = pair.masks
    assert all(mask[:, 1].all() for mask in one)
    assert all(mask[:, 4].all() for mask in other)


def test_of_two_classes_put_together_each_is_in_its_own_photos_alone():
    cats, dogs = labelled("cats", "class", range(3), 1), labelled("dogs", "class", range(4, 6), 2)
    (pair,) = pairs([cats, dogs])
    assert (pair.kind, len(pair.photos)) == ("other photos", 5)
    assert [mask.any() for mask in pair.masks[0]] == [True] * 3 + [False] * 2
    assert [mask.any() for mask in pair.masks[1]] == [False] * 3 + [True] * 2
    click = _first(pair.masks[1])
    assert (click.image, click.positive) == (3, True)
