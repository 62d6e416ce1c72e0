"""Clicks on photographs, with the built-in backbone; the regions are where they were looked up."""

from __future__ import annotations

import numpy as np
import pytest

from pointprompt.pipeline import analyze, predict
from pointprompt.types import Analysis, Click, Settings

BACKBONE = "efficientnet_lite0"


def places(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every pixel's centre, each (H, W), from 0 to 1."""
    rows, columns = np.mgrid[:height, :width]
    return (columns + 0.5) / width, (rows + 0.5) / height


@pytest.fixture(scope="module")
def cat() -> Analysis:
    from skimage import data

    return analyze([data.chelsea()], backbone=BACKBONE, device="cpu")


@pytest.fixture(scope="module")
def motorcycles() -> Analysis:
    from skimage import data

    left, right, _ = data.stereo_motorcycle()
    return analyze([left, right], backbone=BACKBONE, device="cpu")


# The nose's bridge, the forehead and the cheek, all within the face.
ON_FACE = [(0.45, 0.6), (0.5, 0.35), (0.55, 0.5), (0.3, 0.4)]


def face_and_background() -> tuple[np.ndarray, np.ndarray]:
    """An ellipse within the cat's face; the shelves right of it and the wall left of it."""
    x, y = places(300, 451)
    face = ((x - 0.48) / 0.31) ** 2 + ((y - 0.47) / 0.40) ** 2 < 1
    background = (x > 0.86) | ((x < 0.05) & (y < 0.35))
    return face, background


@pytest.mark.parametrize("place", ON_FACE)
def test_a_click_on_the_cats_face_finds_the_face_and_not_what_is_behind_it(cat, place):
    face, background = face_and_background()
    mask = predict(cat, [Click(0, *place)], Settings(rule="tutorial", edges=False, threshold=0.3, n_eigvecs=3)).masks[0]
    # Measured: at least 0.94, and 0.00.
    assert mask[face].mean() > 0.85
    assert mask[background].mean() < 0.05


@pytest.mark.parametrize("place", ON_FACE)
def test_with_all_eigenvectors_the_same_click_finds_a_part_of_the_face(cat, place):
    face, background = face_and_background()
    mask = predict(cat, [Click(0, *place)]).masks[0]
    assert mask[int(place[1] * 300), int(place[0] * 451)]
    # Measured: 0.05 to 0.07, and 0.00.
    assert 0.02 < mask[face].mean() < 0.5
    assert mask[background].mean() < 0.01


def test_a_click_on_the_background_leaves_the_face_alone(cat):
    face, background = face_and_background()
    mask = predict(cat, [Click(0, 0.93, 0.3)], Settings(rule="tutorial", edges=False, threshold=0.3, n_eigvecs=3)).masks[0]
    assert mask[face].mean() < 0.1
    assert mask[background].mean() > 0.5


@pytest.mark.parametrize("place", [(0.57, 0.41), (0.53, 0.44), (0.6, 0.42)])
def test_a_click_on_the_tank_in_one_view_finds_the_tank_in_the_other(motorcycles, place):
    from skimage import data

    _, _, disparity = data.stereo_motorcycle()
    height, width = disparity.shape
    left, right = predict(motorcycles, [Click(0, *place)], Settings(rule="tutorial", edges=False, threshold=0.2)).masks
    # A point of the left view is so many pixels further left in the right one.
    rows, columns = np.mgrid[:height, :width]
    is_known = np.isfinite(disparity)
    moved = np.round(columns - np.where(is_known, disparity, 0)).astype(int)
    is_known &= moved >= 0
    expected = left[is_known]
    found = right[rows[is_known], moved[is_known]]
    # Measured: 0.85, and 0.29 to 0.37 if nothing is moved.
    assert (expected & found).sum() / (expected | found).sum() > 0.7
    assert (left & right).sum() / (left | right).sum() < 0.5


def test_the_tank_is_found_and_neither_the_floor_nor_the_shelves(motorcycles):
    masks = predict(motorcycles, [Click(0, 0.57, 0.41)], Settings(rule="tutorial", edges=False, threshold=0.2)).masks
    x, y = places(500, 741)
    floor = y > 0.85
    shelves = (x > 0.75) & (y < 0.3)
    # The middle of the tank, in either view.
    for mask, tank_x in zip(masks, (0.57, 0.5), strict=True):
        tank = (np.abs(x - tank_x) < 0.03) & (np.abs(y - 0.41) < 0.04)
        assert mask[tank].mean() > 0.5
        assert mask[floor].mean() == 0
        assert mask[shelves].mean() < 0.02
