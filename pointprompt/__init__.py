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
    from pointprompt.applying import apply
    from pointprompt.exporting import export
    from pointprompt.on_ray import apply as apply_on_ray
    from pointprompt.pipeline import analyze, extend, make_recipe, open_recipe, predict, without
    from pointprompt.recipes.applied import Applied
    from pointprompt.recipes.file import read as read_recipe
    from pointprompt.recipes.file import write as write_recipe
    from pointprompt.recipes.recipe import Recipe, RecipeError
    from pointprompt.rules.predictor import Predictor
    from pointprompt.rules.tutorial import get_mask
    from pointprompt.sources.video import read_frames

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "Applied",
    "Click",
    "JointRule",
    "Lock",
    "Prediction",
    "Predictor",
    "Progress",
    "Recipe",
    "RecipeError",
    "Settings",
    "Stroke",
    "Thing",
    "TutorialRule",
    "analyze",
    "apply",
    "apply_on_ray",
    "export",
    "extend",
    "get_mask",
    "make_recipe",
    "open_recipe",
    "predict",
    "read_frames",
    "read_recipe",
    "without",
    "write_recipe",
]

# Where each is, and what it is called there.
_PLACES = {
    "Applied": ("recipes.applied", "Applied"),
    "Predictor": ("rules.predictor", "Predictor"),
    "Recipe": ("recipes.recipe", "Recipe"),
    "RecipeError": ("recipes.recipe", "RecipeError"),
    "analyze": ("pipeline", "analyze"),
    "apply": ("applying", "apply"),
    "apply_on_ray": ("on_ray", "apply"),
    "export": ("exporting", "export"),
    "extend": ("pipeline", "extend"),
    "get_mask": ("rules.tutorial", "get_mask"),
    "make_recipe": ("pipeline", "make_recipe"),
    "open_recipe": ("pipeline", "open_recipe"),
    "predict": ("pipeline", "predict"),
    "read_frames": ("sources.video", "read_frames"),
    "read_recipe": ("recipes.file", "read"),
    "without": ("pipeline", "without"),
    "write_recipe": ("recipes.file", "write"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'pointprompt' has no attribute {name!r}")
    module, there = _PLACES[name]
    return getattr(importlib.import_module(f"pointprompt.{module}"), there)
