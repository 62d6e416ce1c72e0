"""What could be had: the best threshold, the best size, the best linear rule, the best tokens.

Everything here looks at the true masks, so these are bounds, not rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.labelled import boundary_f, iou, mean_iou
from benchmarks.prepared import PreparedSet, drawn
from benchmarks.rules import predicted, with_size, with_threshold
from pointprompt.settings import OUTLINES, SIZES, Settings
from pointprompt.types import BoolArray, Click, FloatArray

# Those of a rule that are tried, beside its own.
THRESHOLDS = (0.35, 0.4, 0.45, 0.55, 0.65, 0.75)
# Those of a linear rule: what its value must be above, where 1 is inside and -1 outside.
LEVELS = tuple(np.linspace(-0.8, 0.2, 11).round(2).tolist())

# What keeps a linear rule from dividing by nothing, as a share of the mean variance.
_RIDGE = 1e-3


@dataclass(frozen=True)
class Best:
    """The best of several choices.

    Attributes:
        choice: Which one.
        iou: (n,) float, of each image.
    """

    choice: float
    iou: list[float]

    @property
    def mean(self) -> float:
        """The mean IoU of the images, which no other choice surpasses."""
        return float(np.mean(self.iou))


@dataclass(frozen=True)
class Agreement:
    """How well masks agree with the truth.

    Attributes:
        iou: The mean over all images.
        boundary: The mean boundary F-score of the images with the thing.
    """

    iou: float
    boundary: float


def best_of(
    draw: Callable[[float], Sequence[BoolArray]],
    choices: Sequence[float],
    truth: Sequence[BoolArray],
) -> Best:
    """The choice whose masks have the highest mean IoU; of equals the first."""
    found = [Best(c, [iou(m, t) for m, t in zip(draw(c), truth, strict=True)]) for c in choices]
    return max(found, key=lambda best: best.mean)


def best_threshold(
    prepared: PreparedSet,
    clicks: Sequence[Click],
    settings: Settings,
    choices: Sequence[float],
) -> Best:
    """The best of these thresholds of the rule for these clicks, on the small photos."""

    def draw(threshold: float) -> Sequence[BoolArray]:
        asked = with_threshold(settings, threshold)
        return predicted(prepared.small_analysis, asked)(clicks)[0]

    return best_of(draw, choices, prepared.small.masks)


def best_size(prepared: PreparedSet, clicks: Sequence[Click], settings: Settings) -> Best:
    """The best of the sizes, by its place in `SIZES`, for these clicks, on the small photos."""

    def draw(place: float) -> Sequence[BoolArray]:
        asked = with_size(settings, SIZES[int(place)])
        return predicted(prepared.small_analysis, asked)(clicks)[0]

    return best_of(draw, range(len(SIZES)), prepared.small.masks)


def best_linear(prepared: PreparedSet, tokens: FloatArray) -> Agreement:
    """What the best linear function of the tokens (n, h, w, c) reaches, on the small photos."""
    margins = linear_margins(tokens, coverage(prepared.full.masks, prepared.grid))

    def draw(level: float) -> list[BoolArray]:
        return drawn(prepared.small_analysis, margins - np.float32(level))

    truth = prepared.small.masks
    return agreement(draw(best_of(draw, LEVELS, truth).choice), truth)


def true_tokens(prepared: PreparedSet) -> dict[str, Agreement]:
    """What every outline makes of tokens that know how much of them is the thing, by a name."""
    truth = prepared.full.masks
    margins = 2 * coverage(truth, prepared.grid) - 1
    can_draw = prepared.analysis.image_embeddings is not None
    outlines = [outline for outline in OUTLINES if outline != "sam" or can_draw]
    return {
        f"true tokens, outline {outline}": agreement(
            drawn(prepared.analysis, margins, outline), truth
        )
        for outline in outlines
    }


def coverage(masks: Sequence[BoolArray], grid: tuple[int, int]) -> FloatArray:
    """The share (n, h, w) float32 of every token that is in the mask (H, W) of its image."""
    h, w = grid
    planes = [Image.fromarray(mask.astype(np.float32)) for mask in masks]
    return np.stack([np.asarray(p.resize((w, h), Image.Resampling.BOX)) for p in planes])


def linear_margins(tokens: FloatArray, shares: FloatArray) -> FloatArray:
    """The linear function (n, h, w) float32 of tokens that is nearest to 1 inside and -1 outside.

    Args:
        tokens: (n, h, w, c) float32.
        shares: (n, h, w) float32, how much of each is inside.

    Source: Hoerl and Kennard 1970, Ridge Regression, equation 2.1.
    """
    flat = tokens.reshape(-1, tokens.shape[-1])
    target = 2 * shares.ravel() - 1
    centred = flat - flat.mean(axis=0)
    spread = centred.T @ centred
    spread[np.diag_indices_from(spread)] += _RIDGE * np.trace(spread) / len(spread)
    slopes = np.linalg.solve(spread, centred.T @ (target - target.mean()))
    values: FloatArray = centred @ slopes + target.mean()
    return values.reshape(shares.shape)


def agreement(masks: Sequence[BoolArray], truth: Sequence[BoolArray]) -> Agreement:
    """How well masks agree with the true ones."""
    outlines = [boundary_f(m, t) for m, t in zip(masks, truth, strict=True) if t.any()]
    return Agreement(mean_iou(masks, truth), float(np.mean(outlines)))
