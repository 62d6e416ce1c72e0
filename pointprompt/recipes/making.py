"""An analysis and what is wanted of it -> a recipe.

Knows predictors, things and photos. Does not know files, nor which engine computed the analysis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pointprompt.analysis.codes import Packed
from pointprompt.recipes.recipe import (
    KnownImage,
    Recipe,
    RecipeError,
    RecipeThing,
    digest_of_source,
)
from pointprompt.rules.predictor import Predictor
from pointprompt.settings import JointRule
from pointprompt.things import Thing, check_things, clicks_of
from pointprompt.types import Click


def recipe_of(
    predictor: Predictor,
    things: Sequence[Thing],
    identity: str,
    *,
    exclusive: bool = False,
    before: Recipe | None = None,
) -> Recipe:
    """The recipe of things: their masks in any image, as their clicks say it.

    Locks and strokes are not in it: they correct single images. Nor are things without a click
    that says "this", here or in the recipe that they go on from.

    Args:
        predictor: Of the analysis that the clicks are on.
        things: At least one of them with a positive click.
        identity: `Engine.identity` of the analysis' backbone.
        exclusive: Whether a "this" of one is a "not this" of the others.
        before: The recipe whose concepts the predictor knows, if it knows any.

    Raises:
        RecipeError: A thing is by the tutorial's rule, or none has a positive click, or an image
            cannot be read any more.
        ValueError: A click is on an image that is not in the analysis, or two things have the same
            name.
    """
    check_things(things)
    began = before.clicks_by_name if before else {}
    images, places = _images(predictor, before)
    made = tuple(
        _made(predictor, thing, clicks_of(things, index, exclusive=exclusive), began, places)
        for index, thing in enumerate(things)
        if thing.settings.concept or any(click.positive for click in thing.clicks)
    )
    if not made:
        raise RecipeError("There is nothing to make a recipe of yet: click a thing first.")
    analysis = predictor.analysis
    return Recipe(analysis.backbone, identity, analysis.grid, analysis.terms, made, images)


def _made(
    predictor: Predictor,
    thing: Thing,
    clicks: tuple[Click, ...],
    began: Mapping[str, tuple[Click, ...]],
    places: Sequence[int],
) -> RecipeThing:
    rule = thing.settings.rule
    if not isinstance(rule, JointRule):
        raise RecipeError(
            f"{thing.name!r} is masked by the tutorial's rule, which compares every token with the "
            "whole set, so it says nothing of other images. Choose our own rule for a recipe."
        )
    concept = predictor.concept(clicks, rule)
    assert concept is not None  # noqa: S101 - it has a positive click, or goes on from one
    first = began.get(rule.concept, ())
    placed = [replace(click, image=places[click.image]) for click in clicks]
    settings = replace(thing.settings, rule=replace(rule, concept=""))
    # What was clicked before stands in an image of before as well.
    further = [click for click in placed if click not in first]
    return RecipeThing(thing.name, thing.color, settings, (*first, *further), concept)


def _images(
    predictor: Predictor, before: Recipe | None
) -> tuple[tuple[KnownImage, ...], list[int]]:
    """All images that a recipe knows, and where those of the analysis are among them."""
    analysis = predictor.analysis
    were = before.images if before else ()
    known, places = list(were), []
    for index, (photo, number) in enumerate(zip(analysis.photos, predictor.numbers, strict=True)):
        try:
            digest = digest_of_source(photo.source)
        except OSError as error:
            raise RecipeError(f"{photo.name} cannot be read any more: {error}.") from error
        solved = analysis.terms.cut.was_solved_on(analysis.eigvecs[index])
        codes = Packed.of(analysis.codes[index]) if solved else None
        known.append(KnownImage(digest, number, codes))
        place = before.index_of(digest) if before else None
        places.append(len(were) + index if place is None else place)
    return tuple(known), places
