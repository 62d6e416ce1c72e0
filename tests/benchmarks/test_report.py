"""Measured tables reach their places in docs/, and every place is there."""

from __future__ import annotations

import re
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.table import Figure, Table

ROOT = Path(__file__).parents[2]
TABLE = Table(["tiles", "ms"], [[12, Figure(70.4, 0)], [100, Figure(123.0, 0, aim=250)]])
TEXT = """# Speed

Before.

<!-- measured: clicks -->
*long ago: `python -m benchmarks.old`*

| old |
|---|
| 1 |
<!-- end -->

Between.

<!-- measured: analyses -->
Kept.
<!-- end -->
"""


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "speed.md").write_text(TEXT, encoding="utf-8")
    (tmp_path / "other.md").write_text("# Nothing\n", encoding="utf-8")
    return tmp_path


def test_a_table_takes_its_place_with_date_machine_and_command(
    docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["speed.py", "--docs", str(docs), "--tiles", "12"])
    monkeypatch.setattr(report, "machine", lambda: "a machine")
    file = report.publish("clicks", TABLE, "python -m benchmarks.speed", docs=docs)
    assert file == docs / "speed.md"
    today = datetime.now(tz=timezone.utc).date()
    assert file.read_text(encoding="utf-8") == TEXT.replace(
        """*long ago: `python -m benchmarks.old`*

| old |
|---|
| 1 |
""",
        f"""*{today}, a machine: `python -m benchmarks.speed DATA --tiles 12`*

| tiles | ms |
|---|---|
| 12 | 70 |
| 100 | 123/250 ok |
""",
    )


def test_publishing_again_changes_nothing_else(docs: Path) -> None:
    report.publish("clicks", TABLE, "make bench", docs=docs)
    once = (docs / "speed.md").read_text(encoding="utf-8")
    report.publish("clicks", TABLE, "make bench", docs=docs)
    assert (docs / "speed.md").read_text(encoding="utf-8") == once
    assert (docs / "other.md").read_text(encoding="utf-8") == "# Nothing\n"


def test_a_table_without_a_place_is_an_error_and_changes_nothing(docs: Path) -> None:
    with pytest.raises(LookupError, match="0 places for the table 'quality'"):
        report.publish("quality", TABLE, "make quality", docs=docs)
    assert (docs / "speed.md").read_text(encoding="utf-8") == TEXT


def test_a_place_that_was_never_ended_swallows_nothing(docs: Path) -> None:
    text = TEXT.replace("<!-- end -->", "", 1)
    (docs / "speed.md").write_text(text, encoding="utf-8")
    with pytest.raises(LookupError):
        report.publish("clicks", TABLE, "make bench", docs=docs)
    assert (docs / "speed.md").read_text(encoding="utf-8") == text


def test_a_name_that_stands_twice_is_an_error(docs: Path) -> None:
    (docs / "other.md").write_text(TEXT, encoding="utf-8")
    with pytest.raises(LookupError, match="2 places"):
        report.publish("clicks", TABLE, "make bench", docs=docs)


def test_every_table_that_a_benchmark_publishes_has_its_place_and_no_place_is_left_over() -> None:
    published = [
        name
        for file in (ROOT / "benchmarks").glob("*.py")
        for name in re.findall(r'(?:publish|show)\(\s*"([^"]+)"', file.read_text(encoding="utf-8"))
    ]
    places = [
        name
        for file in report.DOCS.rglob("*.md")
        for name in re.findall(r"<!-- measured: (.+?) -->", file.read_text(encoding="utf-8"))
    ]
    assert sorted(places) == sorted(published)
    assert len(published) > 5


def test_a_table_as_text_is_set_right() -> None:
    assert str(TABLE) == "tiles          ms\n   12          70\n  100  123/250 ok"
