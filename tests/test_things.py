from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from pointprompt.things import MAX_THINGS, THING_COLORS, Color, Thing, check_things, clicks_of
from pointprompt.types import Click

# As people without red or green cones see linear red, green and blue: Machado, Oliveira and
# Fernandes 2009, table 1, severity 1.
SEEN = (
    np.eye(3),
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
)


def least_difference(colors: list[tuple[int, int, int]]) -> float:
    """Of any two, to whom they are the most alike: by CIEDE2000, where 1 can just be seen."""
    values = np.array(colors) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    differences = []
    for matrix in SEEN:
        seen = np.clip(linear @ np.transpose(matrix), 0, 1)
        lab = rgb2lab(np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055))
        pairs = deltaE_ciede2000(lab[:, None], lab[None])
        differences.append(pairs[~np.eye(len(lab), dtype=bool)].min())
    return float(min(differences))


def test_people_with_colour_blindness_can_tell_things_apart():
    colors = list(THING_COLORS.values())
    assert least_difference(colors[:5]) > 12
    assert least_difference(colors[:8]) > 9
    assert least_difference(colors) > 2


def test_there_is_a_colour_for_each():
    assert len(set(THING_COLORS.values())) == MAX_THINGS == len(THING_COLORS)


@pytest.mark.parametrize("name", ["", " cat", "cat\n", "a\tb", "x" * 61, 3, None])
def test_a_name_is_one_line_that_people_can_read(name):
    with pytest.raises(ValueError, match="name of a thing"):
        Thing(name)


@pytest.mark.parametrize("color", [(0, 0, 256), (0, -1, 0), (0.5, 0, 0), (True, 0, 0)])
def test_a_colour_is_three_bytes(color):
    with pytest.raises(ValueError, match="colour"):
        Thing(color=Color(*color))


def test_what_others_are_a_thing_is_not_and_its_own_clicks_come_last():
    cat, dog = Click(0, 0.1, 0.2), Click(1, 0.3, 0.4)
    not_cat = Click(2, 0.5, 0.6, positive=False)
    things = [Thing("cat", (cat, not_cat)), Thing("dog", (dog,)), Thing("bird")]
    assert clicks_of(things, 0, exclusive=True) == (replace(dog, positive=False), cat, not_cat)
    assert clicks_of(things, 1, exclusive=True) == (replace(cat, positive=False), dog)
    assert clicks_of(things, 0, exclusive=False) == (cat, not_cat)
    # What was not clicked is nothing, and not all but the others.
    assert clicks_of(things, 2, exclusive=True) == ()


def test_no_two_things_have_a_name():
    with pytest.raises(ValueError, match="same name"):
        check_things([Thing("cat"), Thing("Cat")])
    with pytest.raises(ValueError, match="not 0"):
        check_things([])
    with pytest.raises(ValueError, match="not 21"):
        check_things([Thing(str(number)) for number in range(21)])
    check_things([Thing("cat"), Thing("dog")])
