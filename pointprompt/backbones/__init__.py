"""Backbones: images to features. This is the package's door; import nothing from behind it.

Cheap to import: torch, timm and huggingface_hub come in only when a function here needs them.

    info.py            what is said of a backbone before any of it is loaded
    registry.py        the names, and what to know before choosing one
    cores.py           an image a core, for small networks on a CPU
    families.py        what the backbones of one family share
    devices.py         CUDA, MPS or CPU, and in which precision
    weights.py         packages, files, folders, the Hugging Face Hub and its cache
    loading.py         a name and options to a loaded backbone
    backbone.py        images through an encoder, batch by batch
    efficientnet.py    the built-in encoders
    sam.py             the tutorial's encoder, and its larger sisters
    sam_decoder.py     their mask decoder; sam_decoder_weights.py: a checkpoint to it
    convnext.py        DINOv3 of convolutions; pyramid.py: several stages to one grid of tokens
    pair.py            one backbone that finds, and SAM that draws
    timm_model.py      the encoder of any other model of timm
    debiased.py        an encoder made to forget where in the image a token lies
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pointprompt.backbones.devices import has_gpu, pick_device
from pointprompt.backbones.info import TIMM_PREFIX, BackboneError, BackboneInfo
from pointprompt.backbones.registry import REGISTRY
from pointprompt.backbones.weights import Availability
from pointprompt.sources.framing import Framing
from pointprompt.types import ProgressFn

if TYPE_CHECKING:
    from pointprompt.backbones.backbone import Backbone
    from pointprompt.backbones.sam_decoder import MaskDecoder

__all__ = [
    "BUILTIN",
    "REGISTRY",
    "Availability",
    "BackboneError",
    "BackboneInfo",
    "availability",
    "choose_default",
    "describe",
    "get",
    "get_default",
    "identity",
    "load",
    "load_decoder",
    "load_untrained",
    "pick_device",
    "weights_in",
]

BUILTIN = "efficientnet_lite0"
TUTORIAL = "sam_vit_b"

# More than any model of timm has; a longer one is not worth repeating.
_MAX_NAME_LENGTH = 100
_DIGEST = re.compile("[0-9a-f]{64}")


def describe(name: str) -> BackboneInfo:
    """What is known of a backbone.

    Args:
        name: A name of `REGISTRY`, or "timm:" and the name of any pretrained image model of timm;
            the latter imports torch and timm.

    Raises:
        BackboneError: There is no such backbone.
    """
    if not isinstance(name, str) or len(name) > _MAX_NAME_LENGTH:
        raise BackboneError("A backbone is asked for by its name, which is a short text.")
    if name.startswith(TIMM_PREFIX):
        from pointprompt.backbones import timm_model

        return timm_model.describe(name)
    if name not in REGISTRY:
        raise BackboneError(
            f"There is no backbone {name!r}. There are {', '.join(REGISTRY)}, and any model of "
            f"timm as {TIMM_PREFIX}<its name>."
        )
    return REGISTRY[name]


def availability(name: str) -> Availability:
    """Whether a backbone can be had now, and why; nothing is downloaded, no network is waited for.

    Args:
        name: As for `describe`.

    Raises:
        BackboneError: There is no such backbone.
    """
    from pointprompt.backbones import weights

    return weights.availability(describe(name))


def choose_default(device: str | None = None) -> tuple[str, str]:
    """The backbone to use where none was asked for, and the reason as a sentence.

    The tutorial's SAM where there is a GPU and its weights can be had, else the built-in one.

    Args:
        device: As for `pick_device`.

    Raises:
        BackboneError: There is no such device.
    """
    if not has_gpu(device):
        return BUILTIN, _builtin_since("SAM is slow without a GPU.")
    sam = availability(TUTORIAL)
    if not sam.available:
        return BUILTIN, _builtin_since(f"SAM cannot be had. {sam.reason}")
    title = describe(TUTORIAL).title
    return TUTORIAL, f"{title} is in use, as in the tutorial, since there is a GPU. {sam.reason}"


def get_default(device: str | None = None, progress: ProgressFn | None = None) -> tuple[str, str]:
    """The backbone that `choose_default` names, with its weights here, and the reason.

    Where its weights cannot be had after all, the built-in one, and the sentence says why.

    Args:
        device: As for `pick_device`.
        progress: As for `get`.

    Raises:
        BackboneError: There is no such device.
    """
    name, reason = choose_default(device)
    try:
        get(name, progress=progress)
    except BackboneError as error:
        if name == BUILTIN:
            raise
        return BUILTIN, _builtin_since(f"SAM cannot be had. {error}")
    return name, reason


def get(
    name: str,
    *,
    node: str | None = None,
    layer: int | None = None,
    input_size: int | None = None,
    debias: bool = False,
    progress: ProgressFn | None = None,
) -> Framing:
    """The frames that a backbone takes; its weights are here afterwards.

    Nothing is loaded: they are downloaded where they are not here yet. Several may be got at a
    time, and while others are loaded.

    Args:
        name: As for `load`, as is all below.
        node: Which.
        layer: Which.
        input_size: Which.
        debias: Whether.
        progress: What it raises ends the download.

    Raises:
        BackboneError: As for `load`.
    """
    from pointprompt.backbones import loading, weights

    choice = loading.choose(
        describe(name), node=node, layer=layer, input_size=input_size, debias=debias
    )
    for model in choice.backbone.models:
        weights.find(model, progress)
    return choice.framing


def identity(
    name: str,
    *,
    device: str | None = None,
    node: str | None = None,
    layer: int | None = None,
    input_size: int | None = None,
    debias: bool = False,
) -> str:
    """What the features of a backbone depend on: equal texts mean equal features.

    These are its name and options, none left open, the kind of device, and what its files of
    weights hold. Those are read through the first time: 1 s for 1 GB, about.

    Args:
        name: As for `load`, as is all below.
        device: Which.
        node: Which.
        layer: Which.
        input_size: Which.
        debias: Whether.

    Raises:
        BackboneError: As for `load`; nothing is downloaded.
    """
    from pointprompt.backbones import loading, weights

    choice = loading.choose(
        describe(name), device, node=node, layer=layer, input_size=input_size, debias=debias
    )
    digests = [weights.digest(weights.find_here(model)) for model in choice.backbone.models]
    kind = choice.device.partition(":")[0]
    options = (name, choice.node, choice.layer, choice.input_size, choice.debias, kind, *digests)
    return " ".join(map(str, options))


def weights_in(identity: str) -> tuple[str, ...]:
    """The digests of weights in a text of `identity`, or of an engine's that has it at its end."""
    return tuple(word for word in identity.split() if _DIGEST.fullmatch(word))


def load(
    name: str,
    *,
    device: str | None = None,
    node: str | None = None,
    layer: int | None = None,
    input_size: int | None = None,
    debias: bool = False,
    progress: ProgressFn | None = None,
) -> Backbone:
    """A backbone, ready to compute; its weights are downloaded where they are not here yet.

    The one loaded last is kept, so that asking for it again costs nothing.

    Args:
        name: As for `describe`.
        device: As for `pick_device`.
        node: One of its `BackboneInfo.nodes`; None takes its own.
        layer: One of its `BackboneInfo.layers`; None takes its own.
        input_size: One of its `BackboneInfo.input_sizes`; None takes its own.
        debias: Take directions that say only where in the image a token lies out of its features:
            `BackboneInfo.position_directions`.
        progress: Told "download", in megabytes, while weights are downloaded. It may raise to stop.

    Raises:
        BackboneError: There is no such backbone, device, node, layer or input size, or it has no
            debiasing; or its weights cannot be had, and then it says which file to put where.
    """
    from pointprompt.backbones import loading

    choice = loading.choose(
        describe(name), device, node=node, layer=layer, input_size=input_size, debias=debias
    )
    return loading.load(choice, progress)


def load_decoder(name: str) -> MaskDecoder:
    """The mask decoder of a backbone that gives image embeddings, on the CPU.

    Nothing is downloaded: it comes with the backbone. The one loaded last is kept.

    Args:
        name: As for `describe`.

    Raises:
        BackboneError: There is no such backbone, or the file with its weights is not on this
            computer or holds no mask decoder of SAM's.
    """
    from pointprompt.backbones import loading

    return loading.load_decoder(describe(name))


def load_untrained(
    name: str,
    *,
    device: str | None = None,
    node: str | None = None,
    layer: int | None = None,
    input_size: int | None = None,
    debias: bool = False,
) -> Backbone:
    """As `load`, with random weights: it computes as fast, and needs nothing to be downloaded.

    Its features are worth nothing.
    """
    from pointprompt.backbones import loading

    choice = loading.choose(
        describe(name), device, node=node, layer=layer, input_size=input_size, debias=debias
    )
    return loading.build(choice, None)


def _builtin_since(reason: str) -> str:
    return f"{describe(BUILTIN).title} is in use, since {reason}"
