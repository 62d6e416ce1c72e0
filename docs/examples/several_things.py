"""Several things, each with clicks and settings of its own -> their heatmaps and masks as arrays.

    python docs/examples/several_things.py OUT

The six drawn tables that come with the package: oranges are on four of them, red balls on five.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import pointprompt
from pointprompt import Click, JointRule, Settings, Thing
from pointprompt.sources.examples import example_set

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)

analysis = pointprompt.analyze([image.load() for image in example_set("still-life").images])

# One click says "this". What it took too much is told "not this": two red balls and a green one.
orange = Thing(
    "orange",
    (
        Click(image=0, x=0.54, y=0.65),
        Click(image=3, x=0.44, y=0.44, positive=False),
        Click(image=3, x=0.71, y=0.67, positive=False),
        Click(image=2, x=0.60, y=0.31, positive=False),
    ),
)
red_ball = Thing(
    "red ball",
    (
        Click(image=0, x=0.31, y=0.48),
        Click(image=0, x=0.54, y=0.64, positive=False),
        Click(image=1, x=0.51, y=0.68, positive=False),
        Click(image=5, x=0.30, y=0.52, positive=False),
        Click(image=4, x=0.19, y=0.48, positive=False),
    ),
    # A little stricter than by default, and without small regions.
    Settings(JointRule(threshold=0.52), remove_specks=400),
)

for thing in (orange, red_ball):
    prediction = pointprompt.predict(analysis, thing.clicks, thing.settings)
    np.savez_compressed(
        out / f"{thing.name}.npz",
        heatmaps=prediction.heatmaps,  # (n, h, w) float32, of tokens, before the threshold
        presence=prediction.presence,  # (n,) float32
        masks=np.stack(prediction.masks),  # (n, H, W) bool: these images are of one size
    )
    print(thing.name, [f"{mask.mean():.1%}" for mask in prediction.masks])

# To ask again and again, as an interface does: whole tokens, from what is prepared once.
predictor = pointprompt.Predictor(analysis)
for count in range(1, len(orange.clicks) + 1):
    tokens = predictor.predict(orange.clicks[:count], orange.settings)
    print(count, "clicks:", tokens.masks.sum(axis=(1, 2)), "tokens")
