"""Measured tables -> the places in docs/ that are kept for them.

A place begins with `<!-- measured: NAME -->` and ends with `<!-- end -->`, in one file of docs/. It
also says when, where and by which command its table was measured. Knows nothing of what that was.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.table import Table

DOCS = Path(__file__).parent.parent / "docs"
_OPTION = "--docs"


def add_option(parser: argparse.ArgumentParser) -> None:
    """Let a command be asked to publish what it measures."""
    parser.add_argument(_OPTION, action="store_true", help="write the tables into docs/ as well")


def show(name: str, title: str, table: Table, *, prog: str, docs: bool) -> None:
    """Print a table under its title, and publish it where that was asked for."""
    print(f"\n{title}\n{table}", flush=True)
    if docs:
        publish(name, table, prog)


def publish(name: str, table: Table, prog: str, *, docs: Path = DOCS) -> Path:
    """Put a table in its place, instead of the one that was there; returns the file.

    Args:
        name: Of the place.
        table: What was measured.
        prog: The command without its arguments, which are taken from the command line.
        docs: The folder with the files.

    Raises:
        LookupError: No file has such a place, or more than one place has this name.
    """
    # Up to the first end, and over no other place's beginning.
    place = re.compile(
        rf"(<!-- measured: {re.escape(name)} -->\n)(?:(?!<!-- ).)*(<!-- end -->)", re.DOTALL
    )
    found = [
        (file, match)
        for file in sorted(docs.rglob("*.md"))
        for match in place.finditer(file.read_text(encoding="utf-8"))
    ]
    if len(found) != 1:
        raise LookupError(f"docs/ has {len(found)} places for the table {name!r}, not one.")
    ((file, match),) = found
    today = datetime.datetime.now(tz=datetime.timezone.utc).date()
    note = f"*{today}, {machine()}: `{_command(prog, sys.argv[1:])}`*"
    text = f"{match[1]}{note}\n\n{table.markdown()}\n{match[2]}"
    whole = match.string
    file.write_text(whole[: match.start()] + text + whole[match.end() :], encoding="utf-8")
    return file


def machine() -> str:
    """What computes here, and how busy it is."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    python, torch = platform.python_version(), metadata.version("torch")
    return f"{os.cpu_count()} cores, load average {load}, Python {python}, torch {torch}"


def _command(prog: str, arguments: Sequence[str]) -> str:
    """The command as anyone can repeat it: what lies on this computer is DATA."""
    shown = ["DATA" if Path(one).exists() else one for one in arguments if one != _OPTION]
    return " ".join([prog, *shown])
