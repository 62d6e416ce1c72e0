"""What is kept of an image is a record and its own files, whichever process keeps it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from pointprompt.cli.images import Image
from pointprompt.cli.journal import Record
from pointprompt.cli.keeping import Files, Keeper
from pointprompt.formats.format import DEFAULT_OPTIONS
from pointprompt.recipes.applied import Applied
from pointprompt.sources.dataset_rows import Row
from pointprompt.types import Photo, Prediction
from tests.fake_hub import encoded
from tests.recipes import made

DATA = encoded(0, 12)


def files(out: Path, *formats: str) -> Files:
    return Files(out, formats, DEFAULT_OPTIONS, False)


def of_row(out: Path) -> Image:
    return Image(out / ".pointprompt" / "rows" / "row-1", "1", "row-1", "row-1.png", Row("", DATA))


def applied() -> Applied:
    dice = np.random.default_rng(0)
    heatmaps = dice.random((1, 4, 5), np.float32)
    found = Prediction(heatmaps, heatmaps > 0.5, dice.random(1), [dice.random((12, 12)) < 0.5])
    return Applied(0, "row-1.png", "", Photo("row-1.png", 12, 12, b"x", DATA), {"cat": found})


def keeper(out: Path, *formats: str) -> Keeper:
    out.mkdir()
    (out / ".pointprompt").mkdir()
    return Keeper(files(out, *formats), made.recipe())


def test_its_own_files_are_written_and_then_its_record(tmp_path: Path):
    kept = keeper(tmp_path / "out", "png", "overlays", "coco")
    image = of_row(tmp_path / "out")
    assert not kept.is_done(image)
    record = kept.keep(applied(), image)
    assert isinstance(record, Record)
    assert record.written.files == ("masks/row-1.png", "overlays/row-1.jpg")
    assert (tmp_path / "out" / "masks" / "row-1.png").is_file()
    again = kept.record(image)
    assert isinstance(again, Record)
    assert again.written == record.written
    assert again.photo.source == of_row(tmp_path / "out").path
    np.testing.assert_array_equal(again.mask(0), applied().masks["cat"])


@pytest.mark.parametrize(("name", "is_kept"), [("coco", False), ("parquet", True)])
def test_what_a_row_holds_is_kept_where_it_is_needed_again(
    tmp_path: Path, name: str, is_kept: bool
):
    image = of_row(tmp_path / "out")
    keeper(tmp_path / "out", name).keep(applied(), image)
    assert image.path.exists() is is_kept
    assert not is_kept or image.path.read_bytes() == DATA


def test_it_may_be_sent_to_another_process_whatever_it_has_kept(tmp_path: Path):
    kept = keeper(tmp_path / "out", "png")
    kept.keep(applied(), of_row(tmp_path / "out"))
    sent = pickle.loads(pickle.dumps(kept))
    assert sent.is_done(of_row(tmp_path / "out"))
    assert sent.keep(applied(), of_row(tmp_path / "out")).written.files == ("masks/row-1.png",)


def test_why_there_is_nothing_is_remembered_of_a_row_and_not_of_a_file(tmp_path: Path):
    kept = keeper(tmp_path / "out", "png")
    failed = Applied(0, "a.png", "It is damaged.")
    file = Image(tmp_path / "a.png", "1", "a.png", "a.png")
    assert kept.keep(failed, of_row(tmp_path / "out")) == "It is damaged."
    assert kept.keep(failed, file) == "It is damaged."
    assert kept.record(of_row(tmp_path / "out")) == "It is damaged."
    assert kept.record(file) is None
