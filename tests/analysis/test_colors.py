import numpy as np
import pytest
import torch

from pointprompt.analysis.colors import tsne_colors


def blobs(n: int = 2, side: int = 16, k: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvectors of n images in four quadrants, each a thing of its own; and their labels."""
    rng = np.random.default_rng(1)
    labels = np.zeros((n, side, side), int)
    labels[:, side // 2 :] += 2
    labels[:, :, side // 2 :] += 1
    eigvecs = np.eye(4, k)[labels] + 0.05 * rng.normal(size=(n, side, side, k))
    return eigvecs.astype(np.float32), labels


def test_tokens_of_one_thing_share_a_colour_and_different_things_do_not():
    eigvecs, labels = blobs()
    colors = tsne_colors(eigvecs).astype(float)
    means = np.stack([colors[labels == thing].mean(0) for thing in range(4)])
    within = max(colors[labels == thing].std(0).max() for thing in range(4))
    apart = min(np.linalg.norm(means[a] - means[b]) for a in range(4) for b in range(a))
    assert apart > 2 * within


def test_the_same_thing_has_the_same_colour_in_every_image():
    eigvecs, labels = blobs(3)
    colors = tsne_colors(eigvecs).astype(float)
    for thing in range(4):
        means = [colors[i][labels[i] == thing].mean(0) for i in range(3)]
        assert np.ptp(means, axis=0).max() < 25


def test_colours_are_bytes_that_use_the_whole_range():
    colors = tsne_colors(blobs()[0])
    assert colors.dtype == np.uint8
    assert colors.shape == (2, 16, 16, 3)
    assert (colors.min(axis=(0, 1, 2)) == 0).all()
    assert (colors.max(axis=(0, 1, 2)) == 255).all()


def test_the_same_eigenvectors_give_the_same_colours_whatever_the_global_seed():
    eigvecs, _ = blobs()
    torch.manual_seed(1)
    first = tsne_colors(eigvecs)
    torch.manual_seed(2)
    np.testing.assert_array_equal(first, tsne_colors(eigvecs))


@pytest.mark.parametrize("shape", [(1, 1, 1, 2), (1, 2, 2, 3), (1, 16, 16, 5)])
def test_tokens_that_do_not_differ_come_out_grey(shape):
    colors = tsne_colors(np.ones(shape, np.float32))
    assert (colors == 128).all()


def test_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="axes"):
        tsne_colors(np.ones((4, 4), np.float32))
