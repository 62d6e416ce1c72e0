"""An analysed set as a folder, SET: its entry as the store has one, and what its images are called.

Knows entries and names. Does not know clicks, nor the terminal.
"""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import replace
from pathlib import Path

from pointprompt.analysis import entry
from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.keys import Conditions, Original
from pointprompt.formats.archive import check_new
from pointprompt.sources.names import safe_names

_NAMES = "names.json"


class SetError(ValueError):
    """A set cannot be read or written; the message says why."""


def write(folder: Path, analysis: Analysis, conditions: Conditions) -> None:
    """Write a set, whole or not at all. Its images are linked where they can be, else copied.

    Args:
        folder: Nothing is there yet, or an empty folder.
        analysis: Of image files.
        conditions: `pipeline.conditions_of` it.

    Raises:
        ValueError: Something is there.
        OSError: It cannot be written.
    """
    check_new(folder)
    originals: list[Original] = [
        photo.source for photo in analysis.photos if isinstance(photo.source, Path | bytes)
    ]
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    unfinished.mkdir()
    try:
        entry.write(unfinished, analysis, conditions, originals)
        names = json.dumps([photo.name for photo in analysis.photos], ensure_ascii=False)
        (unfinished / _NAMES).write_text(names, encoding="utf-8")
        if folder.is_dir():
            folder.rmdir()
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def read(folder: Path) -> Analysis:
    """The analysis of a set, its images named as they were.

    Raises:
        SetError: It is none, or not what was written.
    """
    try:
        analysis = entry.read(folder).analysis
        names = json.loads((folder / _NAMES).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SetError(
            f"{folder} is no set: `pointprompt analyze FOLDER --out {folder}` makes one."
        ) from error
    except (OSError, ValueError) as error:
        raise SetError(f"The set {folder} cannot be read: {error}") from error
    if not isinstance(names, list) or len(names) != len(analysis.photos):
        raise SetError(f"The set {folder} does not say what its images are called.")
    safe = safe_names([str(name) for name in names])
    photos = (replace(photo, name=name) for photo, name in zip(analysis.photos, safe, strict=True))
    return replace(analysis, photos=tuple(photos))


def is_set(folder: Path) -> bool:
    """Whether a set was written there, whatever state it is in."""
    return (folder / entry.ENTRY_FILE).is_file()
