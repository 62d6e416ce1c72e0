"""Weights of a checkpoint -> SAM's mask decoder.

Knows the two layouts that they come in: the official checkpoint and a transformers folder. Does not
know where the file lies, nor what is computed with them.
"""

from __future__ import annotations

import re

import torch

from pointprompt.backbones.info import BackboneError
from pointprompt.backbones.sam_decoder import MaskDecoder

# The official names of layers, and ours.
_OFFICIAL_NAMES = ((r"\.mlp\.lin1\.", ".mlp.layers.0."), (r"\.mlp\.lin2\.", ".mlp.layers.1."))
# Those of transformers, and the official ones; in this order.
_TRANSFORMERS_NAMES = (
    (r"^shared_image_embedding\.", "prompt_encoder.shared_embedding."),
    (r"shared_embedding\.positional_embedding", "pe_layer.positional_encoding_gaussian_matrix"),
    (r"\.point_embed\.", ".point_embeddings."),
    (r"\.layer_norm", ".norm"),
    (r"\.upscale_conv1\.", ".output_upscaling.0."),
    (r"\.upscale_layer_norm\.", ".output_upscaling.1."),
    (r"\.upscale_conv2\.", ".output_upscaling.3."),
    (r"(mlps\.\d|head)\.layers\.0\.", r"\1.layers.1."),
    (r"(mlps\.\d|head)\.proj_in\.", r"\1.layers.0."),
    (r"(mlps\.\d|head)\.proj_out\.", r"\1.layers.2."),
)
# Part of every file of transformers, which may have dropped either of the two names of the
# positional embedding.
_ONLY_IN_TRANSFORMERS = "vision_encoder."


def load(weights: dict[str, torch.Tensor]) -> MaskDecoder:
    """The decoder, on the CPU, in float32.

    Args:
        weights: Tensors of a checkpoint, in either layout; those of other parts are ignored.

    Raises:
        BackboneError: They hold no mask decoder, or that of another model.
    """
    named = official_names(weights)
    with torch.device("meta"):  # No memory, no time for weights that are replaced at once.
        decoder = MaskDecoder()
    needed = decoder.state_dict()
    for name, tensor in needed.items():
        if name not in named:
            raise BackboneError(f"These weights hold no mask decoder of SAM: {name} is missing.")
        if named[name].shape != tensor.shape:
            raise BackboneError(
                f"These are not weights of SAM's mask decoder: {name} is "
                f"{tuple(named[name].shape)} and should be {tuple(tensor.shape)}."
            )
    # Copies: what was read may be a view of a file far larger than the decoder.
    copies = {name: named[name].to(torch.float32, copy=True) for name in needed}
    decoder.load_state_dict(copies, assign=True)
    return decoder


def is_in(weights: dict[str, torch.Tensor]) -> bool:
    """Whether a checkpoint, in either layout, holds a mask decoder."""
    return any(name.startswith("mask_decoder.") for name in weights)


def official_names(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights of the decoder by the names of `MaskDecoder`, from either layout."""
    theirs = any(name.startswith(_ONLY_IN_TRANSFORMERS) for name in weights)
    names = (*(_TRANSFORMERS_NAMES if theirs else ()), *_OFFICIAL_NAMES)
    return {_renamed(name, names): tensor for name, tensor in weights.items()}


def _renamed(name: str, names: tuple[tuple[str, str], ...]) -> str:
    for theirs, ours in names:
        name = re.sub(theirs, ours, name)
    return name
