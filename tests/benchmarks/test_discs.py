"""The drawn discs of `make quality` are as large and as wide as they say."""

import numpy as np
import pytest

from benchmarks import discs
from benchmarks.discs import ASPECTS, SHARES, disc


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("aspect", ASPECTS)
def test_a_disc_takes_its_share_in_the_middle_of_an_image_of_its_aspect(share, aspect):
    scene = disc(share, aspect, seed=1)
    height, width = scene.truth.shape
    assert scene.pixels.shape == (height, width, 3)
    assert width == aspect * height
    assert scene.truth.mean() == pytest.approx(share, rel=0.03)
    middle = np.argwhere(scene.truth).mean(axis=0)
    assert middle == pytest.approx([height / 2, width / 2], abs=1)


def test_another_seed_is_another_noise_on_the_same_disc():
    one, other = disc(0.02, 2, seed=1), disc(0.02, 2, seed=2)
    assert np.array_equal(one.truth, other.truth)
    assert not np.array_equal(one.pixels, other.pixels)


def test_the_table_has_the_means_over_seeds_shares_and_aspects(monkeypatch):
    monkeypatch.setattr(discs, "SHARES", (0.01, 0.03))
    monkeypatch.setattr(discs, "ASPECTS", (1, 4))

    def beside(scene, others, model):
        assert not others
        return scene.truth.shape[1] / scene.truth.shape[0] / 10 + 2 * round(scene.truth.mean(), 2)

    monkeypatch.setattr(discs, "beside", beside)
    table = discs.measured(None, seeds=(1, 2))
    assert table.columns == ["share", "1:1", "4:1", "all"]
    assert table.rows == [
        ["1%", "0.120", "0.420", "0.270"],
        ["3%", "0.160", "0.460", "0.310"],
        ["all", "0.140", "0.440", "0.290"],
    ]
