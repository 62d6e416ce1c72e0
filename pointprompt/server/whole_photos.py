"""Photos at their own size, for who looks closely: made when asked for, kept with the session.

Knows photos and how much memory they take. Does not know who asks.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from pointprompt.formats.overlays import JPEG_MAX_SIDE
from pointprompt.server import session_files
from pointprompt.server.session import Session
from pointprompt.server.turns import Turns
from pointprompt.sources.photos import PREVIEW_SIDE, read_again
from pointprompt.types import Photo, Progress

# What all that are being made may take together: their pixels, and those once more as a picture.
_TOGETHER_BYTES = 1 << 30
_BYTES_A_PIXEL = 8
_QUALITY = 92


def is_larger(photo: Photo) -> bool:
    """Whether there is more to see of a photo than its preview shows."""
    return PREVIEW_SIDE < max(photo.height, photo.width) <= JPEG_MAX_SIDE


class WholePhotos:
    """Those of all sessions."""

    def __init__(self) -> None:
        """None is being made yet."""
        self._memory = Turns(_TOGETHER_BYTES)

    def path(self, session: Session, index: int) -> Path:
        """Where the photo of an image lies as a JPEG file of its own size.

        Raises:
            ValueError: There is no such image, it cannot be read any more, or its preview shows
                all of it.
            OSError: It could not be written; then nothing of it is there.
        """
        photos = session.analysis.photos
        if index >= len(photos) or not is_larger(photos[index]):
            raise ValueError("There is no larger photo of such an image.")
        path = session_files.whole(session.folder, index)
        photo = photos[index]
        if not path.exists():
            with self._memory.take(photo.height * photo.width * _BYTES_A_PIXEL, _wait):
                if not path.exists():
                    _write(photo, path)
        return path


def _write(photo: Photo, path: Path) -> None:
    session_files.subfolder(path.parent.parent, path.parent.name)
    unfinished = path.with_suffix(".unfinished")
    try:
        Image.fromarray(read_again(photo)).save(unfinished, "JPEG", quality=_QUALITY)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _wait(_: Progress) -> None:
    """Nobody is told: it is for a picture that is on its way."""
