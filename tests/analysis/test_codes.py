import numpy as np
import pytest

from pointprompt.analysis.codes import Packed, centred, fit_embedder, unit

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
    # A number is rounded by less than 1/254 of the largest one of its place in the code.
    assert _products(found) == pytest.approx(expected, abs=0.015)
    assert np.abs(_products(found) - expected).mean() < 4e-3


def test_fewer_numbers_keep_most_of_it_and_are_still_of_length_1():
    features, eigvecs = _random(0, 5, 4, 0.01, 0.01), _eigvecs()
    embedder = fit_embedder(features, eigvecs, EIGVALS, dimensions=4)
    found = embedder.embed(features, eigvecs)
    assert found.shape == (2, H, W, 4)
    assert np.linalg.norm(found, axis=-1) == pytest.approx(1, abs=0.01)
    whole = fit_embedder(features, eigvecs, EIGVALS).embed(features, eigvecs)
    assert np.abs(_products(found) - _products(whole)).mean() < 0.05


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


def test_centred_codes_lack_half_of_their_own_images_mean():
    codes = np.zeros((2, 1, 2, 2), np.float32)
    codes[0, 0] = (1, 0), (0, 1)  # their mean is (0.5, 0.5)
    codes[1, 0] = (1, 0), (-1, 0)  # and here (0, 0)
    found = centred(codes)
    assert found.dtype == np.float32
    assert found[0, 0] == pytest.approx(unit(np.array([(0.75, -0.25), (-0.25, 0.75)])), abs=1e-6)
    assert found[1] == pytest.approx(codes[1])


def test_an_image_is_centred_by_itself_whatever_stands_beside_it():
    codes = unit(_random(2, *[1] * 32))
    assert np.array_equal(centred(codes)[1:], centred(codes[1:]))


def test_a_part_that_all_of_a_set_share_is_mostly_taken_away():
    codes = unit(_random(3, *[1] * 8) + np.float32(3))
    between = _products(codes).mean(), _products(centred(codes)).mean()
    assert between[0] > 0.85
    assert between[1] < between[0] - 0.15


def test_codes_that_are_all_the_same_or_nothing_stay_finite():
    for codes in (np.zeros((1, H, W, 4), np.float32), unit(np.ones((1, H, W, 4), np.float32))):
        found = centred(codes)
        assert found.shape == codes.shape
        assert np.isfinite(found).all()
        assert found == pytest.approx(codes, abs=1e-5)


def test_packed_codes_are_near_and_what_was_packed_before_stays_as_it_is():
    codes = unit(_random(0, 1, 0.1, 0.01, 0))[0]
    packed = Packed.of(codes)
    assert packed.numbers.dtype == np.int8
    assert np.abs(packed.numbers).max(axis=(0, 1)).tolist() == [127, 127, 127, 0]
    again = packed.numbers * packed.scales
    assert (np.abs(again - codes) <= packed.scales / 2 + 1e-7).all()
    np.testing.assert_array_equal(Packed.of(again).numbers, packed.numbers)
    np.testing.assert_allclose(Packed.of(again).scales, packed.scales, rtol=1e-6)


def test_what_joins_a_set_changes_no_other_codes():
    features, eigvecs = _random(0, 5, 4, 3), _eigvecs()
    embedder = fit_embedder(features, eigvecs, EIGVALS)
    alone = embedder.embed(features[:1], eigvecs[:1])
    larger = np.concatenate([features[:1], 50 * features[1:]])
    np.testing.assert_array_equal(embedder.embed(larger, eigvecs)[:1], alone)
