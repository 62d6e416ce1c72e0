"""What a recipe says of tokens is what the clicks say of them in their set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pointprompt.analysis.analysis import Analysis
from pointprompt.recipes.recipe import Recipe, digest_of_source
from pointprompt.rules.predictor import Predictor
from pointprompt.settings import SIZES, JointRule, Settings
from pointprompt.things import Thing, clicks_of
from tests.recipes import made


def everywhere(recipe: Recipe, analysis: Analysis, known: bool = True) -> list:
    """What a recipe says of each image of an analysis, of its first thing."""
    indices = range(made.N) if known else [None] * made.N
    return [
        recipe.found(recipe.things[0], index, codes)
        for index, codes in zip(indices, analysis.codes, strict=True)
    ]


@pytest.mark.parametrize("one_only", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_on_its_own_images_it_says_just_what_the_clicks_say(size, one_only):
    settings = Settings(JointRule(0.45, 1.3, size), one_only=one_only)
    things = [replace(made.CAT, settings=settings), Thing("dog", (made.THERE,))]
    analysis = made.analysis()
    expected = Predictor(analysis).predict(clicks_of(things, 0, exclusive=True), settings)
    for index, found in enumerate(everywhere(made.recipe(things, exclusive=True), analysis)):
        np.testing.assert_array_equal(found.margins[0], expected.margins[index])
        np.testing.assert_array_equal(found.heatmaps[0], expected.heatmaps[index])
        np.testing.assert_array_equal(found.masks[0], expected.masks[index])
        assert found.presence[0] == expected.presence[index]


def test_the_thing_is_found_in_images_that_it_never_saw():
    recipe = made.recipe()
    terms = recipe.terms
    eigvecs, codes = terms.describe(made.features(made.kinds(), seed=99))
    unseen = replace(made.analysis(), eigvecs=eigvecs, codes=codes)
    for found, kinds in zip(everywhere(recipe, unseen, known=False), made.kinds(), strict=True):
        np.testing.assert_array_equal(found.masks[0], kinds == 1)


def test_an_image_without_the_thing_stays_empty():
    right = made.recipe([Thing("dog", (made.THERE,))])
    *there, last = everywhere(right, made.analysis())
    assert all(found.masks.any() for found in there)
    assert not last.masks.any()
    assert last.presence[0] < min(found.presence[0] for found in there)


def test_tokens_are_pinned_only_in_the_image_that_was_clicked():
    analysis, recipe = made.analysis(), made.recipe()
    known, unknown = everywhere(recipe, analysis), everywhere(recipe, analysis, known=False)
    assert (np.abs(known[0].margins) == 1).sum() == 1
    assert (np.abs(known[3].margins) == 1).sum() == 0
    assert all((np.abs(found.margins) < 1).all() for found in unknown)


def test_an_image_is_known_by_what_it_holds_and_the_first_of_equal_ones_counts():
    recipe = made.recipe()
    first = recipe.images[0]
    assert recipe.index_of(first.digest) == 0
    assert recipe.index_of("f" * 64) is None
    twice = replace(recipe, images=(*recipe.images, first))
    assert twice.index_of(first.digest) == 0


def test_a_digest_is_of_a_files_bytes_or_of_pixels(tmp_path: Path):
    file = tmp_path / "any.jpg"
    file.write_bytes(b"these")
    assert digest_of_source(file) == digest_of_source(b"these")
    pixels = np.zeros((2, 3, 3), np.uint8)
    assert digest_of_source(pixels) == digest_of_source(pixels.copy())
    assert digest_of_source(pixels) != digest_of_source(pixels.reshape(3, 2, 3))


def test_its_things_are_known_by_name_colour_and_settings_alone():
    (thing,) = made.recipe().as_things()
    assert thing == Thing("cat", settings=made.CAT.settings, color=made.CAT.color)
