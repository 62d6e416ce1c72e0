import numpy as np
import pytest

from pointprompt.embedding import fit_axes, unit

H, W = 8, 12


def test_the_embedding_keeps_what_varies_most():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, H, W, 6)).astype(np.float32) * (5, 4, 0.01, 0.01, 0.01, 0.01)
    features = features.astype(np.float32)
    found = fit_axes(features, 2).embed(features)
    flat = unit((features - features.mean((0, 1, 2)))[..., :2]).reshape(-1, 2)
    found = found.reshape(-1, 2)
    assert found @ found.T == pytest.approx(flat @ flat.T, abs=0.05)
