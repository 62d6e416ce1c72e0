"""Browser messages, both ways: what each holds. The contract between the page and the server.

Up, `parsing` makes a message of what a browser sent. Down, `of` makes one of what the server found,
and `encode` the JSON of it. `ui.contract` writes the same shapes and limits for the browser:
`ui/static/contract.js`.

Knows the package's types. Knows nothing of gradio, sessions, or how a message is checked.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from pointprompt.analysis.analysis import Analysis
from pointprompt.settings import OUTLINES, Settings
from pointprompt.types import BoolArray, Click, TokenPrediction

MAX_CLICKS = 1000
MAX_TOKEN_CHARS = 100
# Images that may be asked for at once.
MAX_EDGED = 16
# Height and width of a mask on a screen, at most.
MAX_SIDE = 4096


class WireError(ValueError):
    """A message that the page would not have sent."""


# Up


@dataclass(frozen=True)
class PredictRequest:
    """Asks for the masks of a prompt: all of it at every change, so that the newest wins.

    Attributes:
        session: The token it shows.
        seq: Its number; the answer carries it back.
        clicks: The whole prompt, at most MAX_CLICKS.
        settings: How clicks become masks.
    """

    session: str
    seq: int
    clicks: tuple[Click, ...]
    settings: Settings


@dataclass(frozen=True)
class EdgesRequest(PredictRequest):
    """Asks for the masks of some images along the edges in their photos.

    Attributes:
        session: As in `PredictRequest`.
        seq: As in `PredictRequest`.
        clicks: As in `PredictRequest`.
        settings: As in `PredictRequest`.
        images: Their indices, each once, at most MAX_EDGED.
        side: The most pixels, in height and width, that a mask is shown with; at most MAX_SIDE.
    """

    images: tuple[int, ...]
    side: int


@dataclass(frozen=True)
class ExportRequest(PredictRequest):
    """Asks for the masks of a prompt as a file, in the event `export`.

    Attributes:
        session: As in `PredictRequest`.
        seq: As in `PredictRequest`.
        clicks: As in `PredictRequest`.
        settings: As in `PredictRequest`.
    """


@dataclass(frozen=True)
class RestoreRequest:
    """Asks for the set that a page showed before it was reloaded, in the event `restore`.

    Attributes:
        ticket: Of the session, which the manifest gave.
    """

    ticket: str


# Down


@dataclass(frozen=True)
class MasksAnswer:
    """What the clicks of a `PredictRequest` select.

    Attributes:
        seq: Of the request.
        masks: Of all images, at token resolution, by `encode_masks`.
        presence: For each image, from 0 to 1, how sure it is that the thing is there.
    """

    seq: int
    masks: str
    presence: tuple[float, ...]

    @classmethod
    def of(cls, seq: int, prediction: TokenPrediction) -> MasksAnswer:
        """The answer to the request with this number."""
        presence = tuple(round(float(value), 3) for value in prediction.presence)
        return cls(seq, encode_masks(prediction.masks), presence)


@dataclass(frozen=True)
class EdgedMask:
    """The mask of one image along the edges in its photo.

    Attributes:
        image: Index of the image.
        height: Of the mask, in pixels.
        width: Of the mask, in pixels.
        mask: Its pixels, by `encode_masks`.
    """

    image: int
    height: int
    width: int
    mask: str

    @classmethod
    def of(cls, image: int, mask: BoolArray) -> EdgedMask:
        """The mask (H, W) bool of the image with this index."""
        height, width = mask.shape
        return cls(image, height, width, encode_masks(mask))


@dataclass(frozen=True)
class EdgesAnswer:
    """What an `EdgesRequest` asked for.

    Attributes:
        seq: Of the request.
        masks: One an image.
    """

    seq: int
    masks: tuple[EdgedMask, ...]

    @classmethod
    def of(cls, seq: int, masks: Mapping[int, BoolArray]) -> EdgesAnswer:
        """The answer with the masks (H, W) bool of these images."""
        return cls(seq, tuple(EdgedMask.of(image, mask) for image, mask in masks.items()))


@dataclass(frozen=True)
class Failure:
    """What went wrong with a request, in the place of its answer.

    Attributes:
        seq: Of the request; 0 where it had none.
        error: "gone" where the server has no such session any more, "invalid" for all else.
        message: A sentence for the person.
    """

    seq: int
    error: Literal["gone", "invalid"]
    message: str


@dataclass(frozen=True)
class ManifestImage:
    """One image of a set.

    Attributes:
        name: Of its file.
        width: In pixels.
        height: In pixels.
        remark: What there is to say about it; "" for nothing.
        tile: Address of a JPEG file.
    """

    name: str
    width: int
    height: int
    remark: str
    tile: str


@dataclass(frozen=True)
class Manifest:
    """All that the page must know to show an analysis.

    Attributes:
        session: Its token, which the page keeps to itself.
        ticket: What the page may keep for its own reload, and only its own browser can use.
        joins: The token of the session that the last images joined; its clicks go on.
        grid: Rows and columns of tokens.
        eigvecs: How many there are.
        backbone: Name of what the features came from.
        outlines: Those that its masks can have.
        colors: Address of one PNG file, the colour views of all images one below the other.
        images: In order.
        example: What to try with them, where they are an example; "" where they are somebody's own.
        opening: Whether this is what pages open with, and nobody asked for it.
    """

    session: str
    ticket: str
    joins: str
    grid: tuple[int, int]
    eigvecs: int
    backbone: str
    outlines: tuple[str, ...]
    colors: str
    images: tuple[ManifestImage, ...]
    example: str
    opening: bool

    @classmethod
    def of(
        cls,
        session: str,
        analysis: Analysis,
        tiles: Sequence[str],
        colors: str,
        *,
        joins: str = "",
        ticket: str = "",
        example: str = "",
        opening: bool = False,
    ) -> Manifest:
        """The manifest of an analysis, with the address of a tile for each image."""
        _, h, w, k = analysis.eigvecs.shape
        can_sam = analysis.image_embeddings is not None
        return cls(
            session=session,
            ticket=ticket,
            joins=joins,
            grid=(h, w),
            eigvecs=k,
            backbone=analysis.backbone.name,
            outlines=tuple(outline for outline in OUTLINES if outline != "sam" or can_sam),
            colors=colors,
            images=tuple(
                ManifestImage(photo.name, photo.width, photo.height, photo.remark, tile)
                for photo, tile in zip(analysis.photos, tiles, strict=True)
            ),
            example=example,
            opening=opening,
        )


@dataclass(frozen=True)
class Download:
    """A file that is to be saved.

    Attributes:
        address: Where it is.
    """

    address: str


def encode(message: MasksAnswer | EdgesAnswer | Failure | Manifest | Download) -> dict[str, Any]:
    """The message as the page gets it."""
    return asdict(message)


def encode_masks(masks: BoolArray) -> str:
    """Masks of any shape as base64 of zlib of packed bits, first token in the highest bit."""
    return base64.b64encode(zlib.compress(np.packbits(masks).tobytes(), 6)).decode("ascii")
