"""A labelled set, read once and analysed once: what everything is measured on.

Knows how masks are drawn of margins that no rule made. Knows nothing of clicks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.analysis import analyze_set
from benchmarks.labelled import LabelledSet, reduced
from pointprompt.analysis.analysis import Analysis
from pointprompt.backbones.backbone import Backbone
from pointprompt.pipeline import image_masks
from pointprompt.settings import Settings
from pointprompt.sources.photos import read_set
from pointprompt.types import BoolArray, FloatArray, TokenPrediction

# Most pixels of a side where many masks of one prompt are drawn to find the best.
SMALL_SIDE = 320

# Margins of exactly 1 or -1 are for tokens that a person clicked.
_MOST = np.nextafter(np.float32(1), np.float32(0))


@dataclass(frozen=True)
class PreparedSet:
    """All that measures need of one set.

    Attributes:
        full: The photos and their masks.
        analysis: Of the photos.
        features: (n, h, w, c) float32, that the analysis is of.
        small: The photos and their masks, at most `SMALL_SIDE` pixels a side.
        small_analysis: The same analysis, whose masks are drawn on the small photos.
    """

    full: LabelledSet
    analysis: Analysis
    features: FloatArray = field(repr=False)
    small: LabelledSet
    small_analysis: Analysis

    @property
    def grid(self) -> tuple[int, int]:
        """The rows and columns of tokens, h and w."""
        return self.features.shape[1], self.features.shape[2]


def prepare(labelled: LabelledSet, model: Backbone) -> PreparedSet:
    """The set, analysed with this backbone."""
    image_set = read_set(labelled.photos, model.framing)
    analysis = analyze_set(image_set, model)
    small = reduced(labelled, SMALL_SIDE)
    small_photos = read_set(small.photos, model.framing).photos
    return PreparedSet(
        full=labelled,
        analysis=analysis,
        features=model.features(image_set.frames),
        small=small,
        small_analysis=replace(analysis, photos=small_photos),
    )


def drawn(
    analysis: Analysis, margins: FloatArray, outline: str = Settings().outline
) -> list[BoolArray]:
    """The masks (H, W) bool of all images that an outline makes of margins.

    Args:
        analysis: Of the images.
        margins: (n, h, w) float32; above 0 is inside. What is beyond -1 and 1 counts as those.
        outline: One of `settings.OUTLINES`; by default the one of the default settings.
    """
    bounded: FloatArray = np.clip(margins, -_MOST, _MOST)
    heatmaps: FloatArray = (bounded + 1) / np.float32(2)
    tokens = TokenPrediction(heatmaps, bounded > 0, bounded, heatmaps.max(axis=(1, 2)))
    return list(image_masks(analysis, tokens, [], Settings(outline=outline)))
