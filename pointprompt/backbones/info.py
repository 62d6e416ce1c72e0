"""What is said of a backbone before any of it is loaded, and what goes wrong with one.

The ground of this room: knows words and numbers, and imports none of its neighbours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# What a name begins with that asks for a model of timm: "timm:resnet50.a1_in1k".
TIMM_PREFIX = "timm:"


class BackboneError(ValueError):
    """A backbone cannot be had or used; the message says what a person can do about it."""


@dataclass(frozen=True, kw_only=True)
class BackboneInfo:
    """What is known of a backbone before any of it is loaded.

    Attributes:
        name: The name it is asked for by.
        title: The name people know it by.
        good_for: When to choose it: a short phrase.
        licence: Of the weights.
        weights_mb: Size of the weights, in megabytes.
        input_size: Side of the square images it takes, in pixels, unless another is asked for;
            images in another aspect have as many pixels.
        input_sizes: The sides it can be asked for.
        cpu_seconds: What an image takes on two CPU cores at each of these sides, or the first, by
            `python -m benchmarks.backbones`; () where that was not measured.
        frame_step: Where it takes images in their own aspect: what their rows and columns are
            multiples of, in pixels. 0 where it takes squares alone.
        parts: Of a pair: which one finds and which one draws, each with weights of its own. ()
            where it is one model.
        size_note: What other sides do to the masks, where that was measured: a sentence, or "".
        grid: (h, w), its token grid of a square image at `input_size`.
        channels: c, the features of a token.
        node: What is taken of the layer, unless another is asked for: "block", its output; "attn"
            or "mlp", what its attention or its MLP adds to its input.
        nodes: The nodes it can be asked for.
        layer: Index of the layer, from 0, unless another is asked for.
        layers: The layers it can be asked for.
        family: The module that builds it: "efficientnet", "sam", "convnext", "timm_model"
            or "pair".
        timm_name: Its name in timm; "" of a pair.
        hub_repository: Where its weights are on the Hugging Face Hub; "" where they are in
            `package` alone.
        other_repository: Where they are on the Hub too, in another layout or without what goes with
            them; used where they were downloaded from there before. "" where there is none.
        package: The Python package that its weights are installed with; "" where there is none.
        checkpoint: The file its authors publish, where that is read as well; else "".
        gated: Its authors give it to those alone who accept its licence; so does who uses a copy.
        position_directions: How many directions of its features are taken away where it is asked
            to forget places; 0 where it cannot be asked.
    """

    name: str
    title: str
    good_for: str
    licence: str
    weights_mb: int
    input_size: int
    input_sizes: tuple[int, ...]
    grid: tuple[int, int]
    channels: int
    node: str = "block"
    nodes: tuple[str, ...] = ("block",)
    layer: int
    layers: tuple[int, ...]
    family: str
    timm_name: str
    hub_repository: str = ""
    other_repository: str = ""
    package: str = ""
    checkpoint: str = ""
    gated: bool = False
    position_directions: int = 0
    cpu_seconds: tuple[float, ...] = ()
    size_note: str = ""
    frame_step: int = 0
    parts: tuple[BackboneInfo, ...] = ()

    @property
    def models(self) -> tuple[BackboneInfo, ...]:
        """Those that have weights: its parts, or itself."""
        return self.parts or (self,)

    @property
    def builtin(self) -> bool:
        """Whether nothing is ever downloaded: the weights come with an installed package."""
        return bool(self.package)

    @property
    def environment_variable(self) -> str:
        """Name of the environment variable that may name a file or folder with the weights."""
        return "POINTPROMPT_" + re.sub(r"\W", "_", self.name).upper()
