"""How much of their images things take, in classes from small to large."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pointprompt.types import BoolArray

# Where one class ends and the next begins, as shares of the image.
LIMITS = (0.01, 0.03, 0.10, 0.30)
CLASSES = (
    f"below {LIMITS[0]:.0%}",
    *(f"{low:.0%} to {high:.0%}" for low, high in pairwise(LIMITS)),
    f"above {LIMITS[-1]:.0%}",
)


def size_class(masks: Sequence[BoolArray]) -> str:
    """The class of the mean share that the masks take of their images."""
    share = np.mean([mask.mean() for mask in masks])
    return CLASSES[np.searchsorted(LIMITS, share, side="right")]
