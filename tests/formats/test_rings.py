import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw
from pycocotools import mask as reference

from pointprompt.formats.rings import area_of, box_of, rings, through_pixels
from pointprompt.grid import regions
from tests.formats.made import with_thin_parts

any_mask = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda size: arrays(bool, size)
)

SHAPES = {
    "nothing": np.zeros((4, 5), bool),
    "a pixel": np.ones((1, 1), bool),
    "a pixel in a corner": np.pad(np.ones((1, 1), bool), ((0, 4), (4, 0))),
    "all": np.ones((40, 30), bool),
    "a hole of a pixel": ~np.pad(np.ones((1, 1), bool), 3),
    "holes that touch at corners": np.indices((9, 9)).sum(axis=0) % 2 == 0,
    "a diagonal": np.eye(30, dtype=bool),
    "rows of holes": (np.indices((60, 80)) % 3 != 1).any(axis=0),
    "a frame in a frame": np.isin(
        np.hypot(*(np.indices((41, 41)) - 20)).astype(int) // 3, [1, 3, 5]
    ),
    "thin parts": with_thin_parts(300, 400),
    "noise": np.random.default_rng(0).random((100, 90)) > 0.5,
}


def _as_pycocotools(mask):
    height, width = mask.shape
    polygons = [ring.ravel().tolist() for ring in rings(mask)]
    if not polygons:
        return np.zeros(mask.shape, bool)
    return reference.decode(reference.merge(reference.frPyObjects(polygons, height, width))) > 0


def _as_opencv(mask, to_whole):
    filled = np.zeros(mask.shape, np.uint8)
    for ring in rings(mask):
        cv2.fillPoly(filled, [to_whole(through_pixels(ring)).astype(np.int32)], 1)
    return filled > 0


def _as_pillow(mask):
    filled = Image.new("1", mask.shape[::-1])
    for ring in rings(mask):
        ImageDraw.Draw(filled).polygon(list(map(tuple, through_pixels(ring))), fill=1, outline=1)
    return np.asarray(filled)


def _check(mask):
    around = rings(mask)
    assert len(around) == regions(mask)[1]
    assert sum(map(area_of, around)) == mask.sum()
    assert np.array_equal(_as_pycocotools(mask), mask)
    assert np.array_equal(_as_opencv(mask, np.floor), mask)
    assert np.array_equal(_as_opencv(mask, np.round), mask)
    assert np.array_equal(_as_pillow(mask), mask)


@settings(max_examples=300)
@given(any_mask)
def test_rings_are_filled_to_the_mask_by_every_reader(mask):
    _check(mask)


@pytest.mark.parametrize("mask", SHAPES.values(), ids=SHAPES)
def test_rings_around_shapes_that_are_hard_are_filled_to_them(mask):
    _check(mask)


def test_rings_of_a_photo_of_twelve_megapixels_are_exact():
    mask = with_thin_parts(3000, 4000)
    assert np.array_equal(_as_opencv(mask, np.round), mask)
    assert sum(map(area_of, rings(mask))) == mask.sum()


def test_a_ring_has_no_more_corners_than_it_turns_and_no_line_across_nothing():
    mask = np.zeros((9, 9), bool)
    mask[2:7, 3:8] = True
    (ring,) = rings(mask)
    assert ring.tolist() == [[3, 2], [8, 2], [8, 7], [3, 7]]
    assert box_of([ring]) == (3, 2, 8, 7)
    mask[4, 5] = False
    (ring,) = rings(mask)
    assert len(ring) == 4 + 4 + 4
    bridge = ring[np.mod(ring[:, 1], 1) != 0]
    assert sorted(map(tuple, bridge)) == [(3, 4.5), (3, 4.5), (5, 4.5), (5, 4.5)]


@given(any_mask)
def test_every_corner_through_pixels_is_in_a_pixel_of_the_mask(mask):
    for ring in map(through_pixels, rings(mask)):
        x, y = np.floor(ring).astype(int).T
        assert mask[y, x].all()
        assert len(ring) >= 3
