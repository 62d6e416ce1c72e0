"""From a name to a loaded backbone: options checked, weights found, model built and kept.

The one place that knows all families. Imports torch, timm and the families only when a backbone
is loaded.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pointprompt.backbones import weights
from pointprompt.backbones.devices import pick_device
from pointprompt.backbones.registry import BackboneError, BackboneInfo
from pointprompt.types import BackboneChoice, ProgressFn

if TYPE_CHECKING:
    import torch

    from pointprompt.backbones.base import Backbone, Encoder

Option = TypeVar("Option", int, str)


class Choice(NamedTuple):
    """A backbone and every option of it, decided and checked."""

    backbone: BackboneInfo
    device: str
    node: str
    layer: int
    input_size: int


# The backbone loaded last, by its options and its file. Only one is kept: they are big.
_kept: dict[tuple[Choice, Path], Backbone] = {}
_lock = threading.Lock()


def choose(
    backbone: BackboneInfo,
    device: str | None,
    node: str | None,
    layer: int | None,
    input_size: int | None,
) -> Choice:
    """The options asked for, with the backbone's own where they are None.

    Raises:
        BackboneError: One of them is none of its choices, or there is no such device.
    """
    return Choice(
        backbone,
        pick_device(device),
        _option(backbone, "node", node, backbone.node, backbone.nodes),
        _option(backbone, "layer", layer, backbone.layer, backbone.layers),
        _option(backbone, "input_size", input_size, backbone.input_size, backbone.input_sizes),
    )


def load(choice: Choice, progress: ProgressFn | None = None) -> Backbone:
    """The backbone with its weights; at once where it is the one that was loaded last.

    Args:
        choice: Which.
        progress: As for `weights.find`.

    Raises:
        BackboneError: Its weights cannot be had, or are not its own.
    """
    with _lock:
        file = weights.find(choice.backbone, progress)
        if (choice, file) not in _kept:
            _kept.clear()  # First, so that two are never in memory at once.
            tensors = weights.read(file)
            try:
                _kept[choice, file] = build(choice, tensors)
            except BackboneError as error:
                raise BackboneError(f"{file}: {error}") from error
        return _kept[choice, file]


def build(choice: Choice, tensors: dict[str, torch.Tensor] | None) -> Backbone:
    """The backbone with the weights given; None makes random ones.

    Raises:
        BackboneError: The weights are not its own.
    """
    from pointprompt.backbones.base import Backbone

    encoder = build_encoder(choice, tensors).to(choice.device)
    decided = BackboneChoice(choice.backbone.name, choice.node, choice.layer, choice.input_size)
    return Backbone(decided, choice.device, encoder)


def build_encoder(choice: Choice, tensors: dict[str, torch.Tensor] | None) -> Encoder:
    """What computes the tokens of a choice; as `build`, on torch's default device."""
    timm_name = choice.backbone.timm_name
    if choice.backbone.family == "efficientnet":
        from pointprompt.backbones import efficientnet

        return efficientnet.build(timm_name, tensors)
    if choice.backbone.family == "sam":
        from pointprompt.backbones import sam

        return sam.build(timm_name, tensors, choice.node, choice.layer)
    from pointprompt.backbones import timm_model

    return timm_model.build(timm_name, tensors, choice.layer, choice.input_size)


def _option(
    backbone: BackboneInfo,
    name: str,
    asked: Option | None,
    default: Option,
    choices: tuple[Option, ...],
) -> Option:
    if asked is None:
        return default
    if asked not in choices:
        raise BackboneError(
            f"{name} of {backbone.name} must be one of {', '.join(map(str, choices))}, "
            f"not {asked!r}."
        )
    return asked
