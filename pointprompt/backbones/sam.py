"""SAM's image encoder (ViT-B, -L, -H): the tokens of one branch of one block.

Knows timm's `VisionTransformerSAM` and the three layouts its weights come in: the official
checkpoint, a transformers folder and timm's own. Where the weights lie it does not know.

Source:
    Kirillov et al., "Segment Anything", 2023; Tutorial 10, step 2.
"""

from __future__ import annotations

from functools import partial
from typing import cast

import timm
import torch
from timm.layers import resample_abs_pos_embed_nhwc
from timm.models.vision_transformer_sam import (
    Block,
    VisionTransformerSAM,
    window_partition,
    window_unpartition,
)
from torch import nn

from pointprompt.backbones.base import Encoder
from pointprompt.backbones.registry import BackboneError

# Names of the parts in the two other layouts, and timm's names for them.
_OFFICIAL_NAMES = (("mlp.lin", "mlp.fc"),)
_TRANSFORMERS_NAMES = (
    ("patch_embed.projection.", "patch_embed.proj."),
    ("layers.", "blocks."),
    ("layer_norm1.", "norm1."),
    ("layer_norm2.", "norm2."),
    ("mlp.lin", "mlp.fc"),
)


class SamEncoder(Encoder):
    """The output of one node of one block, un-windowed to the token grid.

    Blocks after that one, and the neck, are dropped.
    """

    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)

    def __init__(self, model: VisionTransformerSAM, node: str, layer: int) -> None:
        super().__init__()
        self.patch_embed = model.patch_embed
        self.pos_embed = model.pos_embed
        self.blocks = model.blocks[: layer + 1]
        self.node = node
        self.eval()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Tokens (b, s / 16, s / 16, c) of standardised images (b, 3, s, s)."""
        x = self.patch_embed(pixels)
        x = x + resample_abs_pos_embed_nhwc(self.pos_embed, list(x.shape[1:3]))
        x = self.blocks[:-1](x)
        return _node(cast(Block, self.blocks[-1]), x, self.node)


def build(
    timm_name: str, weights: dict[str, torch.Tensor] | None, node: str, layer: int
) -> SamEncoder:
    """The encoder, on the CPU.

    Args:
        timm_name: Which SAM, by its name in timm.
        weights: Tensors of a checkpoint, in any of the three layouts; None leaves them random.
        node: "attn", "mlp" or "block".
        layer: Index of the block.

    Raises:
        BackboneError: The weights are not those of this model.
    """
    if weights is None:
        return SamEncoder(_model(timm_name), node, layer)
    with torch.device("meta"):  # No memory, no time for weights that are replaced at once.
        encoder = SamEncoder(_model(timm_name), node, layer)
    load_weights(encoder, weights)
    return encoder


def load_weights(encoder: SamEncoder, weights: dict[str, torch.Tensor]) -> None:
    """Give an encoder the weights it needs; others are ignored.

    Args:
        encoder: Changed in place.
        weights: Tensors of a checkpoint, in any of the three layouts.

    Raises:
        BackboneError: One is missing or has another shape: they are of another model.
    """
    named = timm_names(weights)
    needed = encoder.state_dict()
    for name, tensor in needed.items():
        if name not in named:
            raise BackboneError(f"These are not weights of this SAM: {name} is not among them.")
        if named[name].shape != tensor.shape:
            raise BackboneError(
                f"These are weights of another size of SAM: {name} is "
                f"{tuple(named[name].shape)} and should be {tuple(tensor.shape)}."
            )
    encoder.load_state_dict({name: named[name].float() for name in needed}, assign=True)


def timm_names(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights of the image encoder by timm's names, from any of the three layouts."""
    for prefix, names in (
        ("image_encoder.", _OFFICIAL_NAMES),
        ("vision_encoder.", _TRANSFORMERS_NAMES),
    ):
        if any(name.startswith(prefix) for name in weights):
            return {
                _renamed(name.removeprefix(prefix), names): tensor
                for name, tensor in weights.items()
                if name.startswith(prefix)
            }
    return weights


def _model(timm_name: str) -> VisionTransformerSAM:
    # SAM's layer norms add 1e-6 to the variance; timm's would add 1e-5.
    model = timm.create_model(timm_name, norm_layer=partial(nn.LayerNorm, eps=1e-6))
    return cast(VisionTransformerSAM, model)


def _renamed(name: str, names: tuple[tuple[str, str], ...]) -> str:
    for theirs, ours in names:
        name = name.replace(theirs, ours)
    return name


def _node(block: Block, x: torch.Tensor, node: str) -> torch.Tensor:
    """Output of a node of a block, (b, h, w, c), for the block's input (b, h, w, c)."""
    attention = _attention_branch(block, x)
    if node == "attn":
        return attention
    x = x + attention
    mlp: torch.Tensor = block.mlp(block.norm2(x))
    return mlp if node == "mlp" else x + mlp


def _attention_branch(block: Block, x: torch.Tensor) -> torch.Tensor:
    """What the block's attention adds to its input, on the whole token grid."""
    grid = (x.shape[1], x.shape[2])
    x = block.norm1(x)
    if block.window_size == 0:
        return block.attn(x)
    windows, padded = window_partition(x, block.window_size)
    return window_unpartition(block.attn(windows), block.window_size, grid, padded)
