"""An analysis with a backbone that is loaded already, so that measuring many loads it once."""

from __future__ import annotations

from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.compute import complete, compute
from pointprompt.backbones.backbone import Backbone
from pointprompt.types import ImageSet, ProgressFn


def analyze_set(
    image_set: ImageSet,
    model: Backbone,
    *,
    joins: Analysis | None = None,
    progress: ProgressFn | None = None,
) -> Analysis:
    """The analysis of images that were read at a loaded backbone's input size."""
    terms = joins.terms if joins else None
    computed = compute(image_set.frames, model, terms, progress=progress)
    return complete(image_set, computed, joins=joins, progress=progress)
