"""`make quality` from a folder to its tables, on two drawn sets with the built-in backbone."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import discs, quality
from benchmarks.peers import cosine
from benchmarks.robust import disc_scene
from benchmarks.table import Table


@pytest.fixture
def folder(tmp_path):
    sets = []
    for seed, kind in ((1, "class"), (2, "part")):
        scene = disc_scene(seed)
        Image.fromarray(scene.pixels).save(tmp_path / f"{kind}.png")
        Image.fromarray(np.uint8(255) * scene.truth).save(tmp_path / f"{kind}_mask.png")
        files = {"images": [f"{kind}.png"], "masks": [f"{kind}_mask.png"]}
        sets.append({"name": kind, "kind": kind, **files})
    (tmp_path / "manifest.json").write_text(json.dumps({"sets": sets}))
    return tmp_path


@pytest.fixture
def printed(folder, monkeypatch, capsys):
    monkeypatch.setattr(discs, "measured", lambda model, seeds: Table(["seeds"], [[len(seeds)]]))
    # It takes seconds a click, and has tests of its own.
    monkeypatch.setattr(quality, "ncut_clicks", cosine)
    monkeypatch.setattr(sys, "argv", ["quality", str(folder), "--peers", "1"])
    quality.main()
    return capsys.readouterr().out


def test_everything_is_measured_in_one_run(printed):
    assert "2 sets, efficientnet_lite0, 512 pixels." in printed
    for name in (
        "Mean IoU after clicks:",
        "by kind of set:",
        "by size of the thing",
        "ours, threshold set once",
        "best size",
        "true tokens, outline photo",
        "best linear rule on features",
        "missed image",
        "All rules on 1 of the sets",
        "random forest",
        "ncut-pytorch 3's clicks",
        "Drawn discs",
    ):
        assert name in printed, name
    (row,) = (line for line in printed.splitlines() if "best linear rule on features" in line)
    assert float(row.split()[5]) > 0.9
