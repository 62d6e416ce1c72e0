import numpy as np
import pytest

from pointprompt.masks.draw import overlay
from pointprompt.masks.lazy import MASK_RGB
from pointprompt.things import MAX_THINGS, THING_COLORS

GREY = 100


def _overlay(pixels, mask, opacity, outline):
    return overlay(pixels, [mask], [MASK_RGB], opacity, outline)


def test_opacity_mixes_the_masks_colour_with_the_photo():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    mask = np.random.default_rng(1).random((40, 50)) > 0.5
    for opacity in (0.0, 0.25, 0.45, 1.0):
        drawn = _overlay(pixels, mask, opacity, outline=False)
        assert drawn.dtype == np.uint8
        exact = pixels * (1 - opacity) + np.array(MASK_RGB) * opacity
        assert np.array_equal(drawn[~mask], pixels[~mask])
        assert np.abs(drawn[mask] - exact[mask]).max() <= 1
    assert np.array_equal(_overlay(pixels, mask, 0.0, outline=False), pixels)
    assert (_overlay(pixels, mask, 1.0, outline=False)[mask] == MASK_RGB).all()


def test_an_outline_is_within_the_mask_along_its_edge_and_not_along_the_photos():
    pixels = np.full((12, 12, 3), GREY, np.uint8)
    mask = np.zeros((12, 12), bool)
    mask[3:, 3:8] = True  # reaches the lower edge of the photo
    drawn = _overlay(pixels, mask, 0.0, outline=True)
    edge = (drawn == MASK_RGB).all(axis=-1)
    expected = np.zeros((12, 12), bool)
    expected[3, 3:8] = expected[3:, 3] = expected[3:, 7] = True
    assert np.array_equal(edge, expected)
    assert (drawn[~expected] == GREY).all()


def test_an_outline_is_as_wide_as_the_photo_is_large():
    for side, width in ((64, 1), (600, 2), (3000, 10)):
        pixels = np.full((side, side, 3), GREY, np.uint8)
        mask = np.zeros((side, side), bool)
        mask[:, side // 2 :] = True
        row = _overlay(pixels, mask, 0.0, outline=True)[side // 2]
        assert (row == MASK_RGB).all(axis=-1).sum() == width


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2), (5000, 50)])
@pytest.mark.parametrize("token", [True, False])
def test_a_mask_without_an_edge_has_no_outline(size, token):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    mask = np.full(size, token)
    plain = _overlay(pixels, mask, 0.45, outline=False)
    assert np.array_equal(_overlay(pixels, mask, 0.45, outline=True), plain)


def test_where_masks_overlap_the_earlier_one_is_seen():
    pixels = np.full((20, 30, 3), GREY, np.uint8)
    upper, lower = np.zeros((2, 20, 30), bool)
    upper[5:15, 5:15] = lower[5:15, 10:25] = True
    colors = [(255, 0, 0), (0, 0, 255)]
    drawn = overlay(pixels, iter([upper, lower]), colors, 1.0, outline=True)
    assert (drawn[upper] == colors[0]).all()
    assert (drawn[lower & ~upper] == colors[1]).all()
    assert (drawn[~(upper | lower)] == GREY).all()


def test_as_many_things_as_there_can_be_are_drawn_each_in_its_colour():
    pixels = np.full((1, 2 * MAX_THINGS, 3), GREY, np.uint8)
    masks = np.repeat(np.eye(MAX_THINGS, dtype=bool), 2, axis=1)[:, None]
    drawn = overlay(pixels, masks, list(THING_COLORS.values()), 1.0, outline=False)
    assert np.array_equal(drawn[0, ::2], list(THING_COLORS.values()))


def test_drawing_leaves_the_photo_as_it_is():
    pixels = np.full((20, 20, 3), GREY, np.uint8)
    _overlay(pixels, np.ones((20, 20), bool), 1.0, outline=True)
    assert (pixels == GREY).all()


def test_what_cannot_be_drawn_is_an_error():
    pixels = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="does not fit"):
        _overlay(pixels, np.zeros((4, 5), bool), 0.5, outline=True)
    with pytest.raises(ValueError, match="opacity"):
        _overlay(pixels, np.zeros((4, 4), bool), 1.5, outline=True)
    with pytest.raises(ValueError, match="1 masks and 2 colours"):
        overlay(pixels, [np.zeros((4, 4), bool)], [MASK_RGB] * 2, 0.5, outline=True)
