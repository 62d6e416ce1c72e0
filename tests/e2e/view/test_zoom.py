from __future__ import annotations

from typing import Any

import pytest

ZOOM = "const { fitted, panned, zoomed } = await import('/view/zoom.js');"
PHOTO = {"width": 400, "height": 200}
PLACE = {"width": 800, "height": 600}


@pytest.fixture
def zoom(run) -> Any:
    return lambda body: run(f"{ZOOM} const [photo, place] = input; return {body};", [PHOTO, PLACE])


def test_at_first_all_of_a_photo_is_seen_in_the_middle(zoom):
    assert zoom("fitted(photo, place)") == {"scale": 2, "x": 0, "y": 100}
    tall = zoom("fitted({ width: 100, height: 200 }, place)")
    assert tall == {"scale": 3, "x": 250, "y": 0}


def test_what_is_under_the_pointer_stays_there(zoom):
    found = zoom("zoomed(fitted(photo, place), 2, { x: 300, y: 250 }, photo, place)")
    assert found["scale"] == 4
    # The point of the photo at (150, 75) was there, and is.
    assert found["x"] + 4 * 150 == 300
    assert found["y"] + 4 * 75 == 250


def test_no_gap_is_left_beside_what_is_larger_than_its_place(zoom):
    found = zoom("zoomed(fitted(photo, place), 4, { x: 0, y: 100 }, photo, place)")
    assert (found["x"], found["y"]) == (0, 0)
    far = zoom("panned({ scale: 8, x: 0, y: 0 }, -9999, -9999, photo, place)")
    assert (far["x"], far["y"]) == (800 - 8 * 400, 600 - 8 * 200)
    back = zoom("panned({ scale: 8, x: -900, y: -100 }, 9999, 9999, photo, place)")
    assert (back["x"], back["y"]) == (0, 0)


def test_it_is_never_smaller_than_all_of_it_nor_larger_than_can_be_seen(zoom):
    assert zoom("zoomed(fitted(photo, place), 0.1, { x: 9, y: 9 }, photo, place)") == {
        "scale": 2,
        "x": 0,
        "y": 100,
    }
    assert zoom("zoomed(fitted(photo, place), 1e9, { x: 9, y: 9 }, photo, place)")["scale"] == 16
