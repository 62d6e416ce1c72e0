"""SAM's mask decoder: points and boxes on an encoded image to masks.

Knows the decoder's arithmetic. Does not know where its weights come from, nor what the points mean
to a person. It computes on the CPU; ViT-B, -L and -H have the same decoder.

Source:
    Kirillov et al., "Segment Anything", 2023: section 3 and appendix A, "Prompt encoder",
    "Lightweight mask decoder" and "Making the model ambiguity-aware".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from timm.layers import LayerNorm2d
from torch import nn
from torch.nn.functional import relu, scaled_dot_product_attention

from pointprompt.types import FloatArray

# Tokens of the image along each side, and numbers of a token.
GRID = 64
WIDTH = 256
# Logits of a mask along each side.
MASK_SIDE = 4 * GRID
# Side of the images that such a grid is of, in pixels.
INPUT_SIZE = 16 * GRID

_HEADS = 8
_DEPTH = 2
# Of every attention between points and image; that among the points has the full width.
_CROSS_WIDTH = 128
_MLP_WIDTH = 2048
_MASK_CHANNELS = 32
# One mask for a clear prompt, three for an unclear one. Only the first is computed here.
_MASK_TOKENS = 4


class MaskDecoder(nn.Module):
    """SAM's prompt encoder and mask decoder, for points and boxes.

    Its parameters have the names of the official checkpoint, but for the layers of each MLP.
    """

    def __init__(self) -> None:
        super().__init__()
        self.prompt_encoder = _PromptEncoder()
        self.mask_decoder = _Decoder()
        self.eval()

    def masks(
        self,
        embedding: NDArray[np.floating],
        points: Sequence[FloatArray],
        labels: Sequence[NDArray[np.intp]],
    ) -> tuple[FloatArray, FloatArray]:
        """The mask of each of p prompts on one image, and how good it is.

        Of the masks of SAM this is the one for a clear prompt: a box, or more than one point.

        Args:
            embedding: (64, 64, 256) floats, of `Backbone.encode`.
            points: p arrays (m, 2) float32: x and y of each point of a prompt, in [0, 1] from the
                left and the top of the image; m at least 1, and the prompts may differ in it.
            labels: p arrays (m,) of what each point is: 1 "this", 0 "not this", 2 and 3 the top
                left and the bottom right corner of a box.

        Returns:
            The logits (p, 256, 256) float32, over the whole image, above 0 inside the mask; and
            (p,) float32, the decoder's guess at the IoU of mask and thing, about in [0, 1].
        """
        logits = np.empty((len(points), MASK_SIDE, MASK_SIDE), np.float32)
        quality = np.empty(len(points), np.float32)
        with torch.inference_mode():
            image = torch.tensor(embedding, dtype=torch.float32).flatten(0, 1)
            image += self.prompt_encoder.no_mask_embed.weight
            positions = self.prompt_encoder.pe_layer.of_grid()
            # One after another: together they take more memory and twice the time on a CPU.
            for i, (where, what) in enumerate(zip(points, labels, strict=True)):
                prompt = self.prompt_encoder(
                    torch.tensor(where, dtype=torch.float32), torch.tensor(what, dtype=torch.long)
                )
                mask, iou = self.mask_decoder(image, positions, prompt)
                logits[i], quality[i] = mask.numpy(), iou.item()
        return logits, quality


class _Positions(nn.Module):
    """Where a point is, as sines and cosines of random frequencies."""

    def __init__(self) -> None:
        super().__init__()
        self.positional_encoding_gaussian_matrix = nn.Parameter(torch.randn(2, WIDTH // 2))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """(..., 256), for points (..., 2) in [0, 1]."""
        angles = 2 * math.pi * (2 * points - 1) @ self.positional_encoding_gaussian_matrix
        return torch.cat([angles.sin(), angles.cos()], dim=-1)

    def of_grid(self) -> torch.Tensor:
        """(4096, 256), of the centres of the image's tokens."""
        centres = (torch.arange(GRID) + 0.5) / GRID
        return self(torch.cartesian_prod(centres, centres).flip(-1))


class _PromptEncoder(nn.Module):
    """Points and corners of boxes to tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.pe_layer = _Positions()
        # In the order of their labels.
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, WIDTH) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, WIDTH)
        self.no_mask_embed = nn.Embedding(1, WIDTH)

    def forward(self, points: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(t, 256), for points (m, 2) with labels (m,); t is m, or m + 1 without a box."""
        kinds = torch.cat(list(self.point_embeddings.parameters()))
        tokens = self.pe_layer(points) + kinds[labels]
        if (labels >= 2).any():
            return tokens
        # Where the corners of a box would be, SAM was shown an empty place.
        return torch.cat([tokens, self.not_a_point_embed.weight])


class _Mlp(nn.Module):
    """Linear layers with ReLU between them."""

    def __init__(self, *widths: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(map(nn.Linear, widths[:-1], widths[1:]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            x = relu(layer(x))
        return last(x)


class _Attention(nn.Module):
    """Attention of 8 heads: queries (a, 256) look at keys (b, 256) and take of values (b, 256)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(WIDTH, width)
        self.k_proj = nn.Linear(WIDTH, width)
        self.v_proj = nn.Linear(WIDTH, width)
        self.out_proj = nn.Linear(width, WIDTH)

    def forward(
        self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        q, k, v = (
            projected.unflatten(-1, (_HEADS, -1)).transpose(0, 1)[None]
            for projected in (self.q_proj(queries), self.k_proj(keys), self.v_proj(values))
        )
        taken = scaled_dot_product_attention(q, k, v)[0]
        return self.out_proj(taken.transpose(0, 1).flatten(1))


class _Block(nn.Module):
    """Tokens look at each other, then at the image; the image looks back at them.

    Args:
        first: Whether it is the first block, whose tokens look at each other without their
            positions, and keep nothing of what they were.
    """

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = _Attention(WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH)
        self.cross_attn_token_to_image = _Attention(_CROSS_WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.mlp = _Mlp(WIDTH, _MLP_WIDTH, WIDTH)
        self.norm3 = nn.LayerNorm(WIDTH)
        self.cross_attn_image_to_token = _Attention(_CROSS_WIDTH)
        self.norm4 = nn.LayerNorm(WIDTH)

    def forward(
        self,
        tokens: torch.Tensor,
        image: torch.Tensor,
        token_positions: torch.Tensor,
        image_positions: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """New tokens (t, 256) and image (4096, 256)."""
        if self.first:
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            placed = tokens + token_positions
            tokens = tokens + self.self_attn(placed, placed, tokens)
        tokens = self.norm1(tokens)

        placed_image = image + image_positions
        seen = self.cross_attn_token_to_image(tokens + token_positions, placed_image, image)
        tokens = self.norm2(tokens + seen)
        tokens = self.norm3(tokens + self.mlp(tokens))

        told = self.cross_attn_image_to_token(placed_image, tokens + token_positions, tokens)
        return tokens, self.norm4(image + told)


class _Transformer(nn.Module):
    """Tokens of the prompt and of the image, each changed by the other."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Block(first=depth == 0) for depth in range(_DEPTH))
        self.final_attn_token_to_image = _Attention(_CROSS_WIDTH)
        self.norm_final_attn = nn.LayerNorm(WIDTH)

    def forward(
        self, prompt: torch.Tensor, image: torch.Tensor, image_positions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """New tokens (t, 256) and image (4096, 256); a token of the prompt is its own position."""
        tokens = prompt
        for layer in self.layers:
            tokens, image = layer(tokens, image, prompt, image_positions)
        seen = self.final_attn_token_to_image(tokens + prompt, image + image_positions, image)
        return self.norm_final_attn(tokens + seen), image


class _Decoder(nn.Module):
    """Tokens of the prompt and of the image to a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.transformer = _Transformer()
        self.iou_token = nn.Embedding(1, WIDTH)
        self.mask_tokens = nn.Embedding(_MASK_TOKENS, WIDTH)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(WIDTH, 2 * _MASK_CHANNELS, kernel_size=2, stride=2),
            LayerNorm2d(2 * _MASK_CHANNELS),
            nn.GELU(),
            nn.ConvTranspose2d(2 * _MASK_CHANNELS, _MASK_CHANNELS, kernel_size=2, stride=2),
            nn.GELU(),
        )
        # The official one has a network for every mask.
        self.output_hypernetworks_mlps = nn.ModuleList([_Mlp(WIDTH, WIDTH, WIDTH, _MASK_CHANNELS)])
        self.iou_prediction_head = _Mlp(WIDTH, WIDTH, WIDTH, _MASK_TOKENS)

    def forward(
        self, image: torch.Tensor, image_positions: torch.Tensor, prompt: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits (256, 256) and the quality () of the mask for a clear prompt."""
        tokens = torch.cat([self.iou_token.weight, self.mask_tokens.weight, prompt])
        tokens, image = self.transformer(tokens, image, image_positions)
        iou_token, mask_token = tokens[0], tokens[1]
        grid = image.T.unflatten(-1, (GRID, GRID))[None]
        pixels = self.output_upscaling(grid)[0]
        weights = self.output_hypernetworks_mlps[0](mask_token)
        return torch.einsum("c,chw->hw", weights, pixels), self.iou_prediction_head(iou_token)[0]
