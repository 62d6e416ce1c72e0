"""A short form of `make soak`: the running app under long and hard use."""

from __future__ import annotations

from pathlib import Path

from benchmarks import soak


def test_a_short_soak_loses_crosses_leaks_and_leaves_nothing(tmp_path: Path) -> None:
    figures = soak.run(soak.SHORT, tmp_path)
    assert {name: figures.counts[name] for name in soak.NEVER} == dict.fromkeys(soak.NEVER, 0), (
        figures.problems
    )
    plan = soak.SHORT
    assert figures.counts["clicks answered"] >= plan.clicks
    assert figures.counts["kills"] == plan.kills
    assert figures.counts["messages that no page would send"] == plan.messages
    assert figures.counts["damaged files"] == plan.files
    assert figures.counts["exit code after SIGTERM"] == 0
