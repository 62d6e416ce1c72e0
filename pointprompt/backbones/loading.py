"""From a name to a loaded backbone: options checked, weights found, model built and kept.

The one place that knows all families. Imports torch, timm and the families only when a backbone
is loaded.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pointprompt.backbones import weights
from pointprompt.backbones.devices import pick_device
from pointprompt.backbones.info import BackboneError, BackboneInfo
from pointprompt.sources.framing import Framing
from pointprompt.types import BackboneChoice, ProgressFn

if TYPE_CHECKING:
    import torch

    from pointprompt.backbones.backbone import Backbone, Encoder
    from pointprompt.backbones.sam_decoder import MaskDecoder

Option = TypeVar("Option", int, str)


class Choice(NamedTuple):
    """A backbone and every option of it, decided and checked."""

    backbone: BackboneInfo
    device: str
    node: str
    layer: int
    input_size: int
    debias: bool

    @property
    def framing(self) -> Framing:
        """The frames it takes."""
        return Framing(self.input_size, self.backbone.frame_step)


# The backbone loaded last, by its options and its files. Only one is kept: they are big. A built-in
# one is not, and takes the place of no other kind: on ZeroGPU that one lies where it came to at
# the start.
_kept: dict[tuple[Choice, tuple[Path, ...]], Backbone] = {}
_lock = threading.Lock()

# The mask decoder loaded last, by its file. A lock of its own: it need not wait for a download.
_kept_decoder: dict[Path, MaskDecoder] = {}
_decoder_lock = threading.Lock()


def choose(
    backbone: BackboneInfo,
    device: str | None = None,
    *,
    node: str | None = None,
    layer: int | None = None,
    input_size: int | None = None,
    debias: bool = False,
) -> Choice:
    """The options asked for, with the backbone's own where they are None.

    Raises:
        BackboneError: One of them is none of its choices, or there is no such device.
    """
    if debias and not backbone.position_directions:
        raise BackboneError(
            f"{backbone.title} has no positional debiasing; DINOv3's transformers have."
        )
    return Choice(
        backbone,
        pick_device(device),
        _option(backbone, "node", node, backbone.node, backbone.nodes),
        _option(backbone, "layer", layer, backbone.layer, backbone.layers),
        _option(backbone, "input_size", input_size, backbone.input_size, backbone.input_sizes),
        debias,
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
        files = tuple(weights.find(model, progress) for model in choice.backbone.models)
        if (choice, files) not in _kept:
            for kept in list(_kept):  # First, so that two are never in memory at once.
                if kept[0].backbone.builtin == choice.backbone.builtin:
                    del _kept[kept]
            tensors = [weights.read(file) for file in files]
            try:
                _kept[choice, files] = build(choice, tensors)
            except BackboneError as error:
                raise BackboneError(f"{' and '.join(map(str, files))}: {error}") from error
        return _kept[choice, files]


def load_decoder(backbone: BackboneInfo) -> MaskDecoder:
    """The mask decoder, from the file with the backbone's weights; kept as a backbone is.

    Raises:
        BackboneError: The file is not on this computer, or holds no mask decoder of SAM's.
    """
    from pointprompt.backbones import sam_decoder_weights

    with _decoder_lock:
        file = weights.find_here(backbone.models[-1])
        if file not in _kept_decoder:
            tensors = weights.read(file)
            try:
                decoder = sam_decoder_weights.load(tensors)
            except BackboneError as error:
                raise BackboneError(f"{file}: {error}") from error
            _kept_decoder.clear()
            _kept_decoder[file] = decoder
        return _kept_decoder[file]


def build(choice: Choice, tensors: Sequence[dict[str, torch.Tensor]] | None) -> Backbone:
    """The backbone with the weights given.

    Args:
        choice: Which.
        tensors: Those of each of its `BackboneInfo.models`; None makes random ones.

    Raises:
        BackboneError: The weights are not its own.
    """
    from pointprompt.backbones.backbone import Backbone

    encoder = build_encoder(choice, tensors).to(choice.device)
    if choice.debias:
        from pointprompt.backbones.debiased import DebiasedEncoder

        count = choice.backbone.position_directions
        encoder = DebiasedEncoder(encoder, choice.input_size, count, choice.device)
    decided = BackboneChoice(
        choice.backbone.name, choice.node, choice.layer, choice.input_size, choice.debias
    )
    return Backbone(decided, choice.device, encoder, choice.framing)


def build_encoder(choice: Choice, given: Sequence[dict[str, torch.Tensor]] | None) -> Encoder:
    """What computes a choice's tokens before any debiasing; on torch's default device."""
    if choice.backbone.parts:
        return _build_pair(choice, given)
    timm_name = choice.backbone.timm_name
    tensors = given[0] if given else None
    if choice.backbone.family == "efficientnet":
        from pointprompt.backbones import efficientnet

        return efficientnet.build(timm_name, tensors)
    if choice.backbone.family == "sam":
        from pointprompt.backbones import sam

        neck = _feeds_decoder(choice, tensors)
        return sam.build(timm_name, tensors, choice.node, choice.layer, neck=neck)
    if choice.backbone.family == "convnext":
        from pointprompt.backbones import convnext

        return convnext.build(timm_name, tensors)
    from pointprompt.backbones import timm_model

    return timm_model.build(timm_name, tensors, choice.layer, choice.input_size)


def _build_pair(choice: Choice, given: Sequence[dict[str, torch.Tensor]] | None) -> Encoder:
    from pointprompt.backbones import pair

    finder, drawer = choice.backbone.parts
    of_finder, of_drawer = (given[:1], given[1:]) if given else (None, None)
    return pair.build(
        build_encoder(choice._replace(backbone=finder), of_finder),
        build_encoder(choose(drawer, choice.device), of_drawer),
    )


def _feeds_decoder(choice: Choice, tensors: dict[str, torch.Tensor] | None) -> bool:
    """Whether SAM's encoder is to give what its mask decoder needs.

    That is where the decoder came with it, knows the input size, and costs no more blocks.
    """
    from pointprompt.backbones import sam_decoder, sam_decoder_weights

    is_last = choice.layer == choice.backbone.layers[-1]
    is_known = choice.input_size == sam_decoder.INPUT_SIZE
    # Random weights cost as much as those that are downloaded.
    return is_last and is_known and (tensors is None or sam_decoder_weights.is_in(tensors))


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
