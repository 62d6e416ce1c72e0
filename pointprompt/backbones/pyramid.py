"""Several stages of a pyramid of features, made one grid of tokens.

Knows tensors; knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import interpolate, normalize


def side_by_side(stages: Sequence[torch.Tensor], grid: tuple[int, int]) -> torch.Tensor:
    """Tokens (b, h, w, c1 + c2 + ...): those of every stage at length 1, brought to one grid.

    Args:
        stages: (b, ci, hi, wi) each, of any float type.
        grid: (h, w).
    """
    resampled = [
        interpolate(normalize(stage.float(), dim=1), size=grid, mode="bilinear") for stage in stages
    ]
    return torch.cat(resampled, dim=1).permute(0, 2, 3, 1)
