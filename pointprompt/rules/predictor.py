"""Either rule, by one door: clicks and settings -> what they select at token resolution.

Knows the rules. Does not know pixels, sessions or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pointprompt.analysis.codes import centred
from pointprompt.grid import check_image, token_of
from pointprompt.rules import joint
from pointprompt.rules.one_only import only_one
from pointprompt.rules.tutorial import Scorer
from pointprompt.types import Analysis, Click, Settings, TokenPrediction


class Predictor:
    """Predicts from one analysis many times.

    For the tutorial's rule it remembers what clicks that are still there select; ours is so fast
    that there is nothing to remember. `predict` may be called from several threads at once.

    Attributes:
        max_bytes: The most memory it comes to hold, besides the analysis.
    """

    def __init__(self, analysis: Analysis) -> None:
        """Prepare both rules."""
        self._codes = analysis.embedding
        self._centred = centred(analysis.embedding)
        self._tutorial = Scorer(analysis.eigvecs)
        self.max_bytes = self._tutorial.max_bytes + self._centred.nbytes

    def predict(self, clicks: Sequence[Click], settings: Settings) -> TokenPrediction:
        """What the clicks select in all images, by the rule of the settings.

        Raises:
            ValueError: A click is on an image that is not in the analysis.
        """
        n, h, w, _ = self._codes.shape
        for click in clicks:
            check_image(click, n)
        if settings.rule == "tutorial":
            prediction = self._tutorial.predict(clicks, settings)
        else:
            prediction = self._by_kernel(clicks, settings)
        if not settings.one_only:
            return prediction
        positives = [(click.image, *token_of(click, h, w)) for click in clicks if click.positive]
        masks = only_one(prediction.margins, positives)
        margins = np.where(masks, prediction.margins, -np.abs(prediction.margins))
        return replace(prediction, masks=masks, margins=margins)

    def _by_kernel(self, clicks: Sequence[Click], settings: Settings) -> TokenPrediction:
        margins, presence = joint.predict(self._codes, self._centred, clicks, settings.strength)
        return TokenPrediction(
            heatmaps=(margins + np.float32(1)) / np.float32(2),
            masks=margins > 0,
            margins=margins,
            presence=presence,
        )
