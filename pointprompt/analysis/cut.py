"""Features of all images -> their joint eigenvectors, and a fitted cut that extends to new images.

Knows ncut-pytorch. Knows nothing of images, backbones, clicks or colours.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pointprompt.types import FloatArray

N_EIGVECS = 30

# Tokens that the cut is solved on. It holds a matrix of that many rows and columns beside the
# features; of so many images that those fill the memory of a laptop, fewer have to do. The masks
# differ by no more than with another seed.
_SAMPLES = 10_240
_SAMPLES_OF_MANY = 7_168
_MANY_TOKENS = 32 * 64 * 64
# Of a degree, and what is added to the diagonal, as in ncut-pytorch.
_LEAST = 1e-8

# The generators are global to the process: two cuts at once would draw from each other's seed.
_GENERATORS = threading.Lock()


@dataclass(frozen=True)
class FittedCut:
    """A Normalized Cut fitted on one image set."""

    _ncut: Any

    @property
    def nbytes(self) -> int:
        """Bytes of memory it holds."""
        return sum(
            value.nbytes for value in vars(self._ncut).values() if isinstance(value, torch.Tensor)
        )

    def extend(self, features: FloatArray, seed: int = 0) -> FloatArray:
        """Eigenvectors (n, h, w, k) float32 of images that the cut was not fitted on.

        Args:
            features: (n, h, w, c) float32, from the backbone the cut was fitted with.
            seed: The same seed and features give the same eigenvectors.

        Raises:
            ValueError: The features are not of that shape, or not finite.

        Source: Nystrom extension, as in `ncut_pytorch.Ncut.transform`.
        """
        _check_features(features)
        n, h, w, c = features.shape
        with seeded(seed):
            eigvecs = self._ncut.transform(torch.from_numpy(features.reshape(-1, c)))
        return _to_numpy(eigvecs).reshape(n, h, w, -1)


def fit_cut(
    features: FloatArray, *, n_eigvecs: int = N_EIGVECS, seed: int = 0, device: str = "cpu"
) -> tuple[FloatArray, FloatArray, FittedCut]:
    """Eigenvectors (n, h, w, k) float32, eigenvalues (k,) float32, falling, and the fitted cut.

    k is `n_eigvecs`, or the number of tokens where there are fewer. The same features, seed and
    device give the same eigenvectors; the global random generators are left as they were.

    Args:
        features: (n, h, w, c) float32 tokens of all images together.
        n_eigvecs: How many eigenvectors, at least 2.
        seed: Of ncut-pytorch's sampling.
        device: Where to compute: "cpu", "cuda", "mps". The results are on the CPU.

    Raises:
        ValueError: The features are not of that shape, not finite, or the same for all tokens; or
            `n_eigvecs` is below 2.

    Source: Tutorial step 3; Shi & Malik 2000, Normalized Cuts and Image Segmentation.
    """
    _check_features(features)
    if n_eigvecs < 2:
        raise ValueError(f"A cut needs at least 2 eigenvectors, not {n_eigvecs}.")
    n, h, w, c = features.shape
    tokens = torch.from_numpy(features.reshape(-1, c))
    if bool((tokens == tokens[0]).all()):
        raise ValueError("The images look the same everywhere, so there is nothing to cut.")
    from ncut_pytorch import Ncut

    ncut = Ncut(
        n_eig=min(n_eigvecs, len(tokens)),
        n_sample=_SAMPLES if len(tokens) <= _MANY_TOKENS else _SAMPLES_OF_MANY,
        # Of a repulsion there is none here: any number spares the search for one.
        repulsion_sigma=1.0,
        device=device,
    )
    with seeded(seed, device):
        _fit(ncut, tokens)
        eigvecs = ncut.transform(tokens)
    return (
        _to_numpy(eigvecs).reshape(n, h, w, -1),
        _to_numpy(ncut.eigval),
        FittedCut(_on_cpu(ncut)),
    )


def _fit(ncut: Any, tokens: torch.Tensor) -> None:
    """As `Ncut.fit`, bit for bit, but with one matrix in memory where that has three.

    Args:
        ncut: Of ncut-pytorch, with its own affinity.
        tokens: (N, c) float32.
    """
    from ncut_pytorch.ncuts.ncut_nystrom import SMALL_SCALE_THRESHOLD, NystromConfig
    from ncut_pytorch.utils.math import correct_rotation, rbf_affinity, svd_lowrank
    from ncut_pytorch.utils.sample import farthest_point_sampling
    from ncut_pytorch.utils.sigma import find_sigma

    config = NystromConfig()
    config.update(ncut.kwargs)
    indices = torch.arange(len(tokens))
    if len(tokens) > SMALL_SCALE_THRESHOLD:
        n_sample = min(config.n_sample, int(len(tokens) * config.n_sample_max_ratio))
        indices = farthest_point_sampling(tokens, n_sample=n_sample, device=ncut.device)
    sample = tokens[indices].to(ncut.device)
    sigma = find_sigma(sample, A_degree=ncut.A_degree)
    affinity = rbf_affinity(sample, sigma=sigma)
    scales = torch.rsqrt(affinity.sum(dim=1).clamp_min(_LEAST))
    affinity.mul_(scales[:, None]).mul_(scales[None, :])
    affinity.diagonal().add_(_LEAST)
    eigvecs, eigvals, _ = svd_lowrank(affinity, ncut.n_eig)
    ncut._nystrom_x = tokens[indices]
    ncut._nystrom_eigvec = correct_rotation(eigvecs)
    ncut._eigval = eigvals
    ncut.sigma = sigma


def _check_features(features: FloatArray) -> None:
    if features.ndim != 4 or 0 in features.shape:
        raise ValueError(f"Features must have the axes (n, h, w, c), not shape {features.shape}.")
    if features.dtype != np.float32:
        raise ValueError(f"Features must be float32, not {features.dtype}.")
    if not np.isfinite(features).all():
        raise ValueError(
            "The backbone gave features that are not finite. Try float32 instead of half "
            "precision, or another backbone."
        )


def _on_cpu(ncut: Any) -> Any:
    """Move what the fitted cut keeps to the CPU, so that an analysis holds no GPU memory."""
    for name, value in vars(ncut).items():
        if isinstance(value, torch.Tensor):
            setattr(ncut, name, value.cpu())
    ncut.device = "cpu"
    ncut._propagation_cache = None  # Made again, on the CPU, when it is first needed.
    return ncut


def _to_numpy(tensor: torch.Tensor) -> FloatArray:
    return tensor.detach().to("cpu", torch.float32).numpy()


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed the global generators that ncut-pytorch draws from; put them back afterwards.

    Args:
        seed: The seed.
        device: Where the work is done. Work on the CPU leaves GPUs alone: merely to ask for the
            state of their generators would start CUDA, which not every process may.
    """
    on_cpu = device == "cpu"
    with _GENERATORS, torch.random.fork_rng(devices=[] if on_cpu else None):
        numpy_state = np.random.get_state()  # noqa: NPY002 - this is the generator it draws from
        try:
            seed_torch = torch.default_generator.manual_seed if on_cpu else torch.manual_seed
            seed_torch(seed)
            np.random.seed(seed)  # noqa: NPY002
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
