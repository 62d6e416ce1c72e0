"""A short form of `make soak`: the running app under long and hard use."""

from __future__ import annotations

from pathlib import Path

from benchmarks import soak
from benchmarks.plan import NEVER, SHORT


def test_a_short_soak_loses_crosses_leaks_and_leaves_nothing(tmp_path: Path) -> None:
    figures = soak.run(SHORT, tmp_path)
    assert {name: figures.counts[name] for name in NEVER} == dict.fromkeys(NEVER, 0), (
        figures.problems
    )
    assert figures.counts["clicks answered"] >= SHORT.clicks
    assert figures.counts["kills"] == SHORT.kills
    assert figures.counts["messages that no page would send"] == SHORT.messages
    assert figures.counts["damaged files"] == SHORT.files
    assert figures.counts["exit code after SIGTERM"] == 0
