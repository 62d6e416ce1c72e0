"""The data that flows through pointprompt, defined once.

Knows numpy and nothing else: no torch, no gradio, no files.

Axis letters, used in every docstring of the package:

    n      images
    h, w   rows and columns of the token grid
    H, W   rows and columns of an image, in pixels
    c      feature channels of the backbone
    k      eigenvectors
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]
HalfArray = NDArray[np.float16]
ByteArray = NDArray[np.uint8]

# How many eigenvectors an analysis has, unless others are asked for (tutorial step 3).
N_EIGVECS = 30


# Equal to itself only: what is made of a photo once is kept for as long as the photo is there.
@dataclass(frozen=True, eq=False)
class Photo:
    """One upright image of a set, as everything after reading it needs to know it.

    Attributes:
        name: File name, unique within its set and safe to write to any file system.
        height: H, in pixels, after the EXIF orientation was applied.
        width: W, in pixels.
        preview: JPEG bytes of the image, longest side at most `images.PREVIEW_SIDE` pixels.
        source: Where the full pixels can be read again (`images.read_pixels`): a file, its bytes,
            or the pixels themselves, (H, W, 3) uint8.
        remark: A sentence that says what is shown otherwise than it is stored, or lacks; "" where
            there is nothing to say.
        orientation: How the file stores it, from 1 to 8 as EXIF counts; 1 is upright.
    """

    name: str
    height: int
    width: int
    preview: bytes = field(repr=False)
    source: Path | bytes | ByteArray = field(repr=False)
    remark: str = ""
    orientation: int = 1


@dataclass(frozen=True)
class Rejected:
    """An image that could not be used.

    Attributes:
        name: The name its owner knows it by.
        reason: A sentence that says why.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class ImageSet:
    """A set of images, read once.

    Attributes:
        photos: The images that could be read, in the order given.
        frames: (n, H', W', 3) uint8; each image resized to the shape that the backbone sees.
        rejected: The images that could not be read, in the order given.
    """

    photos: tuple[Photo, ...]
    frames: ByteArray = field(repr=False)
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True)
class Click:
    """One labelled point.

    Attributes:
        image: Index of the image in its set.
        x: In [0, 1), from the left of the upright image.
        y: In [0, 1), from its top.
        positive: True for "this", False for "not this".

    Raises:
        ValueError: A coordinate is not a number in [0, 1), or the image is not a whole number >= 0.
    """

    image: int
    x: float
    y: float
    positive: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.image, bool) or not isinstance(self.image, int) or self.image < 0:
            raise ValueError(
                f"A click's image must be a whole number from 0 on, not {self.image!r}."
            )
        for axis, value in (("x", self.x), ("y", self.y)):
            if not is_number(value) or not 0 <= value < 1:
                raise ValueError(f"A click's {axis} must be at least 0 and below 1, not {value!r}.")
        if not isinstance(self.positive, bool):
            raise ValueError(f"A click's positive must be true or false, not {self.positive!r}.")


@dataclass(frozen=True)
class Progress:
    """How far a piece of work has come.

    Attributes:
        stage: What is being done. An analysis goes through "read", "features", "cut", "colors";
            where it has to wait for others, "wait" says how many of them as the total.
        done: Steps of this stage that are finished (images, where the stage works by image).
        total: Steps of this stage.
    """

    stage: str
    done: int
    total: int


# Told of every step. It may raise to stop the work: nothing that calls it catches what it raises.
ProgressFn = Callable[[Progress], None]


def tell_nobody(_: Progress) -> None:
    """Where nobody wants to know: the default of a `ProgressFn`."""


@dataclass(frozen=True)
class BackboneRequest:
    """Which backbone is asked for, and what of it is to make the features.

    Attributes:
        name: In the registry, or "timm:" and a model's name.
        node: What is to be taken of the layer: "attn", "mlp" or "block"; None is the backbone's
            own, as below.
        layer: Index of the layer, from 0.
        input_size: Side of the square frames it is to see, in pixels; others have as many pixels.
        debias: Whether its features are to forget where in the image a token lies.

    Raises:
        ValueError: One of them is not of its kind.
    """

    name: str
    node: str | None = None
    layer: int | None = None
    input_size: int | None = None
    debias: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ValueError("A backbone is asked for by its name, which is a text.")
        if self.node is not None and not isinstance(self.node, str):
            raise ValueError("The node of a backbone must be a text.")
        for name in ("layer", "input_size"):
            value = getattr(self, name)
            if value is not None and not is_whole(value):
                raise ValueError(f"The {name} of a backbone must be a whole number.")
        if not isinstance(self.debias, bool):
            raise ValueError("The debias of a backbone must be true or false.")


@dataclass(frozen=True)
class BackboneChoice:
    """The backbone that features came from, nothing of it left open.

    Attributes:
        name: In the registry, or "timm:" and a model's name.
        node: What was taken of the layer: "attn", "mlp" or "block".
        layer: Index of the layer, from 0.
        input_size: Side of the square frames it sees, in pixels; others have as many pixels.
        debias: Whether its features forgot where in the image a token lies.
    """

    name: str
    node: str
    layer: int
    input_size: int
    debias: bool = False

    @property
    def request(self) -> BackboneRequest:
        """What asks for the same again."""
        return BackboneRequest(self.name, self.node, self.layer, self.input_size, self.debias)


@dataclass(frozen=True)
class Codes:
    """What tokens are known by, in two ways: each answers one question better.

    Attributes:
        plain: (..., d) float32, as `analysis.codes` makes them, each about of length 1.
        centred: (..., d) float32, the same less a part of their own image's mean.
    """

    plain: FloatArray = field(repr=False)
    centred: FloatArray = field(repr=False)

    def at(self, index: Any) -> Codes:
        """Those at an index of both arrays."""
        return Codes(self.plain[index], self.centred[index])

    def flat(self) -> Codes:
        """The same as (t, d)."""
        d = self.plain.shape[-1]
        return Codes(self.plain.reshape(-1, d), self.centred.reshape(-1, d))


@dataclass(frozen=True)
class TokenPrediction:
    """What clicks select, at token resolution.

    Attributes:
        heatmaps: (n, h, w) float32; how well a token fits the clicks, higher is better, most in
            [0, 1]; all 0 without a positive click.
        masks: (n, h, w) bool.
        margins: (n, h, w) float32 in [-1, 1]; above 0 just where the mask is, and further from 0
            where that is surer; exactly 1 or -1 only where a person clicked.
        presence: (n,) float32 in [0, 1]; how sure it is that the thing is in the image at all.
    """

    heatmaps: FloatArray
    masks: BoolArray
    margins: FloatArray
    presence: FloatArray


@dataclass(frozen=True)
class Prediction:
    """What clicks select in every image of an analysis.

    Attributes:
        heatmaps: (n, h, w) float32, as in `TokenPrediction`.
        token_masks: (n, h, w) bool.
        presence: (n,) float32, as in `TokenPrediction`.
        masks: n masks, (H, W) bool, each at its image's own size; computed when asked for, so that
            a hundred large ones need not be in memory at once.
    """

    heatmaps: FloatArray
    token_masks: BoolArray
    presence: FloatArray
    masks: Sequence[BoolArray] = field(repr=False)


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite number, NumPy's included, and no bool."""
    if is_whole(value):
        return True
    return isinstance(value, (float, np.floating)) and math.isfinite(value)


def is_whole(value: object) -> bool:
    """Whether it is a whole number, NumPy's included, and no bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def python_number(value: object) -> int | float:
    """A NumPy number as JSON can write it.

    Raises:
        TypeError: It is something else, which JSON has no word for.
    """
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON.")
