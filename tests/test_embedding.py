import numpy as np
import pytest

from pointprompt.embedding import fit_embedder, unit

H, W = 8, 12


def _random(seed, *scales):
    """Tokens (2, H, W, c) that vary by so much along each axis."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(2, H, W, len(scales))) * scales).astype(np.float32)


def _products(tokens):
    flat = tokens.reshape(-1, tokens.shape[-1])
    return flat @ flat.T


def _eigvecs():
    """Eigenvectors whose first is the same everywhere."""
    eigvecs = _random(1, 1, 1, 1, 1)
    eigvecs[..., 0] = 1
    return eigvecs


EIGVALS = np.array([1, 0.64, 0.36, 0.04], np.float32)


def test_inner_products_are_the_mean_of_those_of_the_cut_and_of_the_features():
    features, eigvecs = _random(0, 5, 4, 3) + np.float32(2), _eigvecs()
    found = fit_embedder(features, eigvecs, EIGVALS).embed(features, eigvecs)
    coarse = unit(eigvecs[..., 1:] * np.array([0.8, 0.6, 0.2], np.float32))
    fine = unit(features - features.mean((0, 1, 2)))
    assert found.dtype == np.float32
    assert found.shape == (2, H, W, 6)
    expected = (_products(coarse) + _products(fine)) / 2
    assert _products(found) == pytest.approx(expected, abs=1e-4)


def test_fewer_numbers_keep_most_of_it_and_are_still_of_length_1():
    features, eigvecs = _random(0, 5, 4, 0.01, 0.01), _eigvecs()
    embedder = fit_embedder(features, eigvecs, EIGVALS, dimensions=4)
    found = embedder.embed(features, eigvecs)
    assert found.shape == (2, H, W, 4)
    assert np.linalg.norm(found, axis=-1) == pytest.approx(1, abs=1e-5)
    whole = fit_embedder(features, eigvecs, EIGVALS).embed(features, eigvecs)
    assert np.abs(_products(found) - _products(whole)).mean() < 0.05
    assert embedder.nbytes == 4 * (4 + 4 * 4 + 3 + 7 * 4)


def test_other_images_are_described_in_the_same_terms():
    features, eigvecs = _random(0, 5, 4, 3), _eigvecs()
    embedder = fit_embedder(features, eigvecs, EIGVALS)
    both = embedder.embed(features, eigvecs)
    assert embedder.embed(features[1:], eigvecs[1:]) == pytest.approx(both[1:], abs=1e-5)


def test_one_eigenvector_and_one_feature_are_enough():
    features, eigvecs = _random(0, 5), np.ones((2, H, W, 1), np.float32)
    embedder = fit_embedder(features, eigvecs, np.ones(1, np.float32))
    found = embedder.embed(features, eigvecs)
    assert found.shape == (2, H, W, 2)
    assert np.isfinite(found).all()
