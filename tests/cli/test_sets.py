"""A set is a folder that is there whole, and names its images as they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pointprompt.analysis import entry
from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.keys import Conditions
from pointprompt.cli import sets
from pointprompt.cli.sets import SetError
from tests.recipes import made

CONDITIONS = Conditions(made.IDENTITY, 6, 0)


@pytest.fixture
def analysis(tmp_path: Path) -> Analysis:
    """Of files, as the command has them."""
    analysis = made.analysis()
    photos = []
    for photo in analysis.photos:
        path = tmp_path / photo.name
        path.write_bytes(photo.preview)
        photos.append(replace(photo, source=path))
    return replace(analysis, photos=tuple(photos))


def test_a_set_is_read_as_it_was_written(analysis: Analysis, tmp_path: Path):
    sets.write(tmp_path / "deep" / "set", analysis, CONDITIONS)
    again = sets.read(tmp_path / "deep" / "set")
    assert [photo.name for photo in again.photos] == [photo.name for photo in analysis.photos]
    np.testing.assert_array_equal(again.codes, analysis.codes)
    assert [one.name for one in (tmp_path / "deep").iterdir()] == ["set"]


def test_nothing_is_left_where_it_cannot_be_written(
    analysis: Analysis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise OSError("The disk is full.")

    monkeypatch.setattr(entry, "write", full)
    with pytest.raises(OSError, match="full"):
        sets.write(tmp_path / "deep" / "set", analysis, CONDITIONS)
    assert list((tmp_path / "deep").iterdir()) == []


def test_what_is_there_is_not_written_over(analysis: Analysis, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    sets.write(tmp_path / "empty", analysis, CONDITIONS)
    with pytest.raises(ValueError, match="is there already"):
        sets.write(tmp_path / "empty", analysis, CONDITIONS)


def test_a_folder_that_is_no_set_or_damaged_is_a_sentence(analysis: Analysis, tmp_path: Path):
    with pytest.raises(SetError, match="is no set"):
        sets.read(tmp_path)
    folder = tmp_path / "set"
    sets.write(folder, analysis, CONDITIONS)
    (folder / "names.json").write_text(json.dumps(["one"]))
    with pytest.raises(SetError, match="what its images are called"):
        sets.read(folder)
    (folder / "codes.safetensors").write_bytes(b"x")
    with pytest.raises(SetError, match="cannot be read"):
        sets.read(folder)
