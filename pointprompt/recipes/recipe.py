"""What a recipe is: all that says, of any image, which of its tokens are the things.

Knows terms, concepts and codes. Does not know pixels, files, nor how an image gets its codes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pointprompt.analysis.codes import Packed, with_centred
from pointprompt.analysis.keys import digest_of_file
from pointprompt.backbones import weights_in
from pointprompt.rules.concept import Concept
from pointprompt.rules.joint import margins
from pointprompt.rules.predictor import clicked_in, labels_of, only_what_was_meant
from pointprompt.settings import JointRule, Settings
from pointprompt.things import Color, Thing
from pointprompt.types import (
    BackboneChoice,
    ByteArray,
    Click,
    FloatArray,
    TokenPrediction,
)

if TYPE_CHECKING:
    from pointprompt.analysis.terms import Terms

# From here on an image looks unlike those that a recipe was made on (`Terms.unlikeness`). Measured
# on the examples: images of a set are at 0.6 to 0.8, others of its kind at 1.0 to 1.9, and photos
# of other things, pages of text and noise at 2.0 to 2.8.
UNLIKE = 2.0


class RecipeError(ValueError):
    """A recipe cannot be made, read or applied; the message says why, and what to do."""


@dataclass(frozen=True)
class KnownImage:
    """An image that the recipe was made on.

    Attributes:
        digest: Of what it holds: `digest_of_source`.
        number: Which one the concepts know it by: its index, or that of an earlier one that is the
            same.
        codes: Its codes where the terms do not give them again, bit for bit; else None.
    """

    digest: str
    number: int
    codes: Packed | None = field(default=None, repr=False)


@dataclass(frozen=True)
class RecipeThing:
    """A thing that is to be found.

    Attributes:
        name: As in `Thing`.
        color: As there.
        settings: As there, with a `JointRule`.
        clicks: All that the concept is of, those of other things among them. Their images are
            indices of `Recipe.images`.
        concept: What says it of any image.
    """

    name: str
    color: Color
    settings: Settings
    clicks: tuple[Click, ...] = field(repr=False)
    concept: Concept = field(repr=False)


@dataclass(frozen=True)
class Recipe:
    """All that says, of any image, which of its tokens are the things.

    Attributes:
        backbone: What describes images.
        identity: `Engine.identity` of that: which weights it had.
        grid: Rows and columns of tokens that images are seen in.
        terms: What makes codes of features.
        things: At least one, top first.
        images: Those it was made on.
    """

    backbone: BackboneChoice
    identity: str
    grid: tuple[int, int]
    terms: Terms = field(repr=False)
    things: tuple[RecipeThing, ...]
    images: tuple[KnownImage, ...] = field(repr=False)

    @cached_property
    def concepts(self) -> dict[str, Concept]:
        """The concepts of its things by the names that `JointRule.concept` has for them."""
        return dict(zip(self._names, (thing.concept for thing in self.things), strict=True))

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it holds besides its terms."""
        return sum(image.codes.numbers.nbytes for image in self.images if image.codes)

    @property
    def clicks_by_name(self) -> dict[str, tuple[Click, ...]]:
        """The clicks of its things by the names of their concepts."""
        return dict(zip(self._names, (thing.clicks for thing in self.things), strict=True))

    def check_weights(self, identity: str) -> None:
        """Check that what computes here has the weights that the recipe was made with.

        Args:
            identity: `Engine.identity` of the recipe's backbone.

        Raises:
            RecipeError: It has others.
        """
        if weights_in(identity) != weights_in(self.identity):
            raise RecipeError(
                f"The weights of {self.backbone.name} on this computer are not those that the "
                "recipe was made with, so it would find something else. Make the recipe anew with "
                "these."
            )

    def index_of(self, digest: str) -> int | None:
        """Which of `images` an image is, by its digest; None where it is none of them."""
        return self._indices.get(digest)

    def codes_of(self, index: int | None, codes: FloatArray) -> FloatArray:
        """The codes (h, w, d) float32 of an image, as they were when it was clicked.

        Args:
            index: Of `index_of`.
            codes: (h, w, d) float32, in the recipe's terms.
        """
        known = self.images[index].codes if index is not None else None
        return codes if known is None else known.numbers * known.scales

    def clicks_on(self, thing: RecipeThing, index: int | None) -> tuple[Click, ...]:
        """The clicks on an image, said as if it were the only one."""
        return tuple(
            Click(0, click.x, click.y, click.positive)
            for click in thing.clicks
            if click.image == index
        )

    def found(self, thing: RecipeThing, index: int | None, codes: FloatArray) -> TokenPrediction:
        """What is selected of one image (n = 1): just what the clicks select in a set with it.

        Args:
            thing: One of the recipe's.
            index: Of `index_of`.
            codes: (h, w, d) float32, of `codes_of`.
        """
        rule = thing.settings.rule
        assert isinstance(rule, JointRule)  # noqa: S101 - nothing else makes a recipe
        clicks = self.clicks_on(thing, index)
        tokens, heatmap, presence = margins(
            thing.concept,
            with_centred(codes[None]).at(0),
            None if index is None else self.images[index].number,
            rule=rule,
            clicked=clicked_in(0, labels_of(clicks, *codes.shape[:2])),
        )
        found = TokenPrediction(
            heatmap[None], (tokens > 0)[None], tokens[None], np.array([presence], np.float32)
        )
        return only_what_was_meant(found, clicks) if thing.settings.one_only else found

    def as_things(self) -> tuple[Thing, ...]:
        """Its things as files of masks name them: without clicks, which are on other images."""
        return tuple(
            Thing(thing.name, settings=thing.settings, color=thing.color) for thing in self.things
        )

    @cached_property
    def _names(self) -> list[str]:
        digest = hashlib.sha256(self.identity.encode())
        for thing in self.things:
            of = thing.concept.tokens
            for array in (of.codes, of.images, of.labels, of.heights, of.heights_elsewhere):
                digest.update(np.asarray(array, order="C").tobytes())
        return [f"{digest.hexdigest()[:16]}-{number}" for number in range(len(self.things))]

    @cached_property
    def _indices(self) -> dict[str, int]:
        # Of several that are the same, the first one.
        return {one.digest: i for i, one in reversed(list(enumerate(self.images)))}


def digest_of_source(source: Path | bytes | ByteArray) -> str:
    """What an image holds, in 64 hexadecimal digits: of its file's bytes, or else of its pixels.

    Args:
        source: `Photo.source`.

    Raises:
        OSError: The file cannot be read.
    """
    if isinstance(source, Path):
        return digest_of_file(source)[0]
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    digest = hashlib.sha256(f"{source.dtype} {source.shape};".encode())
    digest.update(np.ascontiguousarray(source).data)
    return digest.hexdigest()
