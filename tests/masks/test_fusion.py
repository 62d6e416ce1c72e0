import numpy as np
import pytest

from pointprompt.grid import enlarge
from pointprompt.masks.fusion import WEIGHTS, contrasts, evidence, fuse
from pointprompt.masks.guided_filter import guided
from pointprompt.masks.segments import segment
from pointprompt.masks.smoother import Smoother

SIZE = (96, 128)


def _disc(size, radius=0.3):
    rows, columns = ((np.arange(side) + 0.5) / side - 0.5 for side in size)
    return np.hypot(rows[:, None], columns[None]) < radius


def _scene():
    """A red disc on green, with noise, and its pixels."""
    disc = _disc(SIZE)
    noise = np.random.default_rng(0).normal(0, 8, (*SIZE, 3))
    photo = np.where(disc[..., None], (200, 60, 50), (60, 120, 70)) + noise
    return photo.clip(0, 255).astype(np.uint8), disc


def _smooth_margins(sure=0.4):
    """Margins (32, 32) of a disc that is a little too large, and unsure at its edge."""
    rows, columns = ((np.arange(32) + 0.5) / 32 - 0.5 for _ in range(2))
    return np.clip((0.33 - np.hypot(rows[:, None], columns[None])) * 3, -sure, sure).astype(
        np.float32
    )


def _iou(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


def test_unsure_margins_end_where_the_photo_does():
    photo, disc = _scene()
    fused = fuse(_smooth_margins(), photo, segment(photo))
    assert fused.dtype == np.float32
    assert np.abs(fused).max() <= 1
    assert _iou(fused > 0, disc) > 0.97


def test_margins_of_the_other_sign_give_the_mask_of_all_else():
    photo, _ = _scene()
    segments, margins = segment(photo), _smooth_margins()
    assert fuse(-margins, photo, segments) == pytest.approx(
        -fuse(margins, photo, segments), abs=1e-4
    )


def test_sharp_margins_are_drawn_as_they_are_whatever_the_photo_says():
    photo, _ = _scene()
    # True tokens of something that cannot be seen: a share of every token, as margins.
    hidden = np.zeros((32, 32), np.float32)
    hidden[8:20, 5:14], hidden[8:20, 14] = 1, 0.5
    margins = (hidden * 2 - 1) * np.float32(0.999)
    expected = enlarge(margins, *SIZE) > 0
    assert _iou(fuse(margins, photo, segment(photo)) > 0, expected) > 0.8
    assert _iou(guided(margins, photo) > 0, expected) < 0.78


def test_contrast_is_the_largest_difference_around_and_clicked_tokens_count_half():
    margins = np.zeros((9, 9), np.float32)
    margins[4, 4] = -0.75
    near, around = contrasts(margins, (9, 9))
    assert near[3:6, 3:6] == pytest.approx(0.75)
    assert near[0, 0] == 0
    assert around[1:8, 1:8] == pytest.approx(0.75)
    margins[4, 4] = 1
    assert contrasts(margins, (9, 9))[0][4, 4] == pytest.approx(0.5)


def test_every_plane_has_its_weights_and_the_photos_size():
    photo, _ = _scene()
    planes = evidence(_smooth_margins(), photo, segment(photo), Smoother(photo))
    assert len(planes) == len(WEIGHTS)
    assert all(plane.shape == SIZE for plane in planes)


def test_other_weights_draw_another_plane_and_those_of_the_other_sign_its_opposite():
    photo, _ = _scene()
    segments, margins = segment(photo), _smooth_margins()
    only_interpolated = np.zeros_like(WEIGHTS)
    only_interpolated[0, 0] = 1
    fused = fuse(margins, photo, segments, only_interpolated)
    assert fused == pytest.approx(-fuse(margins, photo, segments, -only_interpolated), abs=1e-5)
    interpolated = np.tanh(enlarge(margins, *SIZE))
    assert np.corrcoef(fused.ravel(), interpolated.ravel())[0, 1] > 0.95
    assert not fuse(margins, photo, segments, np.zeros_like(WEIGHTS)).any()
