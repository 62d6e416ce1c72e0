"""Terms are arrays and nothing else: what they describe, and what is not believed of them."""

from __future__ import annotations

import io

import numpy as np
import pytest

from pointprompt.analysis.terms import VERSION, Terms, fit_terms


def _features(n=3, seed=0):
    features = np.random.default_rng(seed).normal(size=(n, 6, 5, 12)).astype(np.float32)
    return features / np.linalg.norm(features, axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def terms() -> Terms:
    return fit_terms(_features(), n_eigvecs=7)[0]


def test_they_survive_a_file_of_plain_arrays_and_describe_images_as_before(terms):
    file = io.BytesIO()
    np.savez(file, **terms.arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        again = Terms.from_arrays(stored)
    eigvecs, codes = terms.describe(_features(2, 1))
    assert np.array_equal(again.describe(_features(2, 1))[0], eigvecs)
    assert np.array_equal(again.describe(_features(2, 1))[1], codes)
    assert again.cut.sigma == terms.cut.sigma


def test_they_know_how_much_memory_they_hold(terms):
    assert terms.nbytes == sum(array.nbytes for array in terms.arrays().values())
    assert terms.nbytes > terms.cut.samples.nbytes + terms.embedder.joint.nbytes


def test_the_images_of_the_set_and_those_that_join_are_described_in_one_way():
    features = _features()
    terms, eigvecs, codes = fit_terms(features, n_eigvecs=7)
    assert eigvecs.shape == (3, 6, 5, 7)
    assert np.linalg.norm(codes, axis=-1) == pytest.approx(1, abs=0.01)
    joined = terms.describe(_features(2, 1))
    assert joined[0].shape == (2, 6, 5, 7)
    assert joined[1].shape == (2, 6, 5, codes.shape[-1])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": np.array(VERSION + 1)}, f"version {VERSION + 1}"),
        ({"version": None}, "version None"),
        ({"cut.samples": None}, "lack cut.samples"),
        ({"cut.sigma": np.array(np.nan)}, "cut.sigma"),
        ({"embedder.joint": np.array(["a"])}, "embedder.joint"),
        ({"embedder.mean": np.zeros(3, np.float32)}, "do not fit"),
        ({"cut.degrees": np.zeros(2, np.float32)}, "do not fit"),
        ({"cut.samples": np.zeros(2, np.float32)}, "do not fit"),
    ],
)
def test_arrays_that_are_no_terms_are_refused_with_a_reason(terms, change, complaint):
    arrays = {**terms.arrays(), **change}
    with pytest.raises(ValueError, match=complaint):
        Terms.from_arrays({name: array for name, array in arrays.items() if array is not None})


def test_images_of_the_set_are_like_it_and_noise_is_not(terms):
    own, noise = terms.unlikeness(_features())[0], terms.unlikeness(-_features())[0]
    assert own < 1
    assert noise > own + 0.2


def test_how_unlike_an_image_is_depends_on_that_image_alone(terms):
    several = terms.unlikeness(np.concatenate([_features(), _features(2, 1)]))
    np.testing.assert_allclose(several[3:], terms.unlikeness(_features(2, 1)), rtol=1e-5)


def test_features_of_another_backbone_are_refused(terms):
    with pytest.raises(ValueError, match="another backbone's"):
        terms.describe(_features()[..., :5].copy())
