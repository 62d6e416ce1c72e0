import numpy as np
import pytest

from pointprompt.masks.segments import SCALES, pooled, segment


def test_each_surface_is_a_region_at_every_scale():
    photo = np.full((40, 60, 3), 40, np.uint8)
    photo[:, 20:] = 220
    segments = segment(photo)
    assert len(segments) == len(SCALES)
    for regions in segments:
        # Where they meet, the photo is blurred before.
        assert len(np.unique(regions[:, :16])) == len(np.unique(regions[:, 24:])) == 1
        assert regions[0, 0] != regions[0, -1]


def test_pooling_is_the_mean_of_a_region_on_average_over_the_scales():
    plane = np.float32([[1, 2, 3, 4]])
    halves, whole = np.array([[0, 0, 1, 1]]), np.zeros((1, 4), int)
    assert pooled(plane, [halves])[0] == pytest.approx([1.5, 1.5, 3.5, 3.5])
    assert pooled(plane, [halves, whole])[0] == pytest.approx([2, 2, 3, 3])


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (320, 1)])
def test_photos_of_few_pixels_have_regions_too(size):
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    plane = np.random.default_rng(1).random(size).astype(np.float32)
    mean = pooled(plane, segment(photo))
    assert mean.shape == size
    assert mean.dtype == np.float32
    assert plane.min() <= mean.min() <= mean.max() <= plane.max()
