"""pointprompt: click a thing in one image, get its mask in all of them.

    import pointprompt

    analysis = pointprompt.analyze(["a.jpg", "b.jpg"])
    prediction = pointprompt.predict(analysis, [pointprompt.Click(image=0, x=0.5, y=0.4)])
    prediction.masks[1]  # (H, W) bool, at b.jpg's own size

Importing the package is cheap; torch is imported by the first function that needs it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pointprompt.analysis.analysis import Analysis
from pointprompt.edits import Lock, Stroke
from pointprompt.settings import JointRule, Settings, TutorialRule
from pointprompt.things import Thing
from pointprompt.types import Click, Prediction, Progress

if TYPE_CHECKING:
    from pointprompt.pipeline import analyze, extend, predict, without
    from pointprompt.rules.predictor import Predictor
    from pointprompt.rules.tutorial import get_mask
    from pointprompt.sources.video import read_frames

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "Click",
    "JointRule",
    "Lock",
    "Prediction",
    "Predictor",
    "Progress",
    "Settings",
    "Stroke",
    "Thing",
    "TutorialRule",
    "analyze",
    "extend",
    "get_mask",
    "predict",
    "read_frames",
    "without",
]

_MODULE_OF = {
    "analyze": "pointprompt.pipeline",
    "extend": "pointprompt.pipeline",
    "predict": "pointprompt.pipeline",
    "Predictor": "pointprompt.rules.predictor",
    "get_mask": "pointprompt.rules.tutorial",
    "read_frames": "pointprompt.sources.video",
    "without": "pointprompt.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'pointprompt' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[name]), name)
