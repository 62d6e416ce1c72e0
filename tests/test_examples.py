"""The examples in docs/examples run as they stand, and find what is known to be there."""

from __future__ import annotations

import csv
import runpy
import sys
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
import supervision
from PIL import Image

from pointprompt.recipes.file import read
from tests.videos import write_video

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "docs" / "examples"
NOTEBOOK = EXAMPLES / "tutorial.ipynb"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs an example as a person does; the folder it wrote."""

    def run_example(name, *arguments):
        out = tmp_path / "out"
        monkeypatch.setattr(sys, "argv", [name, str(out), *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return out

    return run_example


@cache
def of_assets(name):
    return runpy.run_path(str(ROOT / "assets" / f"{name}.py"))


def truth(thing, tables=range(1, 7)):
    """Where a thing is on the drawn tables, as what drew them knows it."""
    return [of_assets("draw_examples")["true_mask"](table, thing) for table in tables]


def iou(mask, other):
    either = (mask | other).sum()
    return (mask & other).sum() / either if either else 1.0


def mask_in(path):
    with Image.open(path) as image:
        return np.array(image.convert("L")) > 127


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_example_is_in_the_index_and_is_run_here():
    index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")
    for path in EXAMPLES.iterdir():
        if path.suffix == ".py":
            assert f"]({path.name})" in index
            assert f'run("{path.stem}"' in here


def test_one_click_finds_the_cat_in_both_photos_of_it_and_in_no_other(run):
    out = run("one_click")
    found = {path.stem: mask_in(path).mean() for path in out.iterdir()}
    assert len(found) == 5
    assert {name for name, share in found.items() if share} == {"cat", "cat-closer"}
    assert found["cat-closer"] > found["cat"] > 0.2


def test_one_click_in_a_folder_writes_a_mask_for_each_image_there(run, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, color in (("a", "red"), ("b", "blue"), ("c", "red")):
        image = Image.new("RGB", (90, 60), "white")
        image.paste(color, (20, 10, 70, 50))
        image.save(folder / f"{name}.png")
    out = run("one_click", folder)
    masks = {path.stem: mask_in(path) for path in out.iterdir()}
    assert {name: mask.shape for name, mask in masks.items()} == dict.fromkeys("abc", (60, 90))
    assert masks["a"][30, 45]
    assert np.array_equal(masks["a"], masks["c"])


def test_a_recipe_finds_the_cat_in_six_views_and_not_in_a_motorcycle(run):
    out = run("recipe_on_folder")
    rows = {row["image"]: row for row in rows_of(out / "presence.csv")}
    cats = {name for name in rows if name.startswith("cat")}
    assert (len(rows), len(cats)) == (10, 6)
    for name, row in rows.items():
        assert (float(row["presence"]) > 0.9) == (name in cats)
        assert (float(row["share"]) > 0.2) == (name in cats)
        assert (row["unlike"] == "True") == (name not in cats)
    cat, mirrored = (mask_in(out / f"{name}.png") for name in ("cat", "cat-mirrored"))
    assert iou(cat[:, ::-1], mirrored) > 0.9
    assert [thing.name for thing in read(out / "cat.safetensors").things] == ["cat"]


def test_a_recipe_on_a_folder_says_of_a_file_that_it_cannot_be_read(run, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "broken.jpg").write_text("no image")
    (row,) = rows_of(run("recipe_on_folder", folder) / "presence.csv")
    assert row["image"] == "broken.jpg"
    assert row["problem"].endswith(".")


def test_several_things_are_found_where_they_are_and_nowhere_else(run):
    out = run("several_things")
    for thing, least in (("orange", 0.9), ("red ball", 0.8)):
        with np.load(out / f"{thing}.npz") as arrays:
            assert arrays["masks"].shape == (6, 384, 512)
            assert arrays["heatmaps"].ndim == 3
            assert arrays["presence"].shape == (6,)
            for mask, true in zip(arrays["masks"], truth(thing), strict=True):
                assert mask.any() == true.any()
                assert iou(mask, true) > least


def test_going_on_from_a_recipe_finds_the_oranges_of_other_tables(run, capsys):
    out = run("go_on")
    first, better = (read(out / f"{name}.safetensors") for name in ("first", "better"))
    assert len(first.things[0].clicks) == 3
    assert len(better.things[0].clicks) == 5
    shares = [100 * mask.mean() for mask in truth("orange", (5, 6))]
    *_, before, after = capsys.readouterr().out.splitlines()
    found = [float(share) for share in after.replace("%", "").split("'")[1::2]]
    assert before.startswith("first")
    assert found == pytest.approx(shares, rel=0.05)


def test_corrections_stay_where_they_were_made(run):
    masks = {path.stem: mask_in(path) for path in run("corrections").iterdir()}
    assert np.array_equal(masks["corrected-0"], masks["clicks-0"])
    assert not masks["corrected-1"].any()
    height, width = masks["clicks-2"].shape
    nose, eye = (int(0.7 * height), int(0.42 * width)), (int(0.31 * height), int(0.68 * width))
    assert (masks["clicks-2"][nose], masks["corrected-2"][nose]) == (True, False)
    assert masks["corrected-2"][eye]
    for image in range(3):
        assert np.array_equal(masks[f"larger-{image}"], masks[f"corrected-{image}"])
    assert masks["larger-3"].any()
    assert masks["larger-4"].any()


def test_a_video_is_followed_where_a_ball_goes(run, tmp_path):
    rows, columns = np.mgrid[:120, :160]
    middles = [40 + 4 * number for number in range(21)]
    frames = []
    for x in middles:
        frame = np.full((120, 160, 3), (60, 110, 60), np.uint8)
        frame[(rows - 60) ** 2 + (columns - x) ** 2 < 20**2] = (230, 60, 40)
        frames.append(frame)
    out = run("video", write_video(tmp_path / "clip.mp4", frames), 0.25, 0.5)
    track = rows_of(out / "track.csv")
    assert [row["frame"] for row in track] == [f"clip-{n:04d}" for n in range(0, 21, 5)]
    for row, x in zip(track, middles[::5], strict=True):
        assert float(row["x"]) == pytest.approx((x + 0.5) / 160, abs=0.02)
        assert float(row["y"]) == pytest.approx(60.5 / 120, abs=0.02)


def test_supervision_opens_the_oranges_as_coco(run, capsys):
    out = run("coco_supervision")
    said = capsys.readouterr().out.splitlines()
    for line, table, true in zip(said, range(1, 7), truth("orange"), strict=True):
        assert line == f"table-{table}.png: {int(true.any())} of ['orange']"
    with Image.open(out / "drawn.jpg") as drawn:
        assert drawn.size == (3 * 512, 2 * 384)


def test_supervision_reads_the_yolo_data_set_with_an_orange_a_region(run):
    place = run("yolo_dataset") / "masks" / "yolo"
    data = supervision.DetectionDataset.from_yolo(
        str(place / "images"), str(place / "labels"), str(place / "data.yaml"), force_masks=True
    )
    assert data.classes == ["orange"]
    found = {Path(path).stem: detections for path, _, detections in data}
    for table, true in enumerate(truth("orange"), start=1):
        masks = found[f"table-{table}"].mask
        assert len(found[f"table-{table}"]) == true.any()
        if true.any():
            assert iou(masks[0].astype(bool), true) > 0.9


# --- The notebook --------------------------------------------------------------------------------


def said(notebook, cell_id):
    """What a cell printed."""
    (cell,) = (cell for cell in notebook.cells if cell.id == cell_id)
    return "".join(one.text for one in cell.outputs if one.get("name") == "stdout").splitlines()


@pytest.mark.parametrize("kept", [True, False], ids=["as it is kept", "run again"])
def test_the_notebook_redoes_the_tutorial(kept):
    notebook = (
        nbformat.read(NOTEBOOK, nbformat.NO_CONVERT)
        if kept
        else of_assets("run_notebook")["ran"](NOTEBOOK)
    )
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert said(notebook, "frames") == ["(5, 416, 640, 3) uint8"]
    assert said(notebook, "features") == ["(5, 52, 80, 432)"]
    assert said(notebook, "cut")[0] == "(5, 52, 80, 30)"
    assert said(notebook, "at-once") == ["True True", "(5, 52, 80, 32)"]
    assert said(notebook, "click")[0] == "predict gives the same: True"
    for cell_id in ("click", "clicks", "ours-clicks"):
        assert said(notebook, cell_id)[-1] == "found in cat.png cat-closer.png"
    assert said(notebook, "left-out")[1] == "ours: 0 of 8320 tokens change"
    assert not said(notebook, "left-out")[0].startswith("tutorial's: 0 ")
    pictures = [one for cell in code for one in cell.outputs if "image/jpeg" in one.get("data", {})]
    assert len(pictures) == 7


def test_the_notebook_is_small_and_says_nothing_of_where_it_ran():
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 600_000
    assert "site-packages" not in text
    assert '"stderr"' not in text
