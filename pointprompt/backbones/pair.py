"""Two backbones as one: the first finds, SAM draws.

Knows what an encoder does, and that SAM draws from image embeddings. Does not know who finds.
"""

from __future__ import annotations

import torch

from pointprompt.backbones.backbone import Encoder
from pointprompt.backbones.info import BackboneError
from pointprompt.backbones.sam import SamEncoderWithNeck


class PairEncoder(Encoder):
    """The tokens of one encoder, and the image embeddings of SAM's."""

    def __init__(self, finder: Encoder, drawer: SamEncoderWithNeck) -> None:
        super().__init__()
        self.mean, self.std = finder.mean, finder.std
        self.finder = finder
        self.drawer = drawer

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Tokens (b, h, w, c) of standardised images (b, 3, s, s)."""
        return self.finder(pixels)

    def encode(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The tokens of the one, and the image embedding (b, s / 16, s / 16, 256) of the other."""
        _, embedding = self.drawer.encode(pixels)
        return self.finder(pixels), embedding


def build(finder: Encoder, drawer: Encoder) -> PairEncoder:
    """The pair.

    Raises:
        BackboneError: Who is to draw came without SAM's mask decoder, or the two see colours
            differently.
    """
    if not isinstance(drawer, SamEncoderWithNeck):
        raise BackboneError("SAM cannot draw: the file with its weights holds no mask decoder.")
    if (finder.mean, finder.std) != (drawer.mean, drawer.std):
        raise BackboneError("These two do not go together: they see colours differently.")
    return PairEncoder(finder, drawer)
