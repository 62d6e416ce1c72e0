"""Any other backbone of timm, through the one method all its image models share.

Knows `forward_intermediates`, pretrained configurations and input sizes of timm; knows nothing of
what a model is good for, nor where its weights lie.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

import timm
import torch
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from pointprompt.backbones.backbone import Encoder
from pointprompt.backbones.info import TIMM_PREFIX, BackboneError, BackboneInfo

# Whole numbers of every patch and window in use: 14, 16 and 32 pixels, 7 windows of 32.
_INPUT_SIZES = (448, 224, 672, 896)

# The deepest layer whose tokens are at most so many pixels apart is taken.
_LARGEST_STRIDE = 16


class TimmEncoder(Encoder):
    """The output of one layer; class and register tokens are dropped.

    Tokens of a plain transformer pass its final layer norm, whatever the layer: a few channels of
    the residual stream are so large otherwise that all tokens look alike. In a pyramid no norm
    fits every layer, and the tokens stay as they are.
    """

    # Any: no class of timm names the methods that all its image models have.
    model: Any

    def __init__(self, model: nn.Module, layer: int) -> None:
        super().__init__()
        self.model = model.eval()
        self.layer = layer
        self.norm = isinstance(model, (VisionTransformer, Eva))
        self.mean = self.model.pretrained_cfg["mean"]
        self.std = self.model.pretrained_cfg["std"]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Tokens (b, h, w, c) of standardised images (b, 3, s, s)."""
        (tokens,) = self.model.forward_intermediates(
            pixels,
            indices=[self.layer],
            norm=self.norm,
            stop_early=True,
            output_fmt="NCHW",
            intermediates_only=True,
        )
        grid: torch.Tensor = tokens.permute(0, 2, 3, 1)
        return grid


def build(
    timm_name: str, weights: dict[str, torch.Tensor] | None, layer: int, input_size: int
) -> TimmEncoder:
    """The encoder, on torch's default device.

    Args:
        timm_name: Its name in timm.
        weights: Tensors of a checkpoint, by timm's names; None leaves them random.
        layer: Index of the layer, as `forward_intermediates` counts them.
        input_size: Side of its square images, in pixels; position embeddings are resampled to it.

    Raises:
        BackboneError: The weights are not those of this model.
    """
    side = input_size if _has_fixed_size(timm_name) else None
    return TimmEncoder(create(timm_name, weights, side), layer)


def create(
    timm_name: str, weights: dict[str, torch.Tensor] | None, fixed_size: int | None = None
) -> nn.Module:
    """The model, on torch's default device.

    Args:
        timm_name: Its name in timm.
        weights: Tensors of a checkpoint, by timm's names; None leaves them random.
        fixed_size: Side of its square images, in pixels; None where it takes any.

    Raises:
        BackboneError: The weights are not those of this model.
    """
    # The classifier stays, unused: without it timm would ignore weights that are missing.
    options: dict[str, Any] = {}
    if fixed_size is not None:
        options["img_size"] = fixed_size
    if weights is not None:
        options |= {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": weights}}
    try:
        return timm.create_model(timm_name, **options)
    except RuntimeError as error:
        raise BackboneError(f"These are not weights of timm's {timm_name}: {error}") from error


@functools.cache
def describe(name: str) -> BackboneInfo:
    """What is known of a model of timm that is not in the registry.

    Its grid and channels come from a run without memory and without arithmetic.

    Args:
        name: "timm:" and its name in timm.

    Raises:
        BackboneError: This timm has no such model with weights on the Hub, or it makes no grid of
            tokens.
    """
    timm_name = name.removeprefix(TIMM_PREFIX)
    # Checked first: timm would take other names for addresses to load a model from.
    if not timm.is_model_pretrained(timm_name):
        raise BackboneError(f"timm {timm.__version__} has no pretrained model {timm_name!r}.")
    published = timm.get_pretrained_cfg(timm_name)
    if published is None or not published.hf_hub_id:
        raise BackboneError(f"The weights of {timm_name} are not on the Hugging Face Hub.")
    side = _INPUT_SIZES[0]
    try:
        with torch.device("meta"), torch.inference_mode():
            encoder = build(timm_name, None, 0, side)
            encoder.layer = _deepest_layer(encoder.model.feature_info)
            _, h, w, c = encoder(torch.empty(1, 3, side, side)).shape
    except (AttributeError, RuntimeError, AssertionError, ValueError) as error:
        raise BackboneError(
            f"{timm_name} does not make a grid of tokens of images of {side} pixels: {error}"
        ) from error
    parameters = sum(weight.numel() for weight in encoder.parameters())
    return BackboneInfo(
        name=name,
        title=timm_name,
        good_for="whatever it was trained for; untried here",
        licence=published.license or "unknown",
        weights_mb=round(parameters * 4 / 1e6),
        input_size=side,
        input_sizes=_INPUT_SIZES,
        grid=(h, w),
        channels=c,
        layer=encoder.layer,
        layers=tuple(range(len(encoder.model.feature_info))),
        family="timm_model",
        timm_name=timm_name,
        hub_repository=published.hf_hub_id,
    )


@functools.cache
def _has_fixed_size(timm_name: str) -> bool:
    """Whether the model must be told the size of its images when it is made."""
    with torch.device("meta"):
        model = timm.create_model(timm_name)
    return "img_size" in inspect.signature(type(model).__init__).parameters


def _deepest_layer(layers: list[dict[str, int]]) -> int:
    limit = max(_LARGEST_STRIDE, min(layer["reduction"] for layer in layers))
    return max(i for i, layer in enumerate(layers) if layer["reduction"] <= limit)
