"""A recipe and an analysis in its terms -> things that further clicks go on from.

Knows recipes and predictors. Does not know how the analysis came about, nor who clicks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pointprompt.analysis.analysis import Analysis
from pointprompt.recipes.recipe import Recipe, RecipeThing, digest_of_source
from pointprompt.rules.predictor import Known, Predictor, first_alike
from pointprompt.settings import JointRule
from pointprompt.things import Thing
from pointprompt.types import Click


@dataclass(frozen=True)
class Opened:
    """A recipe on a set of images.

    Attributes:
        recipe: The recipe.
        predictor: Of the images' analysis; it knows the recipe's concepts.
        things: The recipe's, with their masks in these images, and the clicks that were made on
            them. Where all images with clicks are here, those clicks say it all.
    """

    recipe: Recipe
    predictor: Predictor = field(repr=False)
    things: tuple[Thing, ...]

    @property
    def analysis(self) -> Analysis:
        """That of the images, in the recipe's terms."""
        return self.predictor.analysis

    @property
    def exclusive(self) -> bool:
        """Whether a "this" of one thing was a "not this" of all others."""
        return all(
            replace(click, positive=False) in thing.clicks
            for thing in self.recipe.things
            for other in self.recipe.things
            if other is not thing
            for click in other.clicks
            if click.positive and click not in thing.clicks
        )


def ground_of(recipe: Recipe) -> Analysis:
    """An analysis of no image, which images join that are to be described as the recipe's are."""
    h, w = recipe.grid
    d = recipe.things[0].concept.tokens.codes.shape[1]
    return Analysis(
        (),
        np.zeros((0, h, w, len(recipe.terms.cut.eigvals)), np.float32),
        np.zeros((0, h, w, d), np.float32),
        np.zeros((0, h, w, 3), np.uint8),
        recipe.terms,
        recipe.backbone,
    )


def open_on(recipe: Recipe, analysis: Analysis) -> Opened:
    """A recipe opened on images: masks are those of `apply`, to the last bit.

    Args:
        recipe: The recipe.
        analysis: Of the images, in the recipe's terms.

    Raises:
        OSError: An image cannot be read any more.
    """
    places = [recipe.index_of(digest_of_source(photo.source)) for photo in analysis.photos]
    codes = np.stack([recipe.codes_of(*one) for one in zip(places, analysis.codes, strict=True)])
    numbers = tuple(
        len(recipe.images) + alike if place is None else recipe.images[place].number
        for place, alike in zip(places, first_alike(codes), strict=True)
    )
    predictor = Predictor(replace(analysis, codes=codes), Known(recipe.concepts, numbers))
    images = {place: image for image, place in reversed(list(enumerate(places)))}
    things = (
        _thing(thing, name, images)
        for name, thing in zip(recipe.concepts, recipe.things, strict=True)
    )
    return Opened(recipe, predictor, tuple(things))


def _thing(thing: RecipeThing, name: str, images: dict[int | None, int]) -> Thing:
    """The thing, with those clicks whose images are here, by their places in the recipe."""
    clicks = [
        Click(images[click.image], click.x, click.y, click.positive)
        for click in thing.clicks
        if click.image in images
    ]
    settings, rule = thing.settings, thing.settings.rule
    assert isinstance(rule, JointRule)  # noqa: S101 - nothing else makes a recipe
    if len(clicks) < len(thing.clicks):
        settings = replace(settings, rule=replace(rule, concept=name))
    return Thing(thing.name, tuple(clicks), settings, thing.color)
