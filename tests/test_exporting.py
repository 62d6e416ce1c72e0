"""Things on a set become files, all or none: in a folder, or in one ZIP file."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pointprompt
from pointprompt.formats.format import Options
from pointprompt.settings import Settings
from pointprompt.things import Thing
from tests.recipes import made

CAT = replace(made.CAT, settings=Settings(outline="tokens"))
DOG = Thing("dog", (made.THERE,), Settings(outline="tokens"))


def test_what_is_marked_is_written_and_counted(tmp_path: Path):
    steps = []
    found = pointprompt.export(
        made.analysis(),
        [Thing("nothing"), CAT],
        tmp_path / "out",
        ["png", "csv"],
        progress=steps.append,
    )
    assert found == {"cat": made.N}
    masks = sorted((tmp_path / "out" / "masks").iterdir())
    expected = pointprompt.predict(made.analysis(), CAT.clicks, CAT.settings).masks
    assert len(masks) == made.N
    for path, mask in zip(masks, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)) > 127, mask)
    assert steps[-1].stage == "export"


def test_a_file_that_ends_in_zip_holds_what_a_folder_would(tmp_path: Path):
    for out in ("out", "out.zip"):
        pointprompt.export(made.analysis(), [CAT, DOG], tmp_path / out, ["coco", "png"])
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        for name in archive.namelist():
            there = tmp_path / "out" / name
            assert there.read_bytes() == archive.read(name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.zip"]


def test_what_is_chosen_for_the_files_is_in_them(tmp_path: Path):
    pointprompt.export(
        made.analysis(),
        [CAT, DOG],
        str(tmp_path / "deep" / "out"),
        ["coco"],
        exclusive=True,
        keeps_overlaps=True,
        skipped={0},
        options=Options(coco_polygons=True),
    )
    folder = tmp_path / "deep" / "out"
    said = json.loads((folder / "prompt.json").read_bytes())
    coco = json.loads((folder / "coco.json").read_bytes())
    assert (said["exclusive"], said["keeps_overlaps"]) == (True, True)
    assert len(coco["images"]) == made.N - 1
    assert isinstance(coco["annotations"][0]["segmentation"], list)


def test_nothing_is_left_where_it_could_not_be_written(tmp_path: Path):
    def fail(_: object) -> None:
        raise OSError("The disk is full.")

    for out in ("out", "out.zip"):
        with pytest.raises(OSError, match="full"):
            pointprompt.export(made.analysis(), [CAT], tmp_path / out, ["png"], progress=fail)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", ["out", "out.zip"])
def test_what_is_there_is_not_written_over(tmp_path: Path, out: str):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    (tmp_path / "out.zip").write_text("mine")
    with pytest.raises(ValueError, match="is there already"):
        pointprompt.export(made.analysis(), [CAT], tmp_path / out)
    assert (tmp_path / "out.zip").read_text() == "mine"


def test_nothing_marked_is_a_sentence(tmp_path: Path):
    with pytest.raises(ValueError, match="click a thing first"):
        pointprompt.export(made.analysis(), [Thing("nothing")], tmp_path / "out")
