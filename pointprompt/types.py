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
from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]
HalfArray = NDArray[np.float16]
ByteArray = NDArray[np.uint8]


@dataclass(frozen=True)
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
    """

    name: str
    height: int
    width: int
    preview: bytes = field(repr=False)
    source: Path | bytes | ByteArray = field(repr=False)
    remark: str = ""


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
        squares: (n, s, s, 3) uint8; each image resized to the square the backbone sees.
        rejected: The images that could not be read, in the order given.
    """

    photos: tuple[Photo, ...]
    squares: ByteArray = field(repr=False)
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
            if not _is_number(value) or not 0 <= value < 1:
                raise ValueError(f"A click's {axis} must be at least 0 and below 1, not {value!r}.")
        if not isinstance(self.positive, bool):
            raise ValueError(f"A click's positive must be true or false, not {self.positive!r}.")


@dataclass(frozen=True)
class Prompt:
    """A named set of clicks."""

    name: str = "mask"
    clicks: tuple[Click, ...] = ()


RULES = ("kernel", "tutorial")


@dataclass(frozen=True)
class Settings:
    """How clicks become masks.

    Attributes:
        rule: "kernel", our own, which weighs all clicks together; or "tutorial", the tutorial's.
        strength: In [0, 1], for the kernel rule: how much a mask takes in. The middle is right for
            most sets.
        one_only: Keep, of several alike things in an image, the one that was clicked; in an image
            without clicks, the best one.
        edges: Let the masks of images follow the edges in the photo.
        crisp: With `edges`: let SAM's own mask decoder draw them. Only for analyses that have
            `image_embeddings`.
        threshold: In [0, 1], for the tutorial's rule, as is all below: a token belongs to a
            positive click's mask where its heatmap is above.
        gamma: In (0, 10]; the power the heatmap is raised to. Larger is stricter.
        denoise: Remove small connected regions from the masks of positive clicks.
        min_area: At least 0; regions of fewer tokens than this are small.
        negative_threshold: In [0, 1]; the same as `threshold` for negative clicks.
        n_eigvecs: Use only the first so many eigenvectors; None uses all.

    Raises:
        ValueError: A value is not of its kind or not in its range.
    """

    rule: str = "kernel"
    strength: float = 0.5
    one_only: bool = False
    edges: bool = True
    crisp: bool = False
    threshold: float = 0.5
    gamma: float = 1.0
    denoise: bool = True
    min_area: int = 3
    negative_threshold: float = 0.99
    n_eigvecs: int | None = None

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, not {self.rule!r}.")
        for name in ("strength", "threshold", "negative_threshold"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value <= 1:
                raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}.")
        if not _is_number(self.gamma) or not 0 < self.gamma <= 10:
            raise ValueError(f"gamma must be a number above 0 and up to 10, not {self.gamma!r}.")
        for name in ("one_only", "edges", "crisp", "denoise"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise ValueError(f"{name} must be true or false, not {value!r}.")
        if not _is_whole(self.min_area) or self.min_area < 0:
            raise ValueError(f"min_area must be a whole number from 0 on, not {self.min_area!r}.")
        if self.n_eigvecs is not None and (not _is_whole(self.n_eigvecs) or self.n_eigvecs < 1):
            raise ValueError(
                f"n_eigvecs must be a whole number from 1 on, or None, not {self.n_eigvecs!r}."
            )


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
class BackboneChoice:
    """Which backbone, and what of it makes the features.

    Attributes:
        name: In the registry, or "timm:" and a model's name.
        node: What is taken of the layer: "attn", "mlp" or "block"; None is the backbone's own, as
            below.
        layer: Index of the layer, from 0.
        input_size: Side of the squares it sees, in pixels.

    Raises:
        ValueError: One of them is not of its kind.
    """

    name: str
    node: str | None = None
    layer: int | None = None
    input_size: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ValueError("A backbone is asked for by its name, which is a text.")
        if self.node is not None and not isinstance(self.node, str):
            raise ValueError("The node of a backbone must be a text.")
        for name in ("layer", "input_size"):
            value = getattr(self, name)
            if value is not None and not _is_whole(value):
                raise ValueError(f"The {name} of a backbone must be a whole number.")


@dataclass(frozen=True)
class Analysis:
    """What is computed once for a set of images; everything after it is live.

    Attributes:
        photos: The n images.
        eigvecs: (n, h, w, k) float32, joint over all images, sorted by eigenvalue.
        eigvals: (k,) float32, falling.
        embedding: (n, h, w, d) float32, each token of length 1; features and eigenvectors in few
            numbers, whose inner products say how alike tokens are.
        colors: (n, h, w, 3) uint8, the colour view.
        fitted: What describes more images in the same terms (`pipeline.Fitted`).
        backbone: What the features came from, nothing of it left open.
        image_embeddings: (n, 64, 64, 256) float16, what SAM's mask decoder needs to draw; None
            unless the backbone is SAM with its decoder, at 1024 pixels and the last layer, for all
            images.
    """

    photos: tuple[Photo, ...]
    eigvecs: FloatArray = field(repr=False)
    eigvals: FloatArray = field(repr=False)
    embedding: FloatArray = field(repr=False)
    colors: ByteArray = field(repr=False)
    fitted: Any = field(repr=False)
    backbone: BackboneChoice
    image_embeddings: HalfArray | None = field(default=None, repr=False)


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


def _is_number(value: object) -> bool:
    if _is_whole(value):
        return True
    return isinstance(value, (float, np.floating)) and math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
