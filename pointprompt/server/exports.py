"""Downloads: the masks of a prompt, written into the folder of its session; or on to the Hub.

Knows archives and how much memory they take. Does not know messages by their form, nor pages. A
download waits for other downloads, never for analyses.
"""

from __future__ import annotations

import shutil
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from pointprompt.formats.prompt_json import PROMPT_FILE
from pointprompt.server import addresses, session_files, wire
from pointprompt.server.session import Session
from pointprompt.server.turns import Turns
from pointprompt.types import ProgressFn

if TYPE_CHECKING:
    from pointprompt.engines.engine import Engine
    from pointprompt.formats.format import Options
    from pointprompt.formats.hub_push import HubDataset
    from pointprompt.formats.labelled import Labelled

# What all downloads that are being written may take together, by their largest photo: its pixels,
# its masks, its overlay, and all that once more while they are made. Heatmaps take most.
_TOGETHER_BYTES = 1 << 30
_BYTES_A_PIXEL = 20


class Exports:
    """The downloads of all sessions."""

    def __init__(self, engine: Engine | None = None) -> None:
        """None is being written yet.

        Args:
            engine: Where analyses are computed; None is this process.
        """
        self._engine = engine
        self._memory = Turns(_TOGETHER_BYTES, "wait_export")
        self._finishing = threading.Lock()

    def write(
        self,
        session: Session,
        request: wire.ExportRequest,
        progress: ProgressFn,
    ) -> Path:
        """A ZIP file in the session's folder with the masks of a prompt.

        Args:
            session: Not freed meanwhile.
            request: The prompt and its settings.
            progress: Told after every image, and while others come before; it may raise to cancel.

        Raises:
            ValueError: The masks cannot be drawn as the settings want.
            OSError: It could not be written; then nothing of it is there.
        """
        from pointprompt.formats.archive import write_zip

        with (
            self.turn(largest_of(session), progress),
            session_files.new_export(session.folder) as folder,
        ):
            unfinished = folder / "unfinished"
            write_zip(
                unfinished,
                labelled_of(session, request, self._engine),
                request.formats,
                options=_options(request),
                progress=progress,
            )
            return self._finished(unfinished)

    def push(self, session: Session, request: wire.PushRequest, progress: ProgressFn) -> HubDataset:
        """The data set on the Hub that now has the photos and the masks of a prompt.

        Args:
            session: Not freed meanwhile.
            request: The prompt, where it is to go, and the token that may write there.
            progress: Told after every image, and then of what is sent; it may raise to cancel.

        Raises:
            ValueError: The masks cannot be drawn as the settings want, or it is a `PushError`.
            OSError: A file could not be written or read.
        """
        from pointprompt.formats.archive import write_folder
        from pointprompt.formats.hub_push import HubDataset
        from pointprompt.formats.parquet import FOLDER

        target = HubDataset(request.name, request.token, private=request.private)
        target.check()
        with session_files.while_it_lasts(session.folder) as folder:
            with self.turn(largest_of(session), progress):
                write_folder(
                    folder,
                    labelled_of(session, request.export, self._engine),
                    ["parquet"],
                    options=_options(request.export),
                    progress=progress,
                )
            (folder / PROMPT_FILE).rename(folder / FOLDER / PROMPT_FILE)
            # Others may write what they want while this is on its way.
            target.upload(folder / FOLDER, progress)
        return target

    def turn(self, pixels: int, progress: ProgressFn) -> AbstractContextManager[None]:
        """Within the block, the memory to write masks of images of so many pixels, one by one."""
        return self._memory.take(pixels * _BYTES_A_PIXEL, progress)

    def _finished(self, unfinished: Path) -> Path:
        """The file under its name. The one before stays, for it may still be on its way."""
        path = unfinished.rename(unfinished.with_name(addresses.DOWNLOAD_NAME))
        with self._finishing:
            others = set(path.parent.parent.glob(f"*/{addresses.DOWNLOAD_NAME}")) - {path}
            for old in sorted(others, key=lambda other: other.stat().st_mtime_ns)[:-1]:
                shutil.rmtree(old.parent)
        return path


def largest_of(session: Session) -> int:
    """How many pixels the largest image of a session has."""
    return max(photo.height * photo.width for photo in session.analysis.photos)


def _options(request: wire.ExportRequest) -> Options:
    from pointprompt.formats.format import Options

    return Options(request.coco_polygons, request.coco_regions, request.orientation)


def labelled_of(
    session: Session, request: wire.ExportRequest, engine: Engine | None = None
) -> Labelled:
    """What the things of a request select; those with nothing marked are left out."""
    from pointprompt.exporting import labelled

    return labelled(
        session.analysis,
        request.things,
        exclusive=request.exclusive,
        keeps_overlaps=request.overlaps,
        skipped=request.skipped,
        predictor=session.predictor,
        before=session.recipe,
        engine=engine,
    )
