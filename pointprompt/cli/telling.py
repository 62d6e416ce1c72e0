"""What the command says: progress on standard error, results on standard output or as JSON.

Knows terminals. Does not know what is done.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol

from pointprompt.types import Progress

_STAGES = {
    "download": "Downloading the weights",
    "read": "Reading images",
    "frames": "Reading frames",
    "features": "Computing features",
    "cut": "Cutting",
    "colors": "Colouring",
    "export": "Writing files",
    "upload": "Uploading MB",
    "commit": "Committing",
}
_SHOWN = 20


class Bar(Protocol):
    """Where progress is told."""

    def tell(self, progress: Progress) -> None:
        """Say how far a stage has come."""

    def images(self, done: int, total: int | None, failed: int) -> None:
        """Say how many images are done, of how many if that is known."""


class _Silent:
    def tell(self, progress: Progress) -> None: ...

    def images(self, done: int, total: int | None, failed: int) -> None: ...


class _Rich:
    """A line with a bar, the rate, the time left, and how many images failed."""

    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._task: Any = None
        self._stage = ""

    def tell(self, progress: Progress) -> None:
        """See `Bar`."""
        self._show(_STAGES.get(progress.stage, progress.stage), progress.done, progress.total, "")

    def images(self, done: int, total: int | None, failed: int) -> None:
        """See `Bar`."""
        self._show("Masking", done, total, f"{failed} failed" if failed else "")

    def _show(self, stage: str, done: int, total: int | None, failed: str) -> None:
        if stage != self._stage:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._task, self._stage = self._bars.add_task(stage, total=total, failed=""), stage
        self._bars.update(self._task, completed=done, total=total, failed=failed)


@contextmanager
def bar(wanted: bool = True) -> Iterator[Bar]:
    """Where progress is told for as long as the block lasts: nowhere if nobody looks."""
    if not wanted or not sys.stderr.isatty():
        yield _Silent()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Rate(ProgressColumn):
        """How many a second."""

        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("[red]{task.fields[failed]}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Rich(bars)


def say(document: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    """Print a result: the document, or lines for people."""
    if as_json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        print(*lines, sep="\n")


def some(lines: list[str]) -> list[str]:
    """The first of many lines, and how many more there are."""
    more = len(lines) - _SHOWN
    return lines if more <= 0 else [*lines[:_SHOWN], f"  and {more} more"]


def refuse(sentence: str, *, as_json: bool, status: int = 2) -> NoReturn:
    """End the command with what is wrong.

    Raises:
        SystemExit: With the status.
    """
    if as_json:
        print(json.dumps({"error": sentence}, ensure_ascii=False))
    print(f"pointprompt: {sentence}", file=sys.stderr)
    raise SystemExit(status)
