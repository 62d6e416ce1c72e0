import numpy as np
import pytest

from pointprompt.masks.guided_filter import guided


def test_margins_that_are_linear_in_the_colour_are_so_at_every_pixel():
    # Blocks of one brightness that fall together with the tokens.
    brightness = np.random.default_rng(0).integers(0, 256, (16, 16))
    photo = np.repeat(np.kron(brightness, np.ones((5, 5)))[..., None], 3, axis=2).astype(np.uint8)
    margins = (brightness / 255 - 0.5).astype(np.float32)
    middle = guided(margins, photo)[2::5, 2::5]
    assert middle == pytest.approx(margins, abs=0.02)


def test_a_photo_of_one_colour_blurs_and_keeps_what_is_the_same_everywhere():
    photo = np.full((70, 90, 3), 128, np.uint8)
    assert guided(np.full((16, 16), 0.25, np.float32), photo) == pytest.approx(0.25, abs=1e-5)
    step = np.where(np.arange(16) < 8, np.float32(1), np.float32(-1)) * np.ones((16, 1), np.float32)
    row = guided(step, photo)[30]
    assert (np.diff(row) <= 1e-6).all()
    assert row[0] > 0.5 > -0.5 > row[-1]


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (64, 64)])
def test_it_has_the_photos_size(size):
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    filtered = guided(np.ones((8, 12), np.float32), photo)
    assert filtered.shape == size
    assert filtered.dtype == np.float32
