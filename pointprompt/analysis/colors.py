"""Eigenvectors -> the colour view: tokens of the same thing get the same colour in every image.

Knows scikit-learn's t-SNE. Knows nothing of images, clicks or the browser.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.manifold import TSNE

from pointprompt.analysis.cut import seeded
from pointprompt.types import ByteArray, FloatArray

# So many tokens draw as good a map as a thousand, in a small part of the time.
SAMPLES = 200
# With so few tokens the embedding has settled by then: more iterations do not lower the divergence.
ITERATIONS = 300
QUANTILES = (0.05, 0.95)
# Fewer tokens than this have no map worth the name.
_FEWEST_TOKENS = 8
# A block of kernel weights (2048 x 200 float32) stays in a core's cache.
_ROWS_AT_ONCE = 2048
# exp() of less is no longer a normal float32, and a token must have some neighbour.
_LOWEST_EXPONENT = -80.0


def tsne_colors(eigvecs: FloatArray, *, seed: int = 0) -> ByteArray:
    """Colours (n, h, w, 3) uint8: t-SNE to three dimensions, read as red, green and blue.

    The same eigenvectors and seed give the same colours; the global random generators are left as
    they were. Tokens that do not differ at all come out mid-grey.

    Args:
        eigvecs: (n, h, w, k) float32.
        seed: Of the sampling and of t-SNE.

    Raises:
        ValueError: The eigenvectors are not of that shape.

    Source: Tutorial step 4; van der Maaten & Hinton 2008, Visualizing Data using t-SNE. Tokens
        outside the sample take a kernel-weighted mean of the sample's places (Nadaraya 1964).
    """
    if eigvecs.ndim != 4 or 0 in eigvecs.shape:
        raise ValueError(f"Eigenvectors must have the axes (n, h, w, k), not {eigvecs.shape}.")
    tokens = torch.nn.functional.normalize(
        torch.from_numpy(eigvecs.reshape(-1, eigvecs.shape[-1])), dim=1
    )
    sample = _spread_sample(tokens, seed)
    if len(sample) < _FEWEST_TOKENS:
        places = torch.zeros(len(tokens), 3)
    else:
        places = _place_by_neighbours(tokens, sample, _embed(sample, seed))
    colors = _stretch(places.numpy())
    return np.round(colors * 255).astype(np.uint8).reshape(*eigvecs.shape[:3], 3)


def _spread_sample(tokens: torch.Tensor, seed: int) -> torch.Tensor:
    """At most SAMPLES different tokens, spread over all of them."""
    from ncut_pytorch.utils.sample import farthest_point_sampling

    with seeded(seed):
        indices = farthest_point_sampling(tokens, n_sample=min(SAMPLES, len(tokens)), device="cpu")
    return torch.unique(tokens[indices], dim=0)


def _embed(sample: torch.Tensor, seed: int) -> torch.Tensor:
    """Places (m, 3) float32 of the sample's tokens."""
    tsne = TSNE(
        n_components=3,
        metric="cosine",
        perplexity=len(sample) / 2,  # The tutorial's 150 of 300.
        method="exact",  # Faster than Barnes-Hut for a few hundred points.
        max_iter=ITERATIONS,
        init="pca",
        random_state=seed,
    )
    return torch.from_numpy(tsne.fit_transform(sample.numpy()).astype(np.float32))


def _place_by_neighbours(
    tokens: torch.Tensor, sample: torch.Tensor, places: torch.Tensor
) -> torch.Tensor:
    """Places (N, 3) of all tokens: the mean of the sample's, weighted by a Gaussian kernel."""
    # For unit vectors |a - b|^2 = 2 - 2 a.b, so the kernel exp(-|a - b|^2 / 2 s^2) is
    # exp((a.b - 1) / s^2). s is half the sample's spacing, so that a token sees its neighbours.
    similarity = (sample @ sample.T).fill_diagonal_(-1)
    spacing_squared = (2 - 2 * similarity.amax(dim=1)).median().clamp_min(1e-6)
    sharpness = float(4 / spacing_squared)
    places_and_one = torch.cat([places, torch.ones(len(places), 1)], dim=1)
    offset = torch.full((1,), -sharpness)

    def place(rows: torch.Tensor) -> torch.Tensor:
        exponent = torch.addmm(offset, rows, sample.T, alpha=sharpness)
        weights = exponent.clamp_min_(_LOWEST_EXPONENT).exp_()
        totals = weights @ places_and_one
        return totals[:, :3] / totals[:, 3:]

    return torch.cat([place(rows) for rows in tokens.split(_ROWS_AT_ONCE)])


def _stretch(places: FloatArray) -> FloatArray:
    """Each axis so that its QUANTILES become 0 and 1; 0.5 where an axis does not vary."""
    low, high = np.quantile(places, QUANTILES, axis=0)
    spread = high - low
    varies = spread > 1e-12
    stretched = np.where(varies, (places - low) / np.where(varies, spread, 1), 0.5)
    return np.clip(stretched, 0, 1).astype(np.float32)
