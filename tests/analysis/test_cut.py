import numpy as np
import pytest
import torch

from pointprompt.analysis import cut as cut_module
from pointprompt.analysis.cut import fit_cut, seeded

SQUARE = 8


def two_things(n: int = 2, noise: float = 0.05) -> np.ndarray:
    """Features of n images whose left half is one thing and whose right half is another."""
    rng = np.random.default_rng(0)
    things = np.eye(16, dtype=np.float32)[:2]
    labels = np.zeros((n, SQUARE, SQUARE), int)
    labels[:, :, SQUARE // 2 :] = 1
    features = things[labels] + noise * rng.normal(size=(n, SQUARE, SQUARE, 16))
    return (features / np.linalg.norm(features, axis=-1, keepdims=True)).astype(np.float32)


def test_the_second_eigenvector_tells_two_things_apart_in_every_image():
    eigvecs, _ = fit_cut(two_things(), n_eigvecs=4)
    second = eigvecs[..., 1]
    left, right = second[:, :, : SQUARE // 2], second[:, :, SQUARE // 2 :]
    assert (np.sign(left) == np.sign(left[0, 0, 0])).all()
    assert (np.sign(right) == -np.sign(left[0, 0, 0])).all()


def test_eigenvectors_have_the_shape_of_the_grid_and_falling_eigenvalues():
    eigvecs, cut = fit_cut(two_things(3), n_eigvecs=5)
    eigvals = cut.eigvals
    assert eigvecs.shape == (3, SQUARE, SQUARE, 5)
    assert eigvecs.dtype == eigvals.dtype == np.float32
    assert (np.diff(eigvals) <= 1e-6).all()
    assert eigvals[0] == pytest.approx(1, abs=1e-3)


def test_the_same_features_and_seed_give_the_same_eigenvectors():
    features = two_things()
    first, _ = fit_cut(features, seed=3)
    again, _ = fit_cut(features, seed=3)
    np.testing.assert_array_equal(first, again)


def test_the_global_generators_are_left_as_they_were():
    torch.manual_seed(11)
    np.random.seed(11)
    expected = torch.rand(1).item(), np.random.rand()
    torch.manual_seed(11)
    np.random.seed(11)
    fit_cut(two_things())
    assert (torch.rand(1).item(), np.random.rand()) == expected


def test_a_cut_extends_to_an_image_it_was_not_fitted_on():
    features = two_things(4)
    eigvecs, cut = fit_cut(features[:3], n_eigvecs=4)
    extended = cut.extend(features[3:])
    assert extended.shape == (1, SQUARE, SQUARE, 4)
    agreement = np.sign(extended[0, ..., 1]) == np.sign(eigvecs[0, ..., 1])
    assert agreement.mean() > 0.95


def test_there_are_never_more_eigenvectors_than_tokens():
    features = two_things(1)[:, :2, 2:4]
    eigvecs, cut = fit_cut(features)
    assert eigvecs.shape[-1] == len(cut.eigvals) == 4


def test_features_that_are_the_same_everywhere_are_refused_with_a_reason():
    features = np.full((1, SQUARE, SQUARE, 16), 0.25, np.float32)
    with pytest.raises(ValueError, match="nothing to cut"):
        fit_cut(features)


def test_two_identical_images_get_identical_eigenvectors():
    features = np.repeat(two_things(1), 2, axis=0)
    eigvecs, _ = fit_cut(features, n_eigvecs=3)
    np.testing.assert_allclose(eigvecs[0, ..., :2], eigvecs[1, ..., :2], atol=1e-3)


@pytest.mark.parametrize(
    ("features", "complaint"),
    [
        (np.zeros((8, 8, 3), np.float32), "axes"),
        (np.zeros((0, 8, 8, 3), np.float32), "axes"),
        (np.zeros((1, 8, 8, 3)), "float32"),
        (np.full((1, 8, 8, 3), np.nan, np.float32), "finite"),
    ],
)
def test_features_that_cannot_be_cut_are_refused_with_a_reason(features, complaint):
    with pytest.raises(ValueError, match=complaint):
        fit_cut(features)


@pytest.mark.parametrize("count", [900, 9000])
def test_it_gives_what_ncut_pytorch_gives_bit_for_bit_and_extends_as_that_does(count, monkeypatch):
    """Below and above the number of tokens from which it takes a sample."""
    from ncut_pytorch import Ncut

    monkeypatch.setattr(cut_module, "_SAMPLES", 500)
    features = np.random.default_rng(0).normal(size=(1, 30, count // 30, 8)).astype(np.float32)
    tokens = torch.from_numpy(features.reshape(count, 8))
    eigvecs, cut = fit_cut(features, n_eigvecs=6, seed=3)
    theirs = Ncut(n_eig=6, n_sample=500, repulsion_sigma=1.0, device="cpu")
    more = tokens[:48] + 0.01
    with seeded(3):
        expected = theirs.fit_transform(tokens)
    with seeded(3):
        extended = theirs.transform(more)
    assert np.array_equal(eigvecs.reshape(count, 6), expected.numpy())
    assert np.array_equal(cut.eigvals, theirs.eigval.numpy())
    joined = cut.extend(more.numpy().reshape(1, 6, 8, 8))
    assert np.array_equal(joined.reshape(48, 6), extended.numpy())


def test_a_cut_knows_the_images_it_was_solved_on_where_all_tokens_were():
    features = two_things()
    eigvecs, cut = fit_cut(features)
    assert all(cut.was_solved_on(image) for image in eigvecs)
    assert not any(cut.was_solved_on(image) for image in cut.extend(two_things(3)))


def test_extending_draws_nothing_at_random():
    features = two_things()
    _, cut = fit_cut(features)
    torch.manual_seed(1)
    one = cut.extend(features[:1] + np.float32(0.01))
    torch.manual_seed(2)
    assert np.array_equal(one, cut.extend(features[:1] + np.float32(0.01)))
