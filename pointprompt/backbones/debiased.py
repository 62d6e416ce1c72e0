"""Features that have forgotten where in the image a token lies.

Knows tensors, and an encoder by what it does. Does not know which backbone it is, nor whether that
helps it.

Source:
    Cuttano et al., "INSID3: Training-Free In-Context Segmentation with DINOv3", CVPR 2026, their
    positional debiasing. What an image that shows nothing makes of its tokens is their place.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import normalize

from pointprompt.backbones.backbone import Encoder, standardize


class DebiasedEncoder(Encoder):
    """Another encoder, without the directions along which tokens of a black image differ most."""

    def __init__(self, encoder: Encoder, input_size: int, n_directions: int, device: str) -> None:
        super().__init__()
        self.mean, self.std = encoder.mean, encoder.std
        self.encoder = encoder
        black = np.zeros((1, input_size, input_size, 3), np.uint8)
        with torch.inference_mode():
            tokens = encoder(standardize(black, self.mean, self.std, device))
            unit = normalize(tokens.float(), dim=-1)
            self.directions = main_directions(unit.flatten(0, 2), n_directions)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Tokens (b, h, w, c) float32 of standardised images (b, 3, s, s)."""
        tokens, _ = self.encode(pixels)
        return tokens

    def encode(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The tokens of `forward`, and what else the encoder gives."""
        tokens, embedding = self.encoder.encode(pixels)
        unit = normalize(tokens.float(), dim=-1)
        # In half precision what is taken away would not be all of it.
        with torch.autocast(unit.device.type, enabled=False):
            return unit - unit @ self.directions @ self.directions.T, embedding


def main_directions(tokens: torch.Tensor, count: int) -> torch.Tensor:
    """The directions along which tokens differ most from their mean: (c, count), orthonormal.

    Args:
        tokens: (m, c) float32; m and c at least `count`.
        count: How many.
    """
    centred = tokens - tokens.mean(dim=0)
    # Of the covariance, (c, c): there are more tokens than channels.
    _, directions = torch.linalg.eigh(centred.T @ centred)
    return directions[:, -count:].contiguous()
