"""The measures of `make quality` on masks whose right answers are known."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.labelled import boundary_f, iou, read_sets, separation


def square(size, top, left, side):
    mask = np.zeros((size, size), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_the_iou_of_two_half_overlapping_squares_is_a_third():
    assert iou(square(60, 10, 10, 20), square(60, 10, 20, 20)) == pytest.approx(1 / 3)


def test_two_empty_masks_agree_and_an_empty_one_with_another_does_not():
    empty = np.zeros((60, 60), bool)
    assert iou(empty, empty) == boundary_f(empty, empty) == 1
    assert iou(empty, square(60, 10, 10, 20)) == boundary_f(empty, square(60, 10, 10, 20)) == 0


def left_of(column, size=480):
    mask = np.zeros((size, size), bool)
    mask[:, :column] = True
    return mask


def test_an_outline_may_be_two_pixels_off_and_not_three():
    assert boundary_f(left_of(102), left_of(100)) == 1
    assert boundary_f(left_of(103), left_of(100)) == 0


def test_the_tolerance_counts_at_480_rows_whatever_the_size_of_the_image():
    assert boundary_f(left_of(204, 960), left_of(200, 960)) == 1
    assert boundary_f(left_of(52, 240), left_of(50, 240)) == 0


def test_the_border_of_the_image_is_no_outline():
    whole = np.ones((480, 480), bool)
    assert boundary_f(whole, left_of(240)) == 0
    assert boundary_f(left_of(240), left_of(240)) == 1


def test_separation_counts_the_pairs_in_the_right_order_and_half_of_the_ties():
    assert separation(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1
    assert separation(np.array([0.5, 0.5]), np.array([0.5])) == 0.5
    assert separation(np.array([0.9, 0.1]), np.array([0.5])) == 0.5


@pytest.fixture
def folder(tmp_path):
    photo, mask = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
    mask[1, 2] = 255
    Image.fromarray(photo).save(tmp_path / "photo.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    sets = [
        {"name": f"set {i}", "kind": "class", "images": ["photo.png"], "masks": ["mask.png"]}
        for i in range(5)
    ]
    (tmp_path / "manifest.json").write_text(json.dumps({"sets": sets}))
    return tmp_path


def test_a_folder_gives_its_sets_with_photos_and_masks(folder):
    sets = read_sets(folder)
    assert [labelled.name for labelled in sets] == [f"set {i}" for i in range(5)]
    assert sets[0].kind == "class"
    assert sets[0].photos[0].shape == (4, 6, 3)
    assert np.argwhere(sets[0].masks[0]).tolist() == [[1, 2]]


def test_fewer_sets_are_taken_evenly_from_the_folder(folder):
    assert [labelled.name for labelled in read_sets(folder, 2)] == ["set 0", "set 2"]
    assert len(read_sets(folder, 9)) == 5
