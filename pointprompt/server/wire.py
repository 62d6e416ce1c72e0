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
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.codes import Packed
from pointprompt.edits import Lock
from pointprompt.formats.prompt_json import PromptFile
from pointprompt.rules.concept import Concept
from pointprompt.settings import OUTLINES, Settings
from pointprompt.things import Thing
from pointprompt.types import BoolArray, ByteArray, Click, FloatArray, TokenPrediction

MAX_CLICKS = 1000
# Of all locks together: each has those that there were when it was made.
MAX_LOCKED_CLICKS = 20_000
MAX_TOKEN_CHARS = 100
# Of what names a data set, and of a token of the Hub.
MAX_HUB_CHARS = 500
# What opens a stored set holds the names of its images.
MAX_RECALL_CHARS = 1 << 19
# Of a recipe's file as base64: 6 MiB, which fits into the largest message that is taken.
MAX_RECIPE_CHARS = 8 << 20
# Images that may be asked for at once.
MAX_EDGED = 16
# Height and width of a mask on a screen, at most.
MAX_SIDE = 2048


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
        heat: Whether the heatmaps are wanted too.
        locks: Images in which other clicks and settings say it.
    """

    session: str
    seq: int
    clicks: tuple[Click, ...]
    settings: Settings
    heat: bool = field(default=False, kw_only=True)
    locks: tuple[Lock, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class EdgesRequest(PredictRequest):
    """Asks for the masks of some images along the edges in their photos.

    Attributes:
        session: As in `PredictRequest`.
        seq: As in `PredictRequest`.
        clicks: As in `PredictRequest`.
        settings: As in `PredictRequest`.
        heat: Of no use here.
        locks: As in `PredictRequest`.
        images: Their indices, each once, at most MAX_EDGED.
        side: Pixels of the longer side that a mask is to have; at most MAX_SIDE.
    """

    images: tuple[int, ...]
    side: int


@dataclass(frozen=True)
class ExportRequest:
    """Asks for the masks of things as a file, in the event `export`.

    Attributes:
        session: The token it shows.
        seq: Its number.
        things: All of them, the highest first: each with its own clicks, at most MAX_CLICKS in all.
        exclusive: Whether a "this" of one is a "not this" of the others.
        overlaps: Whether what is in several masks stays in all; else in the highest.
        skipped: Indices of the images that are left out.
        formats: Names of `formats.registry.FORMATS`.
        coco_polygons: As in `formats.format.Options`.
        coco_regions: As in `formats.format.Options`.
        orientation: As in `formats.format.Options`.
    """

    session: str
    seq: int
    things: tuple[Thing, ...]
    exclusive: bool
    overlaps: bool
    skipped: tuple[int, ...]
    formats: tuple[str, ...]
    coco_polygons: bool = False
    coco_regions: bool = False
    orientation: Literal["upright", "stored"] = "upright"


@dataclass(frozen=True)
class PushRequest:
    """Asks for the photos and masks as a data set on the Hugging Face Hub, in the event `push`.

    Attributes:
        export: What is to be in it; its formats are of no use here.
        name: Of the data set, as its owner wrote it.
        token: The owner's, which may write there. It is used for this one and kept nowhere.
        private: Whether nobody else is to see it.
    """

    export: ExportRequest
    name: str
    token: str = field(repr=False)
    private: bool


@dataclass(frozen=True)
class OpenRequest:
    """Asks what a prompt file says.

    Attributes:
        session: The token it shows.
        text: The content of the file, from anywhere.
    """

    session: str
    text: str


@dataclass(frozen=True)
class RecipeRequest:
    """Asks for the set in the terms of a recipe, with its things, in the event `recipe`.

    Attributes:
        session: The token it shows.
        data: The content of the recipe's file, from anywhere, as base64.
    """

    session: str
    data: str = field(repr=False)


@dataclass(frozen=True)
class RecallRequest:
    """Asks for a stored set that this browser had open before, in the event `recall`.

    Attributes:
        recall: What the manifest gave.
    """

    recall: str


@dataclass(frozen=True)
class RemoveRequest:
    """Asks for the set without an image, in the event `remove`.

    Attributes:
        session: The token it shows.
        image: Index of the image.
    """

    session: str
    image: int


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
        heat: The heatmaps of all images, from 0 to 255, by `encode_bytes`; "" if not wanted.
    """

    seq: int
    masks: str
    presence: tuple[float, ...]
    heat: str

    @classmethod
    def of(
        cls, request: PredictRequest, prediction: TokenPrediction, masks: BoolArray
    ) -> MasksAnswer:
        """The answer to this request, with masks (n, h, w) bool."""
        presence = tuple(round(float(value), 3) for value in prediction.presence)
        heat = ""
        if request.heat:
            heat = encode_bytes(np.rint(prediction.heatmaps * 255).astype(np.uint8).tobytes())
        return cls(request.seq, encode_masks(masks), presence, heat)


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
class FileImage:
    """An image that a prompt file is about.

    Attributes:
        name: Of its file.
        width: In pixels.
        height: In pixels.
    """

    name: str
    width: int
    height: int


@dataclass(frozen=True)
class OpenedPrompt:
    """What a prompt file says.

    Attributes:
        things: As in `ExportRequest`.
        exclusive: As in `ExportRequest`.
        overlaps: As in `ExportRequest`.
        skipped: As in `ExportRequest`.
        images: Those that the clicks are on, in order; none where the file does not say.
    """

    things: tuple[Thing, ...]
    exclusive: bool
    overlaps: bool
    skipped: tuple[int, ...]
    images: tuple[FileImage, ...]

    @classmethod
    def of(cls, file: PromptFile) -> OpenedPrompt:
        """What the page gets of a file."""
        images = tuple(FileImage(*image) for image in file.images)
        return cls(file.things, file.exclusive, file.keeps_overlaps, file.skipped, images)


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
        turned: Whether its file stores it otherwise than upright.
        tile: Address of a JPEG file.
        whole: The same at the image's own size; that of the tile where this is no larger.
        codes: Address of what `encode_codes` makes of its codes.
        same: Index of the first image that is the same as this one; mostly its own.
    """

    name: str
    width: int
    height: int
    remark: str
    turned: bool
    tile: str
    whole: str
    codes: str
    same: int


@dataclass(frozen=True)
class ManifestConcept:
    """A concept of a recipe that clicks can go on from.

    Attributes:
        name: As in `JointRule`.
        level: Likeness to its first click that is enough: in the image of that, and elsewhere.
        marks: Image and label, 1 or -1, of each of its clicks. Of an image that is not in the set a
            number below 0.
        clicks: Those of them that were made in images of the set.
        looks: How many there are.
        looks_level: How like one of them an image must be.
        numbers: Little-endian float32 as base64: the codes of the clicks, what each adds
            in its own image and elsewhere, and the codes of the looks.
    """

    name: str
    level: tuple[float, float]
    marks: tuple[tuple[int, int], ...]
    clicks: tuple[Click, ...]
    looks: int
    looks_level: float
    numbers: str = field(repr=False)

    @classmethod
    def of(
        cls, name: str, concept: Concept, images: Mapping[int, int], clicks: tuple[Click, ...]
    ) -> ManifestConcept:
        """The concept for the page.

        Args:
            name: What it is called.
            concept: The concept.
            images: The first image of the set that is the same, by the number it knows that by.
            clicks: Those of its clicks that were made in images of the set.
        """
        tokens, looks = concept.tokens, concept.looks
        parts = (tokens.codes, tokens.heights, tokens.heights_elsewhere, looks.codes)
        data = b"".join(part.astype("<f4").tobytes() for part in parts)
        numbers = [images.get(int(image), -1 - int(image)) for image in tokens.images]
        return cls(
            name,
            (float(tokens.level.own), float(tokens.level.elsewhere)),
            tuple(zip(numbers, map(int, tokens.labels), strict=True)),
            clicks,
            len(looks.codes),
            float(looks.level),
            base64.b64encode(data).decode("ascii"),
        )


@dataclass(frozen=True)
class Manifest:
    """All that the page must know to show an analysis.

    Attributes:
        session: Its token, which the page keeps to itself.
        ticket: What the page may keep for its own reload, and only its own browser can use.
        joins: The token of the session that the images were in before; its clicks go on.
        kept: The indices that the first images had there.
        grid: Rows and columns of tokens.
        eigvecs: How many there are.
        backbone: Name of what the features came from.
        outlines: Those that its masks can have.
        colors: Address of one PNG file, the colour views of all images one below the other.
        images: In order.
        example: What to try with them, where they are an example; "" where they are somebody's own.
        opening: Whether this is what pages open with, and nobody asked for it.
        recall: What this browser may keep to open the set again, whenever; "" where it is not
            stored.
        concepts: Those of a recipe that is open on it.
        opened: What a recipe that was just opened wants in these images; null where none was.
    """

    session: str
    ticket: str
    joins: str
    kept: tuple[int, ...]
    grid: tuple[int, int]
    eigvecs: int
    backbone: str
    outlines: tuple[str, ...]
    colors: str
    images: tuple[ManifestImage, ...]
    example: str
    opening: bool
    recall: str
    concepts: tuple[ManifestConcept, ...]
    opened: OpenedPrompt | None

    @classmethod
    def of(
        cls,
        session: str,
        analysis: Analysis,
        tiles: Sequence[str],
        colors: str,
        *,
        wholes: Sequence[str],
        codes: Sequence[str],
        same: Sequence[int],
        joins: str = "",
        kept: Sequence[int] = (),
        ticket: str = "",
        example: str = "",
        opening: bool = False,
        recall: str = "",
        concepts: tuple[ManifestConcept, ...] = (),
        opened: OpenedPrompt | None = None,
    ) -> Manifest:
        """The manifest of an analysis, with what there is to fetch of each image."""
        _, h, w, k = analysis.eigvecs.shape
        can_sam = analysis.image_embeddings is not None
        return cls(
            session=session,
            ticket=ticket,
            joins=joins,
            kept=tuple(kept),
            grid=(h, w),
            eigvecs=k,
            backbone=analysis.backbone.name,
            outlines=tuple(outline for outline in OUTLINES if outline != "sam" or can_sam),
            colors=colors,
            images=tuple(
                ManifestImage(
                    name=photo.name,
                    width=photo.width,
                    height=photo.height,
                    remark=photo.remark,
                    turned=photo.orientation != 1,
                    tile=tile,
                    whole=whole,
                    codes=codes_,
                    same=first,
                )
                for photo, tile, whole, codes_, first in zip(
                    analysis.photos, tiles, wholes, codes, same, strict=True
                )
            ),
            example=example,
            opening=opening,
            recall=recall,
            concepts=concepts,
            opened=opened,
        )


@dataclass(frozen=True)
class Download:
    """A file that is to be saved.

    Attributes:
        address: Where it is.
    """

    address: str


Down = MasksAnswer | EdgesAnswer | OpenedPrompt | Failure | Manifest | Download


def encode(message: Down) -> dict[str, Any]:
    """The message as the page gets it."""
    encoded = asdict(message)
    if isinstance(message, OpenedPrompt):
        _name_rules(encoded["things"], message.things)
    if isinstance(message, Manifest) and message.opened:
        _name_rules(encoded["opened"]["things"], message.opened.things)
    return encoded


def _name_rules(entries: Sequence[dict[str, Any]], things: Sequence[Thing]) -> None:
    """A rule is known by its name, which is no field of it."""
    for entry, thing in zip(entries, things, strict=True):
        entry["settings"] = thing.settings.as_dict()
        for locked, lock in zip(entry["locks"], thing.locks, strict=True):
            locked["settings"] = lock.settings.as_dict()


def encode_masks(masks: BoolArray) -> str:
    """Masks of any shape, by `encode_bytes`, of packed bits, first token in the highest bit."""
    return encode_bytes(np.packbits(masks).tobytes())


def encode_bytes(data: bytes) -> str:
    """Bytes as base64 of zlib."""
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")


def encode_codes(codes: FloatArray, picture: ByteArray) -> bytes:
    """What a browser needs to find the margins of an image, as a file.

    Little-endian: d, H' and W' and a 0 (uint16), the scales of the d numbers (float32), then the
    numbers of all tokens, one number after the other (int8), and the picture, one channel after
    the other (uint8).

    Args:
        codes: (h, w, d) float32, of `Analysis`.
        picture: (H', W', 3) uint8, RGB, of `levels.small`.
    """
    packed = Packed.of(codes)
    height, width, _ = picture.shape
    head = np.array([codes.shape[-1], height, width, 0], "<u2")
    parts = (
        head,
        packed.scales.astype("<f4"),
        np.moveaxis(packed.numbers, -1, 0),
        np.moveaxis(picture, -1, 0),
    )
    return b"".join(part.tobytes() for part in parts)
