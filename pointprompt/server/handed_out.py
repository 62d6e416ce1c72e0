"""Files that a program may fetch: each by an address that nobody can guess.

A client of gradio sends nothing with a download that would tell one from another, so the address
itself is the key. Knows files. Does not know what they hold, nor how they are sent.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

KEY = "[A-Za-z0-9_-]{43}"
NAME = "[A-Za-z0-9_-]{1,60}[.](?:png|zip)"
_NOT_IN_A_NAME = re.compile("[^A-Za-z0-9_-]+")
_MAX_STEM = 60


class HandedOut(NamedTuple):
    """A file that may be fetched.

    Attributes:
        key: Of its address.
        name: What it is to be called where it goes.
        size: In bytes.
    """

    key: str
    name: str
    size: int


class HandedOutFiles:
    """All of them, for as long as they are there. Safe to use from several threads."""

    def __init__(self) -> None:
        """Start with none."""
        self._paths: dict[str, Path] = {}
        self._lock = threading.Lock()

    def add(self, paths: Iterable[Path]) -> list[HandedOut]:
        """Have files fetched, in their order, until they are removed."""
        new = {secrets.token_urlsafe(32): path for path in paths}
        with self._lock:
            kept = {key: path for key, path in self._paths.items() if path.exists()}
            self._paths = {**kept, **new}
        return [HandedOut(key, _name_of(path), path.stat().st_size) for key, path in new.items()]

    def find(self, key: str) -> Path:
        """The file that was handed out with a key.

        Raises:
            LookupError: None was, or it is gone.
        """
        with self._lock:
            return self._paths[key]

    def __len__(self) -> int:
        return len(self._paths)


def _name_of(path: Path) -> str:
    """The file's name as far as any address and any computer takes it."""
    return (_NOT_IN_A_NAME.sub("_", path.stem)[:_MAX_STEM] or "_") + path.suffix
