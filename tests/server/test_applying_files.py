from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from pointprompt.analysis.analysis import Computed
from pointprompt.server.applying_files import InTurn, Report, Runs
from tests.server.test_service import REQUEST, SIDE, ColorEngine, no_tsne

__all__ = ["no_tsne"]

PATIENCE = 30


def test_only_what_is_heavy_waits_for_its_turn():
    turns: list[str] = []

    def in_turn(work) -> Computed:
        turns.append("begun")
        return work()

    engine = InTurn(ColorEngine(), in_turn)
    assert engine.prepare(REQUEST) == ColorEngine().prepare(REQUEST)
    assert engine.identity(REQUEST) == "colors"
    assert not turns
    frames = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    assert engine.compute(frames, REQUEST).codes.shape[0] == 2
    assert turns == ["begun"]


def test_masks_of_a_run_go_after_their_time(tmp_path: Path):
    folder = tmp_path / "run"
    folder.mkdir()
    before = set(threading.enumerate())
    Runs(seconds=0.01).keep(folder)
    for timer in set(threading.enumerate()) - before:
        timer.join(PATIENCE)
    assert not folder.exists()


def test_of_many_runs_the_oldest_go(tmp_path: Path):
    runs = Runs(seconds=3600, most=2)
    folders = [tmp_path / str(number) for number in range(3)]
    for folder in folders:
        folder.mkdir()
        runs.keep(folder)
    assert [folder.exists() for folder in folders] == [False, True, True]


def test_a_report_is_json():
    assert Report(2, {"cat": 1}).as_dict() == {
        "images": 2,
        "found": {"cat": 1},
        "failed": [],
        "unlike": [],
    }
