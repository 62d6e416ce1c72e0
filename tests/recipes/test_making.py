"""What goes into a recipe, and what has no place in one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pointprompt.recipes.making import recipe_of
from pointprompt.recipes.recipe import RecipeError, digest_of_source
from pointprompt.rules.predictor import Predictor
from pointprompt.settings import Settings, TutorialRule
from pointprompt.things import Thing
from pointprompt.types import Click
from tests.recipes import made


def test_a_recipe_says_what_it_is_made_of():
    recipe = made.recipe()
    analysis = made.analysis()
    assert recipe.backbone == analysis.backbone
    assert recipe.identity == made.IDENTITY
    assert recipe.grid == (made.H, made.W)
    (thing,) = recipe.things
    assert (thing.name, thing.color, thing.settings) == (
        "cat",
        made.CAT.color,
        made.CAT.settings,
    )
    assert [image.digest for image in recipe.images] == [
        digest_of_source(photo.source) for photo in analysis.photos
    ]


def test_the_tutorials_rule_is_refused_with_what_to_do():
    thing = replace(made.CAT, settings=Settings(TutorialRule()))
    with pytest.raises(RecipeError, match=r"'cat' is masked by the tutorial's rule.*our own rule"):
        made.recipe([thing])


def test_things_that_nobody_clicked_are_left_out():
    empty = Thing("dog", (Click(0, 0.1, 0.1, positive=False),))
    assert [thing.name for thing in made.recipe([empty, made.CAT]).things] == ["cat"]
    with pytest.raises(RecipeError, match="click a thing first"):
        made.recipe([empty])


def test_what_one_thing_is_the_others_are_not_where_that_is_wanted():
    dog = Thing("dog", (made.THERE,))
    apart = made.recipe([made.CAT, dog])
    exclusive = made.recipe([made.CAT, dog], exclusive=True)
    assert apart.things[0].clicks == made.CAT.clicks
    assert exclusive.things[0].clicks == (replace(made.THERE, positive=False), *made.CAT.clicks)


def test_images_that_are_the_same_have_one_number():
    analysis = made.analysis()
    analysis.codes[3] = analysis.codes[1]
    recipe = recipe_of(Predictor(analysis), [made.CAT], made.IDENTITY)
    assert [image.number for image in recipe.images] == [0, 1, 2, 1]


def test_images_that_the_cut_was_solved_on_bring_their_codes():
    # All of so few tokens are.
    analysis, recipe = made.analysis(), made.recipe()
    for image, codes in zip(recipe.images, analysis.codes, strict=True):
        assert image.codes is not None
        assert (image.codes.numbers * image.codes.scales == codes).all()


def test_images_that_joined_do_not():
    analysis = made.analysis()
    eigvecs, codes = analysis.terms.describe(made.features(made.kinds(), seed=3))
    joined = replace(analysis, eigvecs=eigvecs, codes=codes)
    recipe = recipe_of(Predictor(joined), [made.CAT], made.IDENTITY)
    assert all(image.codes is None for image in recipe.images)


def test_a_photo_that_is_gone_is_named(tmp_path: Path):
    analysis = made.analysis()
    gone = replace(analysis.photos[0], source=tmp_path / "gone.jpg")
    analysis = replace(analysis, photos=(gone, *analysis.photos[1:]))
    with pytest.raises(RecipeError, match=r"photo-0\.png cannot be read any more"):
        recipe_of(Predictor(analysis), [made.CAT], made.IDENTITY)


def test_a_click_on_an_image_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="image 9"):
        made.recipe([Thing("cat", (Click(9, 0.5, 0.5),))])
