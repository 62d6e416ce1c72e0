"""A recipe on other images than its own: masks as applied, and clicks that go on from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointprompt.analysis.analysis import Analysis
from pointprompt.recipes import file
from pointprompt.recipes.making import recipe_of
from pointprompt.recipes.opened import Opened, ground_of, open_on
from pointprompt.recipes.recipe import Recipe, digest_of_source
from pointprompt.rules.predictor import NOT_OPEN, Predictor
from pointprompt.settings import JointRule, Settings
from pointprompt.things import Thing
from pointprompt.types import Click, Photo
from tests.recipes import made

DOG = Thing("dog", (made.THERE,), Settings(one_only=True))


def others(recipe: Recipe, seed: int = 3, owned: tuple[int, ...] = ()) -> Analysis:
    """Other images in the recipe's terms; those of `owned` are the recipe's own."""
    eigvecs, codes = recipe.terms.describe(made.features(made.kinds(), seed=seed))
    photos: list[Photo] = [made.photo(10 * seed + index) for index in range(made.N)]
    before = made.analysis()
    for index in owned:
        photos[index] = before.photos[index]
        eigvecs[index], codes[index] = recipe.terms.describe(
            made.features(made.kinds()[index : index + 1], seed=0)[:1]
        )
    ground = ground_of(recipe)
    return replace(ground, photos=tuple(photos), eigvecs=eigvecs, codes=codes)


def assert_as_applied(opened: Opened) -> None:
    """Assert that it says of every image what `apply` does, to the last bit."""
    for thing, of in zip(opened.things, opened.recipe.things, strict=True):
        found = opened.predictor.predict(thing.clicks, thing.settings)
        for image, photo in enumerate(opened.analysis.photos):
            index = opened.recipe.index_of(digest_of_source(photo.source))
            codes = opened.recipe.codes_of(index, opened.analysis.codes[image])
            applied = opened.recipe.found(of, index, codes)
            assert (applied.margins[0] == found.margins[image]).all()
            assert (applied.heatmaps[0] == found.heatmaps[image]).all()
            assert applied.presence[0] == found.presence[image]


def test_on_other_images_its_things_have_the_masks_that_it_finds_there():
    recipe = made.recipe([made.CAT, DOG], exclusive=True)
    opened = open_on(recipe, others(recipe))
    assert [thing.name for thing in opened.things] == ["cat", "dog"]
    assert all(thing.clicks == () and thing.is_marked for thing in opened.things)
    assert opened.things[1].settings.one_only
    assert_as_applied(opened)
    masks = opened.predictor.predict((), opened.things[0].settings).masks
    assert [mask.any() for mask in masks] == [True] * made.N


def test_on_its_own_images_its_clicks_say_it_all():
    recipe = made.recipe()
    opened = open_on(recipe, made.analysis())
    assert [thing.clicks for thing in opened.things] == [made.CAT.clicks]
    assert [thing.settings for thing in opened.things] == [made.CAT.settings]
    before = Predictor(made.analysis()).predict(made.CAT.clicks, made.CAT.settings)
    found = opened.predictor.predict(made.CAT.clicks, made.CAT.settings)
    assert (found.margins == before.margins).all()


def test_clicks_on_those_of_its_images_that_are_here_are_shown_and_say_nothing_new():
    recipe = made.recipe()
    opened = open_on(recipe, others(recipe, owned=(0,)))
    (thing,) = opened.things
    assert thing.clicks == (made.THIS,)
    assert thing.settings.concept
    assert_as_applied(opened)


def test_further_clicks_mend_what_it_says():
    recipe = made.recipe()
    opened = open_on(recipe, others(recipe))
    (thing,) = opened.things
    before = opened.predictor.predict((), thing.settings)
    click = Click(1, 0.8, 0.5)
    after = opened.predictor.predict((click,), thing.settings)
    assert not before.masks[1, 6, 12]
    assert after.masks[1, 6, 12]
    # What was found is not lost over it.
    assert after.masks[3, 6, 4]
    no_more = opened.predictor.predict((replace(made.THIS, positive=False),), thing.settings)
    assert before.masks[0, 6, 4]
    assert not no_more.masks[0, 6, 4]


def test_what_goes_on_from_a_recipe_makes_another_one_that_says_the_same():
    opened = open_on(made.recipe(), others(made.recipe(), owned=(2,)))
    (thing,) = opened.things
    own = Thing("dog", (Click(1, 0.8, 0.5),))
    further = replace(thing, clicks=(*thing.clicks, Click(3, 0.3, 0.6), Click(1, 0.1, 0.1, False)))
    recipe = recipe_of(opened.predictor, [further, own], made.IDENTITY, before=opened.recipe)
    again = open_on(file.decode(file.encode(recipe)), others(recipe, seed=9))
    now = open_on(file.decode(file.encode(recipe)), opened.analysis)
    assert_as_applied(again)
    assert_as_applied(now)
    for of_thing, before in zip(now.things, (further, own), strict=True):
        one = opened.predictor.predict(before.clicks, before.settings)
        other = now.predictor.predict(of_thing.clicks, of_thing.settings)
        assert (one.margins == other.margins).all()
    # Clicks of before and of now, each once.
    assert len(recipe.things[0].clicks) == len(made.CAT.clicks) + 2


def test_without_the_recipe_it_is_said_what_to_do():
    settings = Settings(JointRule(concept=f"{'a' * 16}-0"))
    with pytest.raises(ValueError, match="Open its file again") as error:
        Predictor(made.analysis()).predict((), settings)
    assert str(error.value) == NOT_OPEN


def test_images_that_are_the_same_are_the_same_to_its_concepts():
    recipe = made.recipe()
    analysis = others(recipe)
    analysis.codes[3] = analysis.codes[1]
    opened = open_on(recipe, analysis)
    (thing,) = opened.things
    found = opened.predictor.predict((Click(1, 0.8, 0.5),), thing.settings)
    free = np.ones((made.H, made.W), bool)
    free[6, 12] = False  # That token was clicked in one of them.
    assert (found.margins[1] == found.margins[3])[free].all()


def test_concepts_are_named_by_what_they_are():
    one, same, other = made.recipe(), made.recipe(), made.recipe([DOG])
    assert list(one.concepts) == list(same.concepts)
    assert not set(one.concepts) & set(other.concepts)
