"""The rules that are measured, by their names in the tables, as functions of clicks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.peers import cosine
from benchmarks.person import Rule
from benchmarks.prepared import PreparedSet
from pointprompt.analysis.analysis import Analysis
from pointprompt.pipeline import image_masks
from pointprompt.rules.predictor import Predictor
from pointprompt.settings import JointRule, Settings, TutorialRule
from pointprompt.types import BoolArray, Click

# The one that is looked into.
OURS = "ours"
SETTINGS = {
    "tutorial": Settings(TutorialRule(), outline="tokens"),
    "ours, no edges": Settings(outline="tokens"),
    OURS: Settings(),
    "ours, this one only": Settings(one_only=True),
}


def rules_of(prepared: PreparedSet) -> dict[str, Rule]:
    """The rules on one set."""
    analysis = prepared.analysis
    rules = {name: predicted(analysis, settings) for name, settings in SETTINGS.items()}
    if analysis.image_embeddings is not None:
        rules["ours, drawn by SAM"] = predicted(analysis, Settings(outline="sam"))
    rules["cosine"] = cosine(prepared.features, [mask.shape for mask in prepared.full.masks])
    return rules


def predicted(analysis: Analysis, settings: Settings) -> Rule:
    """What the package makes of clicks with these settings."""
    predictor = Predictor(analysis)

    def rule(clicks: Sequence[Click]) -> tuple[list[BoolArray], float]:
        start = time.perf_counter()
        prediction = predictor.predict(clicks, settings)
        spent = time.perf_counter() - start
        return list(image_masks(analysis, prediction, clicks, settings)), spent

    return rule


def with_threshold(settings: Settings, threshold: float) -> Settings:
    """The settings with another threshold of their rule."""
    return replace(settings, rule=replace(settings.rule, threshold=threshold))


def with_size(settings: Settings, size: str) -> Settings:
    """The settings with our own rule at one of `SIZES`, its sliders where they begin."""
    return replace(settings, rule=JointRule(size=size))
