import numpy as np
import pytest

from pointprompt.masks.smoother import Smoother

GREY = np.full((20, 30, 3), 128, np.uint8)


def _noise(size, seed=0):
    return np.random.default_rng(seed).normal(0, 1, size).astype(np.float32)


def test_one_row_is_the_solution_of_its_equations():
    row = np.array([[[0, 0, 0], [30, 0, 0], [30, 40, 0], [255, 255, 255]]], np.uint8)
    plane = np.float32([[1, -2, 3, -4]])
    steps = [30, 40, np.sqrt(225**2 + 215**2 + 255**2)]
    expected = plane[0].astype(float)
    for strength in (100, 100 / 4, 100 / 16):
        laplacian = np.zeros((4, 4))
        for i, step in enumerate(steps):
            tie = np.exp(-step / 20)
            laplacian[i : i + 2, i : i + 2] += tie * np.array([[1, -1], [-1, 1]])
        expected = np.linalg.solve(np.eye(4) + strength * laplacian, expected)
    assert Smoother(row).smooth(plane, 100, 20)[0] == pytest.approx(expected, abs=1e-4)


def test_what_is_the_same_everywhere_stays_and_noise_nearly_becomes_its_mean():
    smoother = Smoother(GREY)
    assert smoother.smooth(np.full((20, 30), 0.25, np.float32), 1000, 8) == pytest.approx(
        0.25, abs=1e-3
    )
    noise = _noise((20, 30))
    smoothed = smoother.smooth(noise, 1e5, 8)
    assert smoothed == pytest.approx(noise.mean(), abs=0.1)


def test_nothing_is_smoothed_over_an_edge_of_the_photo():
    photo = GREY.copy()
    photo[:, 15:] = 250
    plane = np.where(np.arange(30) < 15, np.float32(1), np.float32(-1)) + _noise((20, 30)) / 4
    smoothed = Smoother(photo).smooth(plane, 1e5, 6)
    assert smoothed[:, :15] == pytest.approx(plane[:, :15].mean(), abs=0.05)
    assert smoothed[:, 15:] == pytest.approx(plane[:, 15:].mean(), abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (1, 500)])
def test_photos_of_few_pixels_are_smoothed_too(size):
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    plane = _noise(size)
    before = plane.copy()
    smoothed = Smoother(photo).smooth(plane, 100, 6)
    assert smoothed.shape == size
    assert smoothed.dtype == np.float32
    assert np.isfinite(smoothed).all()
    assert np.array_equal(plane, before)
