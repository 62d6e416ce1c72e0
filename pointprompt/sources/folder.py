"""A folder of this computer -> the image files in it.

Knows names. Does not know what the files hold.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from pointprompt.sources.codecs.loaded import ImageError
from pointprompt.sources.codecs.signatures import READABLE_SUFFIXES


def image_files(folder: str | Path) -> list[Path]:
    """Return the files in a folder, and in those within it, that are named as images are.

    They are in the order a person counts in: frame 2 before frame 10. Hidden files and folders are
    left out.

    Raises:
        ImageError: There is no such folder, it cannot be read, or no image is in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ImageError(f"There is no folder {folder}.")

    def fail(error: OSError) -> None:
        raise ImageError(f"{error.filename} cannot be read: {error.strerror}.") from error

    found = []
    for place, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(place) / name
            for name in files
            if not name.startswith(".") and Path(name).suffix.lower() in READABLE_SUFFIXES
        ]
    if not found:
        raise ImageError(f"No file in {folder} is named as an image is.")
    return sorted(found, key=lambda path: _counted(path.relative_to(folder)))


def _counted(path: Path) -> tuple[list[tuple[int, str]], str]:
    """What sorts paths as people count; by every letter where that tells nothing."""
    parts = re.findall(r"\d+|\D+", path.as_posix().casefold())
    # Not int(), which refuses thousands of digits.
    digits = [(len(p.lstrip("0")), p.lstrip("0")) if p.isdecimal() else (-1, p) for p in parts]
    return digits, path.as_posix()
