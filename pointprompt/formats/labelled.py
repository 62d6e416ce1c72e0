"""What is exported: the masks of several things in all images, looked at one image at a time.

Knows photos, things and arrays. Does not know how masks are computed, nor any file's format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath

import numpy as np

from pointprompt.formats.orientation import as_stored
from pointprompt.grid import enlarge
from pointprompt.sources.names import safe_names
from pointprompt.sources.photos import read_again
from pointprompt.things import Thing, check_things
from pointprompt.types import BackboneChoice, BoolArray, ByteArray, FloatArray, Photo


class UnreadablePhoto(ValueError):
    """A photo's pixels cannot be read again, or are not as many as they were."""


@dataclass(frozen=True)
class Labelled:
    """The masks of things in images, and what made them.

    Attributes:
        photos: The n images.
        things: The t things, top first: where two overlap, the earlier one has the pixels.
        masks: For each thing n masks, (H, W) bool, each at its image's own size. They are asked for
            once an image, so they may be computed then.
        heatmaps: (t, n, h, w) float32, of `Prediction`.
        presence: (t, n) float32, of `Prediction`.
        backbone: What the features came from.
        keeps_overlaps: Let every thing have all its pixels, in formats that can say that.
        exclusive: Whether the "this" clicks of others made the masks as "not this" clicks.
        skipped: Indices of the images that no file is written of.
        recipe: Makes the content of the file that says the same of other images; it may raise a
            ValueError. None where nothing does.

    Raises:
        ValueError: There are not as many of one as of another, two things have the same name, or a
            photo's name is not a plain file name with a stem of its own.
    """

    photos: Sequence[Photo]
    things: Sequence[Thing]
    masks: Sequence[Sequence[BoolArray]] = field(repr=False)
    heatmaps: FloatArray = field(repr=False)
    presence: FloatArray = field(repr=False)
    backbone: BackboneChoice
    keeps_overlaps: bool = False
    exclusive: bool = False
    skipped: frozenset[int] = frozenset()
    recipe: Callable[[], bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_things(self.things)
        _check_names(self.photos)
        if len(self.masks) != len(self.things):
            raise ValueError(f"There are masks of {len(self.masks)} for {len(self.things)} things.")
        for masks in self.masks:
            if len(masks) != len(self.photos):
                raise ValueError(f"There are {len(masks)} masks for {len(self.photos)} images.")
        shape = (len(self.things), len(self.photos))
        if self.presence.shape != shape or self.heatmaps.shape[:2] != shape:
            raise ValueError(f"There must be a heatmap and a presence for each of {shape}.")
        if self.photos and not self.written:
            raise ValueError("All images are skipped: there is nothing to write.")

    @property
    def written(self) -> list[int]:
        """The indices of the images that are not skipped."""
        return [index for index in range(len(self.photos)) if index not in self.skipped]

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """What each thing's folder is called: its name, as far as any file system takes it."""
        slashes = str.maketrans("/\\", "--")
        # An ending of its own, so that a dot in a name is not taken for where one begins.
        names = safe_names([f"{thing.name.translate(slashes)}.png" for thing in self.things])
        return tuple(name.removesuffix(".png") for name in names)

    def __iter__(self) -> Iterator[LabelledImage]:
        """Each image that is written, in turn. Let go of it before the next."""
        for index in self.written:
            yield LabelledImage(self, index)


class LabelledImage:
    """One image and its masks, each held as a bit a pixel.

    All that is asked of it is of one orientation, which formats need not know of.

    Attributes:
        labelled: What it is one image of.
        index: Which one.
        place: Which one of all that are written, where `labelled` holds this one alone.
        photo: The image.
        stem: What its files are called, without what follows the last dot.
        counts: How many pixels each thing has, (t,).

    Args:
        labelled: What it is one image of.
        index: Which one.
        orientation: Of `ORIENTATIONS`: what is asked of it is upright, or as its file stores it.
        place: As above; None where `labelled` holds them all.

    Raises:
        ValueError: A mask is not of its image's size.
    """

    def __init__(
        self,
        labelled: Labelled,
        index: int,
        orientation: str = "upright",
        place: int | None = None,
    ) -> None:
        self.labelled = labelled
        self.index = index
        self.place = index if place is None else place
        self.photo = labelled.photos[index]
        self.stem = PurePath(self.photo.name).stem
        self._orientation = self.photo.orientation if orientation == "stored" else 1
        self.counts: list[int] = []
        self._bits: list[ByteArray] = []
        taken = None if labelled.keeps_overlaps else np.zeros(self.upright_shape, bool)
        for thing in range(len(labelled.things)):
            self._take(thing, taken)

    @property
    def shape(self) -> tuple[int, int]:
        """H and W."""
        height, width = self.upright_shape
        return (height, width) if self._orientation < 5 else (width, height)

    @property
    def upright_shape(self) -> tuple[int, int]:
        """H and W of the upright image, as people see it."""
        return self.photo.height, self.photo.width

    def mask(self, thing: int) -> BoolArray:
        """The mask (H, W) bool of a thing, less what other things have of it."""
        # In one piece, which what reads it is fast with.
        return np.ascontiguousarray(as_stored(self.upright_mask(thing), self._orientation))

    def masks(self) -> Iterator[BoolArray]:
        """The masks of all things, top first, one at a time."""
        return map(self.mask, range(len(self.counts)))

    def upright_mask(self, thing: int) -> BoolArray:
        """As `mask`, of the upright image: for pictures that are there to be looked at."""
        height, width = self.upright_shape
        bits = np.unpackbits(self._bits[thing], count=height * width)
        return bits.view(np.bool_).reshape(height, width)

    def heatmap(self, thing: int) -> FloatArray:
        """How well each pixel fits a thing, (H, W) float32 in [0, 1], interpolated."""
        heatmap = self.labelled.heatmaps[thing, self.index].clip(0, 1)
        return as_stored(enlarge(heatmap, *self.upright_shape), self._orientation)

    @cached_property
    def pixels(self) -> ByteArray:
        """The photo (H, W, 3) uint8.

        Raises:
            UnreadablePhoto: It cannot be read again, or no longer has its size.
        """
        try:
            return as_stored(read_again(self.photo), self._orientation)
        except (OSError, ValueError) as error:
            raise UnreadablePhoto(str(error)) from error

    @property
    def presence(self) -> list[float]:
        """How sure it is that each thing is in the image, (t,)."""
        return [float(share) for share in self.labelled.presence[:, self.index]]

    def path(self, folder: str, thing: int, suffix: str) -> str:
        """Where a file of a thing in this image goes: in its folder, where there are several."""
        folders = self.labelled.folders
        inner = f"{folders[thing]}/" if len(folders) > 1 else ""
        return f"{folder}/{inner}{self.stem}{suffix}"

    def _take(self, thing: int, taken: BoolArray | None) -> None:
        """Keep a thing's mask, less what is `taken` (H, W) bool, which then has it too."""
        mask = self.labelled.masks[thing][self.index]
        shape = self.upright_shape
        if mask.shape != shape:
            raise ValueError(f"A mask of {self.photo.name} is {mask.shape}, not {shape}.")
        if taken is not None:
            mask = mask & ~taken
            taken |= mask
        self.counts.append(int(np.count_nonzero(mask)))
        self._bits.append(np.packbits(mask))


def _check_names(photos: Sequence[Photo]) -> None:
    stems = [PurePath(photo.name).stem for photo in photos]
    for photo, stem in zip(photos, stems, strict=True):
        if not stem or stem == ".." or any(c in photo.name for c in "/\\:\0"):
            raise ValueError(f"{photo.name!r} is not a plain file name.")
    if len({stem.casefold() for stem in stems}) < len(stems):
        raise ValueError("Two photos have the same name, apart from what follows its last dot.")
