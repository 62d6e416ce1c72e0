"""A run over a folder: what it writes, and that stopping it anywhere changes nothing."""

from __future__ import annotations

import io
import json
import random
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pointprompt.cli import batch
from pointprompt.cli.batch import Asked, BatchError, Report, run
from pointprompt.formats.registry import FORMATS
from pointprompt.recipes import file as recipe_file
from pointprompt.recipes.applied import Applied
from pointprompt.recipes.recipe import UNLIKE, Recipe
from pointprompt.sources.dataset_rows import DatasetAsked, Rows
from pointprompt.sources.photos import ImageError, read_pixels
from pointprompt.things import Thing
from pointprompt.types import Photo, Prediction
from tests.fake_hub import encoded, parquet, stored
from tests.recipes import made
from tests.videos import write_video

ALL = tuple(name for name, choice in FORMATS.items() if choice.kind.streams)
RECIPE = made.recipe([made.CAT, Thing("dog", (made.THERE,))])


class Killed(BaseException):
    """As if the process were no more: nothing that catches errors catches it."""


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the images that were computed; what is found depends on the image alone."""
    names: list[str] = []

    def apply(
        recipe: Recipe, images: Iterable[Path | bytes], *, names: Iterable[str], **_: Any
    ) -> Iterator[Applied]:
        for index, (path, name) in enumerate(zip(images, names, strict=True)):
            yield found_in(recipe, path, name, index)

    def found_in(recipe: Recipe, path: Path | bytes, name: str, index: int) -> Applied:
        try:
            pixels = read_pixels(path)
        except ImageError as error:
            return Applied(index, name, str(error))
        names.append(name)
        dice = np.random.default_rng(zlib.crc32(pixels.tobytes()))
        predictions = {}
        for thing in recipe.things:
            masks = [dice.random(pixels.shape[:2]) < dice.choice([0, 0.2])]
            heatmaps = dice.random((1, 4, 5), np.float32)
            presence = dice.random(1, np.float32)
            predictions[thing.name] = Prediction(heatmaps, heatmaps > 0.5, presence, masks)
        unlike = UNLIKE if name.startswith("b") else 0.0
        photo = Photo(name, *pixels.shape[:2], b"", path)
        return Applied(index, name, "", photo, predictions, unlike)

    monkeypatch.setattr(batch, "apply", apply)
    return names


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """A run over eight images, of which one cannot be read."""
    folder = tmp_path / "photos"
    (folder / "b").mkdir(parents=True)
    for index in range(7):
        pixels = np.random.default_rng(index).integers(0, 256, (12, 16, 3), np.uint8)
        place = folder / ("b" if index > 4 else "") / f"im-{index}.png"
        Image.fromarray(pixels).save(place)
    (folder / "broken.png").write_text("no image")
    recipe = recipe_file.write(RECIPE, tmp_path / "recipe.safetensors")
    return Asked(recipe, folder, tmp_path / "out", ALL)


def to(asked: Asked, out: Path, **changes: Any) -> Asked:
    return Asked(**{**vars(asked), "out": out, **changes})


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_run_writes_every_format_and_counts(asked: Asked, computed: list[str]):
    report = run(asked)
    files = files_of(asked.out)
    assert (report.images, report.done) == (8, 8)
    assert [one.name for one in report.failed] == ["broken.png"]
    assert report.unlike == ["b/im-5.png", "b/im-6.png"]
    assert computed == ["b-im-5.png", "b-im-6.png", *(f"im-{i}.png" for i in range(5))]
    assert {"coco.json", "summary.csv", "prompt.json", "apply.json", "recipe.safetensors"} <= set(
        files
    )
    assert sum(name.startswith("masks/cat/") for name in files) == 7
    coco = json.loads(files["coco.json"])
    assert len(coco["images"]) == len({image["id"] for image in coco["images"]}) == 7
    in_images = {(a["image_id"], a["category_id"]) for a in coco["annotations"]}
    assert report.found == {
        "cat": sum(category == 1 for _, category in in_images),
        "dog": sum(category == 2 for _, category in in_images),
    }
    said = json.loads(files["apply.json"])["report"]
    assert said["failed"][0]["name"] == "broken.png"
    assert "not an image" in said["failed"][0]["reason"]
    assert len(files["summary.csv"].splitlines()) == 1 + 2 * 7


def test_files_are_there_while_images_come(asked: Asked, computed: list[str]):
    there = []
    run(asked, lambda report: there.append(len(list(asked.out.glob("masks/cat/*.png")))))
    assert there == sorted(there)
    assert there[0] <= 1
    assert there[-1] == 7


def kill_at(monkeypatch: pytest.MonkeyPatch, count: int, after: bool) -> Callable[[], None]:
    """Have the process die as the file with this number gets its name, just before or after."""
    replace, left = Path.replace, [count]

    def dying(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] == 0 and not after:
            raise Killed
        found = replace(self, target)
        if left[0] == 0:
            raise Killed
        return found

    monkeypatch.setattr(Path, "replace", dying)
    return lambda: monkeypatch.setattr(Path, "replace", replace)


def test_killed_at_random_twenty_times_it_gives_what_one_run_gives(
    asked: Asked, computed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    undisturbed = to(asked, tmp_path / "undisturbed")
    run(undisturbed)
    once = len(computed)
    dice = random.Random(0)
    kills = runs = 0
    while kills < 20:
        revive = kill_at(monkeypatch, dice.randint(1, 30), dice.random() < 0.5)
        try:
            run(asked)
        except Killed:
            kills += 1
            continue
        finally:
            revive()
        assert files_of(asked.out) == files_of(undisturbed.out)
        shutil.rmtree(asked.out)
        runs += 1
    report = run(asked)
    assert report.as_dict() == run(undisturbed).as_dict()
    assert files_of(asked.out) == files_of(undisturbed.out)
    # What was found is not computed again, but for the image that was worked on.
    assert len(computed) <= (runs + 2) * once + kills


def test_a_run_that_is_finished_says_the_same_again_and_computes_nothing(
    asked: Asked, computed: list[str]
):
    first = run(asked)
    before, files = len(computed), files_of(asked.out)
    assert run(asked).as_dict() == first.as_dict()
    assert len(computed) == before
    assert files_of(asked.out) == files


def test_an_image_that_changed_is_computed_again(
    asked: Asked, computed: list[str], monkeypatch: pytest.MonkeyPatch
):
    def stop(report: Report) -> None:
        if report.done == 4:
            raise Killed

    with pytest.raises(Killed):
        run(asked, stop)
    Image.new("RGB", (20, 30)).save(asked.images / "im-1.png")
    run(asked)
    mask = np.asarray(Image.open(io.BytesIO(files_of(asked.out)["masks/cat/im-1.png"])))
    assert mask.shape == (30, 20)


def test_other_things_in_the_folder_for_files_are_left_alone(asked: Asked, computed: list[str]):
    asked.out.mkdir()
    (asked.out / "mine.txt").write_text("mine")
    with pytest.raises(BatchError, match="is not empty"):
        run(asked)
    assert files_of(asked.out) == {"mine.txt": b"mine"}


def test_a_run_that_was_stopped_is_not_mixed_with_another_one(asked: Asked, computed: list[str]):
    def stop(_: Report) -> None:
        raise Killed

    with pytest.raises(Killed):
        run(asked, stop)
    with pytest.raises(BatchError, match="another recipe, other images or other options"):
        run(to(asked, asked.out, formats=("png",)))
    run(asked)


def test_what_needs_all_images_at_once_is_refused_before_anything_is_written(
    asked: Asked, computed: list[str]
):
    with pytest.raises(ValueError, match="'sheet' needs all images at once"):
        run(to(asked, asked.out, formats=("png", "sheet")))
    assert not asked.out.exists()


def test_files_may_go_into_the_folder_of_the_images(asked: Asked, computed: list[str]):
    inside = to(asked, asked.images / "out", formats=("png", "overlays"))
    report = run(inside)
    assert report.images == 8
    assert run(inside).images == 8


def test_frames_of_a_video_are_images_too(asked: Asked, computed: list[str], tmp_path: Path):
    video = write_video(tmp_path / "clip.mp4", 7)
    of_video = to(asked, asked.out, images=video, every=3, formats=("png", "overlays", "csv"))

    def stop(report: Report) -> None:
        if report.done == 2:
            raise Killed

    with pytest.raises(Killed):
        run(of_video, stop)
    report = run(of_video)
    assert computed == ["clip-0000.jpg", "clip-0003.jpg", "clip-0006.jpg"]
    assert (report.images, report.failed) == (3, [])
    assert "overlays/clip-0006.jpg" in files_of(asked.out)
    assert not (asked.out / ".pointprompt").exists()


def test_rows_of_a_data_set_are_images_too_and_a_stopped_run_reads_no_row_again(
    asked: Asked, computed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cells = stored(*[encoded(index) for index in range(6)], None, b"no image")
    path = tmp_path / "rows.parquet"
    path.write_bytes(parquet({"image": cells}, {"image": "Image"}, rows_a_group=1))
    of_rows = to(asked, asked.out, images=DatasetAsked(str(path)))
    undisturbed = to(of_rows, tmp_path / "undisturbed")
    report = run(undisturbed)
    assert (report.images, report.done, len(computed)) == (8, 8, 6)
    assert [one.name for one in report.failed] == ["row-000006", "row-000007"]
    assert "row-000002-2.png" in computed

    def stop(report: Report) -> None:
        if report.done == 4:
            raise Killed

    with pytest.raises(Killed):
        run(of_rows, stop)
    skipped = []
    read = Rows.read
    monkeypatch.setattr(
        Rows, "read", lambda self, part, skip: skipped.append(skip) or read(self, part, skip)
    )
    assert run(of_rows).as_dict() == report.as_dict()
    assert skipped == [4]
    assert files_of(asked.out) == files_of(undisturbed.out)
    photos = pq.read_table(asked.out / "dataset/data/train-00000-of-00001.parquet")["image"]
    assert [cell["bytes"] for cell in photos.to_pylist()] == [one["bytes"] for one in cells[:6]]


def test_other_rows_are_another_run(asked: Asked, computed: list[str], tmp_path: Path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(parquet({"image": stored(encoded(0))}))
    run(to(asked, asked.out, images=DatasetAsked(str(path))))
    path.write_bytes(parquet({"image": stored(encoded(0), encoded(1))}))
    with pytest.raises(BatchError, match="is not empty"):
        run(to(asked, asked.out, images=DatasetAsked(str(path))))


def test_what_is_no_folder_and_no_video_is_refused(asked: Asked, computed: list[str]):
    with pytest.raises(BatchError, match="no folder and no video"):
        run(to(asked, asked.out, images=asked.recipe))
