"""The files of `static/` as the page gets them: each in memory, with a type of its own.

Their addresses hold what they are a digest of, so that a browser may keep them and never mixes
those of two versions.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pointprompt.server import addresses

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


def _read() -> dict[str, tuple[bytes, str]]:
    return {
        path.relative_to(_FOLDER).as_posix(): (path.read_bytes(), _TYPES[path.suffix])
        for path in sorted(_FOLDER.rglob("*"))
        if path.suffix in _TYPES
    }


def _digest(files: dict[str, tuple[bytes, str]]) -> str:
    digest = hashlib.sha256()
    for name, (content, _) in files.items():
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


# By their names below the folder: what is not a key is not there.
FILES = _read()
# Address of the folder.
MODULES = f"{addresses.ROOT}/static/{_digest(FILES)}"


def icon(name: str) -> Any:
    """A picture among the files, as gradio sends it to the page; it takes it from there as well."""
    return {"path": name, "url": f"{MODULES}/{name}", "meta": {"_type": "gradio.FileData"}}
