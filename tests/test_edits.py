from __future__ import annotations

import pytest

from pointprompt.edits import MAX_POINTS, MAX_STROKES, Lock, Stroke, check_locks, check_strokes
from pointprompt.settings import Settings

DOT = Stroke(0, adds=True, radius=0.1, points=((0.5, 0.5),))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"image": -1}, "image must be a whole number"),
        ({"image": True}, "image must be a whole number"),
        ({"adds": 1}, "adds must be true or false"),
        ({"radius": 0}, "radius must be above 0"),
        ({"radius": 1.01}, "radius must be above 0"),
        ({"radius": float("nan")}, "radius must be above 0"),
        ({"points": ()}, "1 to 1000 points"),
        ({"points": ((0.5, 0.5),) * 1001}, "1 to 1000 points"),
        ({"points": ((0.5, 2.01),)}, "points must be from -1 to 2"),
        ({"points": ((None, 0.5),)}, "points must be from -1 to 2"),
    ],
)
def test_a_stroke_is_in_an_image_or_near_it(changes, sentence):
    good = {"image": 0, "adds": True, "radius": 0.1, "points": ((0.5, 0.5),)}
    assert Stroke(**good) == DOT
    with pytest.raises(ValueError, match=sentence):
        Stroke(**good | changes)


def test_there_is_room_for_so_many_strokes_and_points():
    check_strokes([DOT] * MAX_STROKES)
    with pytest.raises(ValueError, match="more than 2000 strokes"):
        check_strokes([DOT] * (MAX_STROKES + 1))
    long = Stroke(0, adds=True, radius=0.1, points=((0.5, 0.5),) * 1000)
    check_strokes([long] * (MAX_POINTS // 1000))
    with pytest.raises(ValueError, match="more than 100000 points"):
        check_strokes([*[long] * (MAX_POINTS // 1000), DOT])


@pytest.mark.parametrize("images", [(), (-1,), (0.5,), ("0",)])
def test_a_lock_has_images(images):
    with pytest.raises(ValueError, match="A lock must have images"):
        Lock(images, (), Settings())


def test_no_image_is_locked_twice():
    check_locks([Lock((0, 1), (), Settings()), Lock((2,), (), Settings())])
    with pytest.raises(ValueError, match="locked twice"):
        check_locks([Lock((0, 1), (), Settings()), Lock((1,), (), Settings())])
