"""Features of all images -> their joint eigenvectors, and a fitted cut that extends to new images.

Knows the parts of ncut-pytorch, whose version is bounded for that. Knows nothing of images,
backbones (but for threads that compute on one core each), clicks or colours.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from ncut_pytorch.ncuts.ncut_nystrom import (
    SMALL_SCALE_THRESHOLD,
    NystromConfig,
    NystromPropagationCache,
    nystrom_propagate,
)
from ncut_pytorch.utils.math import correct_rotation, rbf_affinity, svd_lowrank
from ncut_pytorch.utils.sample import farthest_point_sampling
from ncut_pytorch.utils.sigma import find_sigma

from pointprompt.backbones.cores import thread_a_core
from pointprompt.types import N_EIGVECS, FloatArray

# Tokens that the cut is solved on; it holds a matrix of that many rows and columns. With 10,240, as
# in ncut-pytorch, the masks are no better, and it takes four times as long.
_SAMPLES = 4_096
# Tokens that a core extends at a time, against up to a thousand samples each: 17 MB, where all
# cores together would hold 270 MB, and wait for each other at every step.
_TOKENS_AT_ONCE = 4_096
# Of a degree, and what is added to the diagonal, as in ncut-pytorch.
_LEAST = 1e-8
# Mean affinity between samples, which the width of the extension is chosen for; as there.
_DEGREE_OF_SAMPLES = 0.25
# ncut-pytorch's: of the tokens that the width of the affinity is found from.
_SIGMA_SAMPLES = 1_000

# The generators are global to the process: two cuts at once would draw from each other's seed.
_GENERATORS = threading.Lock()


@dataclass(frozen=True)
class Cut:
    """A Normalized Cut fitted on one image set, as far as it describes other tokens.

    Attributes:
        eigvals: (k,) float32, falling.
        samples: (m, c) float32, tokens at which the eigenvectors are known.
        eigvecs: (m, k) float32, there.
        degrees: (m,) float32, how close each sample is to all samples, on average.
        sigma: Width of the affinity between a token and the samples.
    """

    eigvals: FloatArray = field(repr=False)
    samples: FloatArray = field(repr=False)
    eigvecs: FloatArray = field(repr=False)
    degrees: FloatArray = field(repr=False)
    sigma: float

    def was_solved_on(self, eigvecs: FloatArray) -> bool:
        """Whether an image has its eigenvectors (h, w, k) from solving the cut, not from `extend`.

        Only where few tokens are solved at once; a token that became a sample tells it.
        """
        rows = {row.tobytes() for row in self.eigvecs}
        return any(row.tobytes() in rows for row in eigvecs.reshape(-1, eigvecs.shape[-1]))

    def extend(self, features: FloatArray, device: str = "cpu") -> FloatArray:
        """Eigenvectors (n, h, w, k) float32 of images that the cut was not fitted on.

        Args:
            features: (n, h, w, c) float32, from the backbone the cut was fitted with.
            device: Where to compute. The result is on the CPU.

        Raises:
            ValueError: The features are not of that shape, or not finite.

        Source: Nystrom extension, as in `ncut_pytorch.Ncut.transform`.
        """
        _check_features(features)
        n, h, w, c = features.shape
        samples = torch.from_numpy(self.samples).to(device)
        eigvecs = torch.from_numpy(self.eigvecs).to(device)
        known = NystromPropagationCache(
            indices=torch.arange(len(samples)),
            sampled_nystrom_X=samples,
            sampled_nystrom_eigvec=eigvecs,
            sigma=self.sigma,
            D=torch.from_numpy(self.degrees).to(device),
            nystrom_x_sq=samples.pow(2).sum(dim=1).unsqueeze(0),
        )
        tokens = torch.from_numpy(features.reshape(-1, c))
        found = torch.empty((len(tokens), eigvecs.shape[1]))

        def extend(some: torch.Tensor, place: torch.Tensor) -> None:
            place[:] = nystrom_propagate(eigvecs, some, samples, device=device, cache=known)

        if device == "cpu":
            at_once = (tokens.split(_TOKENS_AT_ONCE), found.split(_TOKENS_AT_ONCE))
            with thread_a_core() as pool:
                list(pool.map(extend, *at_once))
        else:
            extend(tokens, found)
        return found.numpy().reshape(n, h, w, -1)


def fit_cut(
    features: FloatArray, *, n_eigvecs: int = N_EIGVECS, seed: int = 0, device: str = "cpu"
) -> tuple[FloatArray, Cut]:
    """Eigenvectors (n, h, w, k) float32, and the fitted cut.

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
    tokens = torch.from_numpy(features.reshape(-1, features.shape[-1]))
    if bool((tokens == tokens[0]).all()):
        raise ValueError("The images look the same everywhere, so there is nothing to cut.")
    with seeded(seed, device):
        solved = _solve(tokens, n_eigvecs, device)
        if len(solved.tokens) < len(tokens):
            cut = _sampled(solved, device)
            return cut.extend(features, device), cut
    # Solved on all tokens, so only what joins needs samples: `Ncut` draws them when that is asked.
    with seeded(seed, device):
        cut = _sampled(solved, device)
    return _to_numpy(solved.eigvecs).reshape(*features.shape[:3], -1), cut


class _Solved(NamedTuple):
    """The cut of some tokens (m, c): their eigenvectors (m, k), and the eigenvalues (k,)."""

    tokens: torch.Tensor
    eigvecs: torch.Tensor
    eigvals: torch.Tensor


def _solve(tokens: torch.Tensor, n_eigvecs: int, device: str) -> _Solved:
    """The cut of the tokens, or of a sample where there are many.

    As `ncut_pytorch.Ncut.fit`, bit for bit, but with one matrix in memory where that has three.

    Args:
        tokens: (N, c) float32, on the CPU.
        n_eigvecs: How many, at most.
        device: Where to compute.
    """
    if len(tokens) > SMALL_SCALE_THRESHOLD:
        n_sample = min(_SAMPLES, int(len(tokens) * NystromConfig.n_sample_max_ratio))
        tokens = tokens[farthest_point_sampling(tokens, n_sample=n_sample, device=device)]
    sample = tokens.to(device)
    affinity = rbf_affinity(sample, sigma=_sigma(sample, None, device))
    scales = torch.rsqrt(affinity.sum(dim=1).clamp_min(_LEAST))
    affinity.mul_(scales[:, None]).mul_(scales[None, :])
    affinity.diagonal().add_(_LEAST)
    eigvecs, eigvals, _ = svd_lowrank(affinity, min(n_eigvecs, len(tokens)))
    return _Solved(tokens, correct_rotation(eigvecs), eigvals)


def _sampled(solved: _Solved, device: str) -> Cut:
    """What extends the cut: all that `ncut_pytorch.Ncut.transform` reads, bit for bit."""
    some = farthest_point_sampling(solved.eigvecs, NystromConfig.n_sample2, device=device)
    samples = solved.tokens[some.to(solved.tokens.device)].to(device).contiguous()
    sigma = _sigma(samples, _DEGREE_OF_SAMPLES, device)
    return Cut(
        eigvals=_to_numpy(solved.eigvals),
        samples=_to_numpy(samples),
        eigvecs=_to_numpy(solved.eigvecs[some.to(solved.eigvecs.device)]),
        degrees=_to_numpy(rbf_affinity(samples, sigma=sigma).mean(1)),
        sigma=sigma,
    )


def _sigma(tokens: torch.Tensor, degree: float | None, device: str) -> float:
    """As `ncut_pytorch.find_sigma`, which takes its sample wherever there is a GPU."""
    if len(tokens) > _SIGMA_SAMPLES:
        tokens = tokens[farthest_point_sampling(tokens, _SIGMA_SAMPLES, device=device)]
    return float(find_sigma(tokens, n_sample=_SIGMA_SAMPLES, A_degree=degree))


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
