"""The recipe beside the masks, or why there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.formats import made

GIVEN = made.labelled(made.some_masks(1, [(6, 8)]))


def test_the_recipe_is_a_file_of_its_own():
    members = made.members(GIVEN, ["recipe"])
    assert members["recipe.safetensors"] == made.RECIPE
    assert set(members) == {"recipe.safetensors", "prompt.json"}


def test_it_is_made_only_where_it_is_asked_for():
    def fail() -> bytes:
        raise AssertionError

    made.members(replace(GIVEN, recipe=fail), ["png", "csv"])


def test_where_there_can_be_none_nothing_is_written_before_that_is_said(tmp_path):
    def refuse() -> bytes:
        raise ValueError("The tutorial's rule says nothing of other images.")

    from pointprompt.formats.archive import write_folder

    with pytest.raises(ValueError, match="tutorial's rule"):
        write_folder(tmp_path, replace(GIVEN, recipe=refuse), ["png", "recipe"])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="no recipe of these masks"):
        made.members(replace(GIVEN, recipe=None), ["recipe"])
