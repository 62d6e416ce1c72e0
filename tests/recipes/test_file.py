"""A recipe survives its file bit for bit, and nothing of a file is believed unchecked."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load, save

from pointprompt.recipes import file
from pointprompt.recipes.recipe import RecipeError
from pointprompt.settings import JointRule, Settings
from pointprompt.things import Thing
from pointprompt.types import Click
from tests.recipes import made

THINGS = [
    replace(made.CAT, settings=Settings(JointRule(0.4, 2.0, "part"), one_only=True, fill_holes=9)),
    Thing("Straße 猫", (made.THERE, Click(0, 0.1, 0.1))),
]
RECIPE = made.recipe(THINGS, exclusive=True)
DATA = file.encode(RECIPE)


def test_a_recipe_is_the_same_after_its_file():
    again = file.decode(DATA)
    assert file.encode(again) == DATA
    assert (again.backbone, again.identity, again.grid) == (
        RECIPE.backbone,
        RECIPE.identity,
        RECIPE.grid,
    )
    for thing, other in zip(RECIPE.things, again.things, strict=True):
        assert thing.clicks == other.clicks
        assert thing.settings == other.settings
        assert thing.concept.sure_of == other.concept.sure_of
        for codes in made.analysis().codes:
            for index in (0, 3, None):
                found, read = RECIPE.found(thing, index, codes), again.found(other, index, codes)
                np.testing.assert_array_equal(found.margins, read.margins)
                np.testing.assert_array_equal(found.presence, read.presence)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch):
    path = file.write(RECIPE, tmp_path / "cats.safetensors")
    assert path.read_bytes() == DATA

    def full(_: int) -> None:
        raise OSError("The disk is full.")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        file.write(made.recipe(), path)
    assert [one.name for one in tmp_path.iterdir()] == ["cats.safetensors"]
    assert path.read_bytes() == DATA


def test_a_file_is_read_from_where_it_was_written(tmp_path: Path):
    path = file.write(RECIPE, tmp_path / "cats.safetensors")
    assert file.encode(file.read(path)) == DATA


def changed(
    change: Callable[[dict[str, Any], dict[str, Any]], None], honest: bool = False
) -> bytes:
    """A file with other values, whose digest is right all the same."""
    document = json.loads(
        json.loads(DATA[8 : 8 + int.from_bytes(DATA[:8], "little")])["__metadata__"]["pointprompt"]
    )
    arrays = dict(load(DATA))
    change(document, arrays)
    if not honest:
        document["arrays"] = file._digest(arrays)
    return save(arrays, {"pointprompt": json.dumps(document)})


def test_a_file_that_was_changed_as_a_whole_is_read_like_any_other():
    def rename(document, arrays):
        document["things"][0]["name"] = "dog"

    assert file.decode(changed(rename)).things[0].name == "dog"


def put(place: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """A change of what is at a place of the document, such as things/0/name."""

    def change(document: Any, _: Any) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in place.split("/")]
        for part in way:
            document = document[part]
        document[last] = value

    return change


def array(name: str, change: Callable[[Any], Any]) -> Callable[[Any, Any], None]:
    def put_array(_: Any, arrays: Any) -> None:
        arrays[name] = np.ascontiguousarray(change(arrays[name]))

    return put_array


def with_one(value: float) -> Callable[[Any], Any]:
    def change(values: Any) -> Any:
        values = values.copy()
        values.flat[0] = value
        return values

    return change


@pytest.mark.parametrize(
    "change",
    [
        put("version", 2),
        put("version", True),
        put("version", None),
        put("backbone", {}),
        put("backbone/name", 3),
        put("backbone/layer", True),
        put("backbone/more", "x"),
        put("identity", 7),
        put("grid", [0, 5]),
        put("grid", [10**6, 10**6]),
        put("grid", [12.0, 16]),
        put("grid", "ab"),
        put("things", []),
        put("things", {}),
        put("things", [{}]),
        put("things/0/name", ""),
        put("things/0/name", "a\nb"),
        put("things/0/name", 5),
        put("things/0/name", "Straße 猫"),
        put("things/0/color", [1, 2]),
        put("things/0/color", [1, 2, 300]),
        put("things/0/settings", {"rule": {"name": "tutorial"}}),
        put("things/0/settings", {"outline": "crayon"}),
        put("things/0/settings", []),
        put("things/0/clicks", []),
        put("things/0/clicks", [[0, 0.5, 0.5, False]]),
        put("things/0/clicks", [[4, 0.5, 0.5, True]]),
        put("things/0/clicks", [[0, 1.5, 0.5, True]]),
        put("things/0/clicks", [[0, 0.5]]),
        put("things/0/clicks", [None]),
        put("things/0/level", [1.0, 0.3]),
        put("things/0/level", [0.3]),
        put("things/0/level", None),
        put("things/0/looks_level", "high"),
        put("things/0/sure_of", [9]),
        put("things/0/sure_of", 1),
        put("images", []),
        put("images", [["0" * 64, 1]]),
        put("images", [["x", 0]]),
        put("images", [["0" * 64]]),
        array("thing.0.codes", lambda a: a[:-1]),
        array("thing.0.codes", lambda a: a[:, :-1]),
        array("thing.0.codes", lambda a: a.astype(np.float16)),
        array("thing.0.codes", with_one(np.nan)),
        array("thing.0.codes", with_one(1e30)),
        array("thing.0.images", with_one(99)),
        array("thing.0.images", with_one(-1)),
        array("thing.0.labels", with_one(0)),
        array("thing.0.labels", with_one(-1)),
        array("thing.0.heights", with_one(np.inf)),
        array("thing.0.heights_elsewhere", lambda a: a[None]),
        array("thing.0.looks", lambda a: a[:0]),
        array("thing.0.looks", lambda a: a[0]),
        array("image.0.numbers", lambda a: a[1:]),
        array("image.0.scales", with_one(np.nan)),
        array("terms.version", lambda a: a + 1),
        array("terms.cut.samples", with_one(np.nan)),
        array("terms.cut.samples", lambda a: a[:, 1:]),
        array("terms.cut.degrees", with_one(0)),
        array("terms.cut.sigma", lambda a: a * 0),
        array("terms.embedder.scales", lambda a: np.ones(40, np.float32)),
        array("terms.embedder.joint", lambda a: a[:, :0]),
        lambda document, arrays: arrays.pop("thing.1.labels"),
        lambda document, arrays: arrays.pop("terms.cut.eigvals"),
        lambda document, arrays: document.pop("grid"),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_refused_with_a_sentence(change):
    with pytest.raises(RecipeError, match=r"^This recipe .*\.$"):
        file.decode(changed(change))


def test_arrays_that_are_not_what_was_written_are_damage():
    with pytest.raises(RecipeError, match="damaged"):
        file.decode(changed(array("thing.0.codes", with_one(0.5)), honest=True))


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_no_byte_can_change_without_being_noticed_or_leaving_a_recipe(place, by):
    broken = bytearray(DATA)
    broken[place] ^= by
    with suppress(RecipeError):
        file.decode(bytes(broken))


@given(st.binary(max_size=400))
def test_whatever_comes_is_a_recipe_or_a_sentence(data):
    with pytest.raises(RecipeError):
        file.decode(data)


@given(st.integers(0, len(DATA) - 1))
def test_the_beginning_of_a_file_is_none(length):
    with pytest.raises(RecipeError):
        file.decode(DATA[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        pickle.dumps({"a": 1}),
        b"\xff" * 64,
        (1 << 62).to_bytes(8, "little") + b"{}",
        save({"a": np.zeros(3, np.float32)}),
        save({"a": np.zeros(3, np.float32)}, {"pointprompt": "[" * 100_000}),
        save({"a": np.zeros(3, np.float32)}, {"pointprompt": "[]"}),
    ],
)
def test_other_files_are_not_taken_for_recipes(data):
    with pytest.raises(RecipeError):
        file.decode(data)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(file, "MAX_BYTES", 1 << 20)
    path = tmp_path / "large.safetensors"
    path.write_bytes(b"\0" * ((1 << 20) + 1))
    with pytest.raises(RecipeError, match="at most 1 MiB"):
        file.read(path)
