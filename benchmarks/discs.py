"""Small things in wide photos: drawn discs, found by one click in their middle.

The scenes are those of `benchmarks.robust`, with discs of other sizes in images of other shapes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.robust import HEIGHT, Scene, beside, draw_scene
from benchmarks.table import Table
from pointprompt.backbones.backbone import Backbone

# Of the image, that the disc takes.
SHARES = (0.01, 0.02, 0.03, 0.06)
# How often as wide as high the image is.
ASPECTS = (1, 2, 3, 4)
# Of the noise.
SEEDS = (1, 2)


def disc(share: float, aspect: int, seed: int) -> Scene:
    """A disc in the middle of a scene, so large a share of it."""
    width = aspect * HEIGHT
    return draw_scene(width, radius=float(np.sqrt(share * width * HEIGHT / np.pi)), seed=seed)


def measured(model: Backbone, seeds: Sequence[int] = SEEDS) -> Table:
    """The mean IoU after one click by share and aspect, and of all."""
    found = np.array(
        [
            [np.mean([beside(disc(s, a, seed), [], model) for seed in seeds]) for a in ASPECTS]
            for s in SHARES
        ]
    )
    means = np.concatenate([found, found.mean(axis=0, keepdims=True)])
    rows = [
        [name, *(f"{value:.3f}" for value in (*row, row.mean()))]
        for name, row in zip([*(f"{share:.0%}" for share in SHARES), "all"], means, strict=True)
    ]
    return Table(["share", *(f"{aspect}:1" for aspect in ASPECTS), "all"], rows)
