"""SAM's image encoder (ViT-B, -L, -H): the tokens of one branch of one block.

With its neck it gives what SAM's mask decoder needs as well, in the same pass.

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
    Attention,
    Block,
    VisionTransformerSAM,
    get_rel_pos,
    window_partition,
    window_unpartition,
)
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from pointprompt.backbones.backbone import Encoder
from pointprompt.backbones.info import BackboneError

# Names of the parts in the two other layouts, and timm's names for them.
_OFFICIAL_NAMES = (("mlp.lin", "mlp.fc"),)
_TRANSFORMERS_NAMES = (
    ("patch_embed.projection.", "patch_embed.proj."),
    ("neck.conv1.", "neck.0."),
    ("neck.layer_norm1.", "neck.1."),
    ("neck.conv2.", "neck.2."),
    ("neck.layer_norm2.", "neck.3."),
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

    # Rows of the token grid whose attention to all tokens is computed at once.
    rows = 8

    def __init__(self, model: VisionTransformerSAM, node: str, layer: int) -> None:
        super().__init__()
        self.patch_embed = model.patch_embed
        self.pos_embed = model.pos_embed
        self.blocks = model.blocks[: layer + 1]
        self.node = node
        self.eval()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Tokens (b, s / 16, s / 16, c) of standardised images (b, 3, s, s)."""
        block, x = self._last_block_and_input(pixels)
        if self.node == "attn":
            return _attention_branch(block, x, self.rows)
        return _nodes(block, x, self.rows)[self.node]

    def _last_block_and_input(self, pixels: torch.Tensor) -> tuple[Block, torch.Tensor]:
        *before, last = cast(list[Block], list(self.blocks))
        x = self.patch_embed(pixels)
        x = x + resample_abs_pos_embed_nhwc(self.pos_embed, list(x.shape[1:3]))
        for block in before:
            x = _nodes(block, x, self.rows)["block"]
        return last, x


class SamEncoderWithNeck(SamEncoder):
    """As `SamEncoder` of the last block, and in the same pass what comes out of the neck."""

    def __init__(self, model: VisionTransformerSAM, node: str, layer: int) -> None:
        super().__init__(model, node, layer)
        self.neck = model.neck
        self.eval()

    def encode(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The tokens of `forward`, and the image embedding (b, s / 16, s / 16, 256)."""
        block, x = self._last_block_and_input(pixels)
        nodes = _nodes(block, x, self.rows)
        embedding = self.neck(nodes["block"].permute(0, 3, 1, 2))
        return nodes[self.node], embedding.permute(0, 2, 3, 1)


def build(
    timm_name: str,
    weights: dict[str, torch.Tensor] | None,
    node: str,
    layer: int,
    *,
    neck: bool = False,
) -> SamEncoder:
    """The encoder, on the CPU.

    Args:
        timm_name: Which SAM, by its name in timm.
        weights: Tensors of a checkpoint, in any of the three layouts; None leaves them random.
        node: "attn", "mlp" or "block".
        layer: Index of the block.
        neck: Give image embeddings as well; only with the last block.

    Raises:
        BackboneError: The weights are not those of this model.
    """
    kind = SamEncoderWithNeck if neck else SamEncoder
    if weights is None:
        return kind(_model(timm_name), node, layer)
    with torch.device("meta"):  # No memory, no time for weights that are replaced at once.
        encoder = kind(_model(timm_name), node, layer)
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


def _nodes(block: Block, x: torch.Tensor, rows: int) -> dict[str, torch.Tensor]:
    """Outputs (b, h, w, c) of all nodes of a block, for the block's input (b, h, w, c)."""
    attention = _attention_branch(block, x, rows)
    x = x + attention
    mlp = block.mlp(block.norm2(x))
    return {"attn": attention, "mlp": mlp, "block": x + mlp}


def _attention_branch(block: Block, x: torch.Tensor, rows: int) -> torch.Tensor:
    """What the block's attention adds to its input, on the whole token grid."""
    grid = (x.shape[1], x.shape[2])
    x = block.norm1(x)
    if block.window_size == 0:
        return _global_attention(block.attn, x, rows)
    windows, padded = window_partition(x, block.window_size)
    return window_unpartition(block.attn(windows), block.window_size, grid, padded)


def _global_attention(attention: Attention, x: torch.Tensor, rows: int) -> torch.Tensor:
    """What timm's `Attention` gives for the tokens (b, h, w, c), so many rows of them at a time.

    What all pairs of tokens add for their places, 800 MB in one block of ViT-B, is then never there
    at once: the same tokens in four fifths of the time on a CPU (`python -m benchmarks.variants`).
    """
    b, h, w, _ = x.shape
    qkv = attention.qkv(x).view(b, h * w, 3, attention.num_heads, -1)
    q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    grid = q.unflatten(2, (h, w))
    down = get_rel_pos(h, h, attention.rel_pos_h)
    across = get_rel_pos(w, w, attention.rel_pos_w)
    # Contiguous, else the sum of both could not be seen as pairs of tokens without a copy.
    added_down = torch.einsum("bnhwc,hkc->bnhwk", grid, down).contiguous()[..., :, None]
    added_across = torch.einsum("bnhwc,wkc->bnhwk", grid, across).contiguous()[..., None, :]
    parts = []
    for top in range(0, h, rows):
        some = slice(top, top + rows)
        added = (added_down[:, :, some] + added_across[:, :, some]).flatten(4).flatten(2, 3)
        queries = grid[:, :, some].flatten(2, 3)
        parts.append(scaled_dot_product_attention(queries, k, v, attn_mask=added))
    joined = torch.cat(parts, dim=2).transpose(1, 2).reshape(b, h, w, -1)
    return attention.proj(joined)
