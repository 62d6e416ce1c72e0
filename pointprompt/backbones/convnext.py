"""DINOv3 of convolutions (ConvNeXt): the tokens of its last two stages, side by side.

Knows which stages make a token, and timm's `ConvNeXt`. Where the weights lie it does not know.

Source:
    Simeoni et al., "DINOv3", 2025. What was trained to be like the large teacher is the last stage
    after its norm, a token every 32 pixels. The stage before it says more exactly where.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from pointprompt.backbones import timm_model
from pointprompt.backbones.backbone import Encoder
from pointprompt.backbones.pyramid import side_by_side

# The stages that make a token, as timm counts them. Their strides are 4, 8, 16 and 32 pixels.
_STAGES = (2, 3)

# Pixels from one token to the next.
_STRIDE = 16


class ConvNextEncoder(Encoder):
    """Tokens of two stages, each of length 1 and brought to the finer one's grid, side by side."""

    # Any: no class of timm names the methods that all its image models have.
    model: Any

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model.eval()
        self.mean = self.model.pretrained_cfg["mean"]
        self.std = self.model.pretrained_cfg["std"]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Tokens (b, H' / 16, W' / 16, c) of standardised images (b, 3, H', W')."""
        height, width = pixels.shape[-2:]
        fine, last = self.model.forward_intermediates(
            pixels, indices=list(_STAGES), intermediates_only=True
        )
        # timm keeps the norm of all tokens in the head, behind the mean of them.
        stages = (fine, self.model.head.norm(last))
        return side_by_side(stages, (height // _STRIDE, width // _STRIDE))


def build(timm_name: str, weights: dict[str, torch.Tensor] | None) -> ConvNextEncoder:
    """The encoder, on torch's default device; as `timm_model.build`.

    Raises:
        BackboneError: The weights are not those of this model.
    """
    return ConvNextEncoder(timm_model.create(timm_name, weights))
