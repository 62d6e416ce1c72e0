"""The patterns by which a dataset's card names files, and which paths fit them.

Knows the forms that the Hub allows. A pattern is compared with names only, never opened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_MAX_PATTERNS = 200


def patterns_of(data_files: object) -> dict[str, list[str]]:
    """Return the patterns of each split, from any of the forms a dataset's card allows."""
    if isinstance(data_files, dict):
        data_files = [{"split": split, "path": path} for split, path in data_files.items()]
    if not isinstance(data_files, list):
        data_files = [data_files]
    result: dict[str, list[str]] = {}
    for entry in data_files[:_MAX_PATTERNS]:
        split, found = "train", entry
        if isinstance(entry, dict):
            split, found = str(entry.get("split", "train")), entry.get("path")
        texts = found if isinstance(found, list) else [found]
        kept = [p for text in texts[:_MAX_PATTERNS] if isinstance(text, str) for p in _plain(text)]
        if kept:
            result.setdefault(split, []).extend(kept)
    return result


def _plain(pattern: str) -> list[str]:
    """Return the patterns without alternatives in braces that one with them stands for."""
    waiting = [pattern]
    done: list[str] = []
    while waiting and len(waiting) + len(done) <= _MAX_PATTERNS:
        text = waiting.pop(0)
        braces = re.search(r"\{([^{}]*)\}", text)
        if braces is None or "," not in braces[1]:
            done.append(text)
        else:
            start, end = text[: braces.start()], text[braces.end() :]
            waiting += [f"{start}{choice}{end}" for choice in braces[1].split(",")]
    return done


def parts_of(folder: str, pattern: str) -> tuple[str, ...]:
    """Return the parts of a pattern that is meant below a folder."""
    # "**.jpg" means at any depth, and "photos/" means what is in that folder.
    pattern = re.sub(r"(?:(?<=/)|^)\*\*(?=[^/*])", "**/*", pattern)
    parts = PurePosixPath(folder, pattern).parts
    return (*parts, "**") if pattern.endswith("/") else parts


def matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether the parts of a path fit those of a pattern; `**` stands for any folders."""
    at = wanted = retry_at = 0
    star: int | None = None
    while at < len(path):
        if wanted < len(pattern) and pattern[wanted] == "**":
            star, retry_at = wanted, at
            wanted += 1
        elif wanted < len(pattern) and fnmatchcase(path[at], pattern[wanted]):
            at += 1
            wanted += 1
        elif star is not None:
            # The newest `**` takes one folder more; the earlier ones need not be tried again.
            retry_at += 1
            at, wanted = retry_at, star + 1
        else:
            return False
    return all(part == "**" for part in pattern[wanted:])
