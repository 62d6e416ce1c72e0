"""What lies where in a session's folder: its images, the pictures of its tiles, its downloads.

Knows files. Does not know who may see them.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from pointprompt.analysis.analysis import Analysis
from pointprompt.server import addresses

# Folders of a session's downloads, and of its images as they came.
_EXPORTS = "exports"
IMAGES = "images"


def write_tiles(folder: Path, analysis: Analysis) -> None:
    """The pictures that the page shows, as files: big things do not travel as props."""
    subfolder(folder, "tiles")
    for index, photo in enumerate(analysis.photos):
        tile(folder, index).write_bytes(photo.preview)
    n, h, w, _ = analysis.colors.shape
    encoded = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(analysis.colors).reshape(n * h, w, 3)).save(encoded, "PNG")
    colors(folder).write_bytes(encoded.getvalue())


def link_pictures(folder: Path, other: Path) -> None:
    """All that pages show of a folder's set, in another folder too."""
    for file in folder.rglob("*"):
        place = file.relative_to(folder)
        if file.is_file() and place.parts[0] not in (IMAGES, _EXPORTS):
            subfolder(other, str(place.parent))
            link(file, other / place)


def link(file: Path, path: Path) -> None:
    """Have the file at another path too."""
    try:
        os.link(file, path)
    except OSError:  # Another file system, or one without links, or without so many.
        shutil.copyfile(file, path)


@contextmanager
def new_export(folder: Path) -> Iterator[Path]:
    """A new folder for a download, with a name no page has seen; gone again if the block fails."""
    new = subfolder(folder, _EXPORTS) / secrets.token_urlsafe(8)
    new.mkdir()
    with gone_if_it_fails(new):
        yield new


@contextmanager
def while_it_lasts(folder: Path) -> Iterator[Path]:
    """A new folder for what is on its way elsewhere, gone again when the block ends."""
    with tempfile.TemporaryDirectory(dir=subfolder(folder, _EXPORTS)) as new:
        yield Path(new)


@contextmanager
def gone_if_it_fails(folder: Path) -> Iterator[Path]:
    """The folder, removed with all that is in it if the block fails."""
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def subfolder(folder: Path, name: str) -> Path:
    """The folder with this name in it, made where it is not there."""
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def tile(folder: Path, index: int) -> Path:
    """Where the photo lies that the page shows of an image."""
    return folder / "tiles" / f"{index:03d}.jpg"


def whole(folder: Path, index: int) -> Path:
    """Where the photo of an image lies at its own size, if anybody has looked that closely."""
    return folder / "whole" / f"{index:03d}.jpg"


def colors(folder: Path) -> Path:
    """Where the colour views of all images lie, one below the other."""
    return folder / "colors.png"


def exported(folder: Path, name: str) -> Path:
    """Where the download with this name lies."""
    return folder / _EXPORTS / name / addresses.DOWNLOAD_NAME
