"""An analysis and what is wanted of it -> a recipe.

Knows predictors, things and photos. Does not know files, nor which engine computed the analysis.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    predictor: Predictor, things: Sequence[Thing], identity: str, *, exclusive: bool = False
) -> Recipe:
    """The recipe of things: their masks in any image, as their clicks say it.

    Locks and strokes are not in it: they correct single images. Nor are things without a click
    that says "this".

    Args:
        predictor: Of the analysis that the clicks are on.
        things: At least one of them with a positive click.
        identity: `Engine.identity` of the analysis' backbone.
        exclusive: Whether a "this" of one is a "not this" of the others.

    Raises:
        RecipeError: A thing is by the tutorial's rule, or none has a positive click, or an image
            cannot be read any more.
        ValueError: A click is on an image that is not in the analysis, or two things have the same
            name.
    """
    check_things(things)
    made = tuple(
        _made(predictor, thing, clicks_of(things, index, exclusive=exclusive))
        for index, thing in enumerate(things)
        if any(click.positive for click in thing.clicks)
    )
    if not made:
        raise RecipeError("There is nothing to make a recipe of yet: click a thing first.")
    analysis = predictor.analysis
    return Recipe(
        analysis.backbone, identity, analysis.grid, analysis.terms, made, _known(predictor)
    )


def _made(predictor: Predictor, thing: Thing, clicks: tuple[Click, ...]) -> RecipeThing:
    rule = thing.settings.rule
    if not isinstance(rule, JointRule):
        raise RecipeError(
            f"{thing.name!r} is masked by the tutorial's rule, which compares every token with the "
            "whole set, so it says nothing of other images. Choose our own rule for a recipe."
        )
    concept = predictor.concept(clicks, rule)
    assert concept is not None  # noqa: S101 - it has a positive click
    return RecipeThing(thing.name, thing.color, thing.settings, clicks, concept)


def _known(predictor: Predictor) -> tuple[KnownImage, ...]:
    analysis = predictor.analysis
    known = []
    for index, (photo, number) in enumerate(zip(analysis.photos, predictor.same, strict=True)):
        try:
            digest = digest_of_source(photo.source)
        except OSError as error:
            raise RecipeError(f"{photo.name} cannot be read any more: {error}.") from error
        solved = analysis.terms.cut.was_solved_on(analysis.eigvecs[index])
        codes = Packed.of(analysis.codes[index]) if solved else None
        known.append(KnownImage(digest, number, codes))
    return tuple(known)
