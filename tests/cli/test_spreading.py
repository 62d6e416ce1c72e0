"""A run on Ray leaves the files of a run without it, byte for byte."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image as Pictures

from pointprompt import on_ray
from pointprompt.cli import spreading
from pointprompt.cli.batch import Asked, BatchError, Report, run
from pointprompt.cli.images import Image
from pointprompt.cli.spreading import Spread
from pointprompt.formats.registry import FORMATS
from pointprompt.on_ray import RayError
from pointprompt.pipeline import analyze, make_recipe
from pointprompt.recipes import file as recipe_file
from pointprompt.sources.dataset_rows import DatasetAsked, Row
from pointprompt.sources.hub.remote import DatasetError
from pointprompt.things import Thing
from pointprompt.types import Click
from tests.cli.test_batch import files_of, to
from tests.fake_hub import parquet
from tests.test_pipeline import BACKBONE, scene

ALL = tuple(name for name, choice in FORMATS.items() if choice.kind.streams)
PLACES = [((0.25, 0.5), (0.75, 0.5)), ((0.7, 0.6), (0.25, 0.4))]


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that both workers have something to do."""
    monkeypatch.setattr(on_ray, "BATCH", 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes in photos/, one of them no image; the same in two parquet files; and a recipe."""
    folder = tmp_path_factory.mktemp("spread")
    (folder / "photos").mkdir()
    for index in range(14):
        pixels = np.roll(scene((120, 160), *PLACES[index % 2]).pixels, index, axis=1)
        Pictures.fromarray(pixels).save(folder / "photos" / f"{index}.png")
    files = sorted((folder / "photos").iterdir())
    thing = Thing("striped", (Click(0, 0.25, 0.5),))
    made = make_recipe(analyze(files[:2], backbone=BACKBONE, device="cpu"), [thing], device="cpu")
    recipe_file.write(made, folder / "recipe.safetensors")
    cells: list[dict[str, Any]] = [{"bytes": f.read_bytes(), "path": f.name} for f in files[:10]]
    cells[3] = {"bytes": None, "path": "/etc/hostname"}
    cells[7] = {"bytes": b"no image", "path": "broken.png"}
    for number, some in enumerate((cells[:5], cells[5:])):
        data = parquet({"image": some}, {"image": "Image"}, rows_a_group=2)
        (folder / f"rows-{number}.parquet").write_bytes(data)
    (folder / "photos" / "13.png").write_text("no image")
    return folder


def asked(folder: Path, images: Path | DatasetAsked, out: str) -> Asked:
    recipe = folder / "recipe.safetensors"
    return Asked(recipe, images, folder / out, ALL, device="cpu")


def on_two(asked: Asked) -> Asked:
    return to(asked, asked.out.with_name(f"{asked.out.name}-ray"), spread=Spread(2))


def workers() -> Iterator[psutil.Process]:
    """The processes of Ray's workers that this one has started."""
    for process in psutil.Process().children(recursive=True):
        if "MapWorker" in " ".join(process.cmdline()):
            yield process


def test_a_run_on_two_workers_of_which_one_is_killed_leaves_the_same_files(
    ray_here: None, folder: Path
):
    plain = asked(folder, folder / "photos", "plain")
    expected = run(plain)
    killed, told = [], []

    def tell(report: Report) -> None:
        told.append((report.images, report.done))
        if not killed:
            victim = next(workers())
            killed.append(victim.pid)
            victim.kill()

    report = run(on_two(plain), tell)
    assert len(killed) == 1
    assert report.as_dict() == expected.as_dict()
    assert [one.name for one in report.failed] == ["13.png"]
    assert report.found["striped"] == 13
    assert told[0][0] == told[-1][1] == 14
    assert files_of(on_two(plain).out) == files_of(plain.out)


def test_a_data_set_is_read_and_written_by_workers_too(ray_here: None, folder: Path):
    rows = DatasetAsked(str(folder / "rows-*.parquet"))
    plain = asked(folder, rows, "rows")
    expected = run(plain)
    report = run(on_two(plain))
    assert report.as_dict() == expected.as_dict()
    assert (report.images, len(report.failed)) == (10, 2)
    assert [one.name for one in report.failed] == ["row-000-000003", "row-001-000002"]
    files = files_of(on_two(plain).out)
    assert files == files_of(plain.out)
    said = json.loads(files["prompt.json"])["images"]
    assert said[0]["name"] == "row-000-000000-0.png"
    assert len(said) == 8


def test_what_is_done_is_not_sent_out_again(
    ray_here: None, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    plain = asked(folder, folder / "photos", "stopped")

    def stop(report: Report) -> None:
        if report.done == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(plain, stop)
    sent = []

    def apply(recipe: Any, images: Any, keep: Any, **_: Any) -> Iterator[dict[str, Any]]:
        for row in images.iter_rows():
            sent.append(Path(row["image"]).name)
            yield {"path": row["path"], "reason": "It is no image."}

    monkeypatch.setattr(spreading.on_ray, "apply", apply)
    report = run(to(plain, plain.out, spread=Spread(2)))
    # The one that cannot be read is tried again, and one was not kept yet.
    assert "13.png" in sent
    assert len(sent) <= 2
    assert report.failed[-1].name == "13.png"


def test_of_an_image_that_no_worker_kept_nothing_is_made_up(
    ray_here: None, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(spreading.on_ray, "apply", lambda *_, **__: iter(()))
    with pytest.raises(BatchError, match="is not the same folder on all computers"):
        run(on_two(asked(folder, folder / "photos", "lost")))


def test_a_worker_is_told_all_of_an_image_or_what_ends_the_work():
    for image in (
        Image(Path("/a/b.png"), "key", "b.png", "a-b.png"),
        Image(Path("/rows/row-1"), "key", "row-1", "row-1-a.png", Row("", b"")),
    ):
        assert spreading._image(spreading._said(image)) == image
    with pytest.raises(DatasetError, match="It is damaged"):
        spreading._image(spreading._said(spreading._NO_IMAGE, "It is damaged."))


def test_a_name_that_ray_cannot_be_told_is_a_sentence():
    with pytest.raises(RayError, match=r"is not in UTF-8\. Rename it"):
        spreading._table([{"path": os.fsdecode(b"\xff.png")}])


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(RayError, match=r"pip install 'pointprompt\[ray\]'"), spreading._running():
        raise AssertionError
