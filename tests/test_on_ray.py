"""What workers of Ray find is what one process finds, whatever Ray reads the images from."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pointprompt
from pointprompt import on_ray
from pointprompt.applying import apply
from pointprompt.on_ray import RayError
from pointprompt.pipeline import analyze, make_recipe
from pointprompt.recipes import file as recipe_file
from pointprompt.recipes.applied import Applied
from pointprompt.recipes.recipe import Recipe
from pointprompt.things import Thing
from pointprompt.types import Click
from tests.test_pipeline import BACKBONE, scene

STRIPED = Thing("striped", (Click(0, 0.25, 0.5), Click(1, 0.25, 0.4, positive=False)))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Scenes, no two alike, and a file that is no image."""
    folder = tmp_path_factory.mktemp("scenes")
    dice = np.random.default_rng(0)
    paths = []
    for index in range(12):
        left, right = dice.uniform(0.2, 0.3, 2), dice.uniform(0.7, 0.8, 2)
        paths.append(folder / f"{index:03}.jpg")
        Image.fromarray(scene((120, 160), tuple(left), tuple(right)).pixels).save(paths[-1])
    paths[5].write_text("no image")
    return paths


@pytest.fixture(scope="module")
def recipe(files: list[Path]) -> Recipe:
    return make_recipe(analyze(files[:3], backbone=BACKBONE, device="cpu"), [STRIPED], device="cpu")


@pytest.fixture(scope="module")
def expected(files: list[Path], recipe: Recipe) -> dict[str, bytes]:
    """What one process finds: the bits of the mask, by the name of the image."""
    return {one.name: bits_of(one) for one in apply(recipe, files, device="cpu")}


def bits_of(one: Applied) -> bytes:
    return np.packbits(one.masks["striped"]).tobytes() if one.photo else b""


def test_two_workers_find_what_one_process_finds(
    ray_here: None,
    files: list[Path],
    recipe: Recipe,
    expected: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
):
    import ray.data

    def keep(applied: Applied, row: dict[str, Any]) -> dict[str, Any]:
        bits = np.packbits(applied.masks["striped"]).tobytes() if applied.photo else b""
        return {"name": applied.name, "bits": bits, "worker": os.getpid(), **row}

    monkeypatch.setattr(on_ray, "BATCH", 3)
    rows = [{"image": str(path), "number": number} for number, path in enumerate(files)]
    images = ray.data.from_items(rows, override_num_blocks=4)
    found = list(pointprompt.apply_on_ray(recipe, images, keep, workers=2, device="cpu"))
    assert {row["name"]: row["bits"] for row in found} == expected
    assert sorted(row["number"] for row in found) == list(range(len(files)))
    assert len({row["worker"] for row in found}) == 2


def worker(recipe: Recipe, column: str = "image") -> Any:
    import ray

    return on_ray._Worker(ray.put(recipe_file.encode(recipe)), None, column, "cpu", None)


def batch_of(images: Any) -> Any:
    (batch,) = images.iter_batches(batch_format="pyarrow", batch_size=None)
    return batch


def found_in(rows: list[dict[str, Any]]) -> dict[str, bytes]:
    """The bits of the mask, by the name of the image."""
    bits = {}
    for row in rows:
        masks = [Image.open(io.BytesIO(thing["mask"])) for thing in row["things"]]
        bits[row["name"]] = b"".join(np.packbits(np.asarray(one) > 0).tobytes() for one in masks)
    return bits


def test_files_parquet_and_data_sets_are_read_as_ray_reads_them(
    ray_here: None, files: list[Path], recipe: Recipe, expected: dict[str, bytes], tmp_path: Path
):
    import datasets
    import ray.data

    some = files[3:7]
    cells = [{"bytes": path.read_bytes(), "path": path.name} for path in some]
    features = datasets.Features({"image": datasets.Image()})
    data = datasets.Dataset.from_dict({"image": cells}, features=features)
    data.to_parquet(str(tmp_path / "rows.parquet"))
    binary = ray.data.read_binary_files([str(path) for path in some], include_paths=True)
    for column, images in (
        ("bytes", binary.repartition(1)),
        ("image", ray.data.read_parquet(str(tmp_path / "rows.parquet"))),
        ("image", ray.data.from_huggingface(data)),
    ):
        rows = worker(recipe, column)(batch_of(images)).to_pylist()
        assert found_in(rows) == {path.name: expected[path.name] for path in some}
        assert [row["reason"] != "" for row in rows].count(True) == 1


def test_rows_are_of_one_kind_whatever_is_in_them(ray_here: None, recipe: Recipe):
    import pyarrow as pa

    some = worker(recipe)(pa.table({"image": [b"no image", b"none"], "name": ["a", None]}))
    assert some.schema == on_ray._schema()
    assert some["name"].to_pylist() == ["a", "image-002.png"]


def test_what_a_worker_cannot_do_at_all_is_a_sentence(ray_here: None, recipe: Recipe):
    import pyarrow as pa
    import ray.data

    other = replace(recipe, identity=f"{recipe.identity[:-64]}{'0' * 64}")
    said = worker(other)(pa.table({"image": [b"no image"]}))
    with pytest.raises(RayError, match="not those that the recipe was made with"):
        list(on_ray._said(ray.data.from_arrow(said)))


@pytest.mark.parametrize(
    ("there", "asked", "sized"),
    [
        ({"CPU": 8.0}, (None, None), (7, 0.0)),
        ({"CPU": 1.0}, (None, None), (1, 0.0)),
        ({"CPU": 8.0}, (3, None), (3, 0.0)),
        ({"CPU": 64.0, "GPU": 4.0}, (None, None), (4, 1.0)),
        ({"CPU": 64.0, "GPU": 4.0}, (None, 0.5), (8, 0.5)),
        ({"CPU": 6.0, "GPU": 4.0}, (None, 0.5), (6, 0.5)),
        ({"CPU": 64.0, "GPU": 4.0}, (None, 0.0), (63, 0.0)),
    ],
)
def test_there_are_as_many_workers_as_there_is_room_for(there, asked, sized):
    assert on_ray._sized(there, *asked) == sized


@pytest.mark.parametrize(
    ("there", "asked", "says"),
    [
        ({"CPU": 2.0}, (3, None), "room for 2 workers, not for 3"),
        ({"CPU": 2.0}, (None, 1.0), "room for 0 workers, not for 1"),
        ({"CPU": 2.0}, (0, None), "at least one worker"),
        ({"CPU": 2.0}, (1, -1.0), "at least one worker"),
    ],
)
def test_what_ray_would_wait_for_for_ever_is_refused(there, asked, says):
    with pytest.raises(RayError, match=says):
        on_ray._sized(there, *asked)


def test_without_ray_it_says_what_to_do(recipe: Recipe, monkeypatch: pytest.MonkeyPatch):
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(RayError, match=r"call ray.init\(\) first"):
        list(on_ray.apply(recipe, None))  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(RayError, match=r"pip install 'pointprompt\[ray\]'"):
        list(on_ray.apply(recipe, None))  # type: ignore[arg-type]
