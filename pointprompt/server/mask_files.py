"""The masks of a prompt as PNG files in the folder of its session, for a program.

Knows sessions and one format. A page asks for masks of tokens and draws them: `service.predict`.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pointprompt.server import session_files, wire
from pointprompt.server.exports import labelled_of
from pointprompt.server.session import Session
from pointprompt.types import Progress, ProgressFn

_MASKS = "masks"
# Predictions of a session whose files stay: a program fetches them one after the other.
_KEPT = 8


class MaskFile(NamedTuple):
    """The mask of one thing in one image.

    Attributes:
        image: Name of the image.
        number: Which one it is, from 0.
        thing: Name of the thing.
        presence: How sure it is that the thing is there, from 0 to 1.
        pixels: How many are in the mask.
        path: The mask: white where the thing is, at the image's own size.
    """

    image: str
    number: int
    thing: str
    presence: float
    pixels: int
    path: Path


def write_masks(
    session: Session, request: wire.ExportRequest, progress: ProgressFn
) -> list[MaskFile]:
    """The masks of all things in all images that are not skipped.

    Args:
        session: Not freed meanwhile.
        request: The prompt; its formats are of no use here.
        progress: Told after every image; it may raise to cancel.

    Raises:
        ValueError: The masks cannot be drawn as the settings want.
        OSError: A file cannot be written; then none of them is there.
    """
    folder = session_files.subfolder(session.folder, _MASKS) / secrets.token_urlsafe(8)
    folder.mkdir()
    with session_files.gone_if_it_fails(folder):
        found = list(_written(session, request, folder, progress))
    _forget_oldest(folder.parent)
    return found


def _written(
    session: Session, request: wire.ExportRequest, folder: Path, progress: ProgressFn
) -> Iterator[MaskFile]:
    from pointprompt.formats.format import as_png

    labelled = labelled_of(session, request)
    for done, image in enumerate(labelled):
        progress(Progress("export", done, len(labelled.written)))
        for place, (thing, presence) in enumerate(
            zip(labelled.things, image.presence, strict=True)
        ):
            path = session_files.subfolder(folder, str(place)) / f"{image.stem}.png"
            path.write_bytes(as_png(image.mask(place).view(np.uint8) * np.uint8(255)))
            yield MaskFile(
                image.photo.name, image.index, thing.name, presence, image.counts[place], path
            )


def _forget_oldest(masks: Path) -> None:
    for old in sorted(masks.iterdir(), key=lambda one: one.stat().st_mtime_ns)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
