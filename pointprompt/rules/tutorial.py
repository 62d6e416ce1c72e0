"""Clicks and eigenvectors -> heatmaps and masks at token resolution, by the tutorial's rule.

Knows torch and arrays. Does not know images, pixels, sessions, HTTP or files.

Everything here runs on the CPU in float32 with torch's own operations in the order ncut-pytorch
1.8.0 has them, so that masks agree with it bit for bit. With another number of torch threads
`Tensor.mean` of more than 32,768 values may differ in its last bit (the product and the deviation
do not); that moves a heatmap by about 1e-7.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional

from pointprompt.grid import check_image, regions, token_of
from pointprompt.settings import TutorialRule
from pointprompt.types import BoolArray, Click, FloatArray, TokenPrediction

# What a Scorer remembers at most; at 100 images of 64 x 64 tokens: 40 heatmaps and 80 masks.
HEATMAP_BYTES = 64 << 20
MASK_BYTES = 32 << 20

# The quantiles that become 0 and 1, and the number of values they are taken from at most.
_QUANTILES = (0.01, 0.99)
_QUANTILE_VALUES = 10_000

# Image, row, column.
_Token = tuple[int, int, int]


def get_mask(  # noqa: PLR0917 - the tutorial's signature
    eigvectors: FloatArray | torch.Tensor,
    clicked_eigvec: FloatArray | torch.Tensor,
    threshold: float = 0.5,
    gamma: float = 1.0,
    denoise: bool = True,
    denoise_area_th: int = 3,
) -> BoolArray:
    """Masks (n, h, w) bool of the tokens that are like the clicked one, in all images.

    The distance of every token to the clicked one is normalised over all images together, so the
    masks of an image change with the images beside it. Where all tokens are equally like the
    clicked one (a constant image, a single token), nothing stands out and the masks are empty.

    Args:
        eigvectors: (n, h, w, k) numbers, an array or a tensor on any device; read as float32.
        clicked_eigvec: (k,) numbers, the same of the clicked token.
        threshold: A token belongs to the mask where its heatmap is above; 0 to 1 is useful.
        gamma: The power the heatmap is raised to. Larger is stricter.
        denoise: Remove small connected regions.
        denoise_area_th: Regions of fewer tokens than this are small.

    Raises:
        ValueError: A shape does not fit, or a number is not finite.

    Source: Tutorial step 5; the masks are exactly those of ncut-pytorch 1.8.0's `get_mask`, which
        marks them with 255 (or with 1, without denoise).
    """
    eigvecs = _checked_eigvecs(eigvectors)
    clicked = _checked_clicked(clicked_eigvec, eigvecs.shape[-1])
    for name, value in (
        ("threshold", threshold),
        ("gamma", gamma),
        ("denoise_area_th", denoise_area_th),
    ):
        if not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, not {value!r}.")
    heatmap = _heatmap(_unit_vectors(eigvecs), clicked, gamma)
    return _mask(heatmap, threshold, denoise_area_th if denoise else 0)


def predict_tokens(
    eigvecs: FloatArray, clicks: Sequence[Click], settings: TutorialRule
) -> TokenPrediction:
    """What `clicks` select in all images.

    Every positive click has its own mask (`get_mask`), and any of them is enough. Every negative
    click has its own, with `settings.negative_threshold` and without denoise, and any of them takes
    a token away. Without a positive click nothing is selected. To predict again and again from the
    same eigenvectors, keep a `Scorer`.

    Args:
        eigvecs: (n, h, w, k) float32.
        clicks: In any order; the same one twice is the same as once.
        settings: Where `n_eigvecs` is more than there are, all are used.

    Raises:
        ValueError: The eigenvectors have another shape or are not finite, or a click is on an image
            that is not there.

    Source: Tutorial step 6.
    """
    return Scorer(eigvecs).predict(clicks, settings)


def most_bytes(shape: tuple[int, ...]) -> int:
    """The most memory a `Scorer` comes to hold, besides the eigenvectors of that shape."""
    tokens = math.prod(shape[:3])
    heatmaps_kept, masks_kept = _kept(tokens)
    return 4 * math.prod(shape) + tokens * (4 * heatmaps_kept + masks_kept)


class Scorer:
    """Predicts from one set of eigenvectors many times, and computes only what is new.

    What one click gives depends on no other click, so a prompt can be sent whole at every change:
    the heatmaps and masks of its earlier clicks are remembered. `predict` may be called from
    several threads at once, and its result never depends on what is remembered.
    """

    def __init__(self, eigvecs: FloatArray) -> None:
        """Predict from these eigenvectors (n, h, w, k) float32."""
        checked = _checked_eigvecs(eigvecs)
        tokens = math.prod(checked.shape[:3])
        heatmaps_kept, masks_kept = _kept(tokens)

        # The caches belong to functions that do not know the Scorer: if they did, it would be part
        # of a reference cycle, and its memory freed only when Python next looks for those.
        @lru_cache(maxsize=1)
        def unit_vectors(k: int) -> torch.Tensor:
            return _unit_vectors(checked[..., :k])

        @lru_cache(maxsize=heatmaps_kept)
        def heatmap(token: _Token, k: int, gamma: float) -> FloatArray:
            return _heatmap(unit_vectors(k), checked[token][:k], gamma)

        @lru_cache(maxsize=masks_kept)
        def mask(token: _Token, k: int, gamma: float, threshold: float, min_area: int) -> BoolArray:
            return _mask(heatmap(token, k, gamma), threshold, min_area)

        self._shape = checked.shape
        self._heatmap = heatmap
        self._mask = mask

    def predict(self, clicks: Sequence[Click], settings: TutorialRule) -> TokenPrediction:
        """The same as `predict_tokens` with the eigenvectors this was made of."""
        positive = self._tokens(click for click in clicks if click.positive)
        negative = self._tokens(click for click in clicks if not click.positive)
        n, h, w, k = self._shape
        used = min(settings.n_eigvecs or k, k)
        gamma = settings.gamma
        min_area = settings.min_area if settings.denoise else 0

        # Not a number is where there is no scale; fmax takes any number over it.
        heatmaps = np.full((n, h, w), np.nan, np.float32)
        masks = np.zeros((n, h, w), np.bool_)
        for token in positive:
            np.fmax(heatmaps, self._heatmap(token, used, gamma), out=heatmaps)
            masks |= self._mask(token, used, gamma, settings.threshold, min_area)
        for token in negative:
            masks &= ~self._mask(token, used, gamma, settings.negative_threshold, 0)
        heatmaps = np.nan_to_num(heatmaps, copy=False)
        return TokenPrediction(
            heatmaps,
            masks,
            # The rule votes: it does not say how sure it is of a token, and never quite is.
            margins=np.where(masks, np.float32(0.5), np.float32(-0.5)),
            presence=heatmaps.max(axis=(1, 2)).clip(0, 1),
        )

    def _tokens(self, clicks: Iterable[Click]) -> list[_Token]:
        """The tokens under `clicks`, each once, in the order they were first clicked."""
        n, h, w, _ = self._shape
        tokens: dict[_Token, None] = {}
        for click in clicks:
            check_image(click.image, n)
            tokens[(click.image, *token_of(click, h, w))] = None
        return list(tokens)


def _kept(tokens: int) -> tuple[int, int]:
    """How many heatmaps and masks of so many tokens are remembered."""
    return max(1, HEATMAP_BYTES // (4 * tokens)), max(1, MASK_BYTES // tokens)


def _checked_eigvecs(eigvecs: FloatArray | torch.Tensor) -> FloatArray:
    """(n, h, w, k) float32, finite and with something along every axis."""
    array = _float32(eigvecs, "The eigenvectors")
    if array.ndim != 4:
        raise ValueError(
            "The eigenvectors must have the axes (images, rows, columns, eigenvectors), not the "
            f"shape {array.shape}; a single image needs a first axis of 1."
        )
    if array.size == 0:
        raise ValueError(f"There are no tokens in eigenvectors of the shape {array.shape}.")
    return array


def _checked_clicked(clicked_eigvec: FloatArray | torch.Tensor, k: int) -> FloatArray:
    """(k,) float32, finite."""
    array = _float32(clicked_eigvec, "The clicked eigenvector")
    if array.shape != (k,):
        raise ValueError(
            f"The clicked eigenvector must have the shape ({k},), as many numbers as the "
            f"eigenvectors have for a token, not {array.shape}."
        )
    return array


def _float32(values: FloatArray | torch.Tensor, name: str) -> FloatArray:
    """`values` as a finite float32 array on the CPU; the same memory where it is that already."""
    if isinstance(values, torch.Tensor):
        # NumPy has no bfloat16.
        values = values.detach().to("cpu", torch.float32).numpy()
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers, not {array.dtype}.")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite: there are NaN or infinite numbers among them.")
    return array


def _unit_vectors(eigvecs: FloatArray) -> torch.Tensor:
    """`eigvecs` (n, h, w, k) as float32 with tokens of length 1.

    Tokens that all have length 1 stay as they are, to the last bit.
    """
    # Contiguous, as the product of each click needs it; writable, or torch warns.
    vectors = torch.from_numpy(np.require(eigvecs, requirements=["C", "W"]))
    lengths = vectors.norm(dim=-1)
    if torch.allclose(lengths, torch.ones_like(lengths)):
        return vectors
    return functional.normalize(vectors, dim=-1)


def _heatmap(unit_vectors: torch.Tensor, clicked: FloatArray, gamma: float) -> FloatArray:
    """How like the clicked token every token is: (n, h, w) float32, higher is more alike.

    Most are within 0 and 1. All are NaN where the tokens do not differ in this, and infinite values
    can occur where nearly all tokens are the same.

    Source: Tutorial step 5.
    """
    direction = functional.normalize(torch.tensor(clicked), dim=-1)
    distance = 1 - (unit_vectors @ direction.unsqueeze(-1)).squeeze(-1)
    if distance.numel() == 1:  # has no deviation
        return np.full(distance.shape, np.nan, np.float32)
    z = (distance - distance.mean()) / distance.std()
    closeness = 1 / torch.exp(z) ** float(gamma)
    low, high = _low_and_high(closeness.flatten())
    heatmap: FloatArray = ((closeness - low) / (high - low)).numpy()
    return heatmap


def _low_and_high(values: torch.Tensor) -> torch.Tensor:
    """The two quantiles (2,) of `values` (N,) that a heatmap is scaled by."""
    if len(values) > _QUANTILE_VALUES:
        values = values[_quantile_sample(len(values))]
    return values.quantile(torch.tensor(_QUANTILES))


@lru_cache(maxsize=16)
def _quantile_sample(count: int) -> torch.Tensor:
    """The indices (10,000,), below `count`, of the values the quantiles are taken from."""
    # NumPy's legacy generator, since its stream is what the tutorial draws from.
    generator = np.random.RandomState(0)
    return torch.from_numpy(generator.choice(count, _QUANTILE_VALUES, replace=False))


def _mask(heatmap: FloatArray, threshold: float, min_area: float) -> BoolArray:
    """Where `heatmap` is above `threshold`, less its regions of fewer than `min_area` tokens."""
    # As float32, whatever kind of number it is: that is how torch compares.
    mask: BoolArray = heatmap > np.float32(threshold)
    return _without_small_regions(mask, min_area) if min_area > 1 else mask


def _without_small_regions(mask: BoolArray, min_area: float) -> BoolArray:
    """`mask` (n, h, w) bool without its 8-connected regions of fewer than `min_area` tokens."""
    numbers, _ = regions(mask)
    kept = np.bincount(numbers.ravel()) >= min_area
    kept[0] = False  # the background
    return kept[numbers]
