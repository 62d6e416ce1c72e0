"""Downloads: the masks of a prompt, written into the folder of its session.

Knows archives and how much memory they take. Does not know messages by their form, nor pages. A
download waits for other downloads, never for analyses.
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from pointprompt.server import addresses, session_files, wire
from pointprompt.server.session import Session
from pointprompt.server.turns import Turns
from pointprompt.things import Thing
from pointprompt.types import ProgressFn, TokenPrediction

# What all downloads that are being written may take together, by their largest photo: its pixels,
# its mask, its overlay, and all that once more while they are made.
_TOGETHER_BYTES = 1 << 30
_BYTES_A_PIXEL = 12


class Exports:
    """The downloads of all sessions."""

    def __init__(self) -> None:
        """None is being written yet."""
        self._memory = Turns(_TOGETHER_BYTES, "wait_export")
        self._finishing = threading.Lock()

    def write(
        self,
        session: Session,
        request: wire.ExportRequest,
        prediction: TokenPrediction,
        progress: ProgressFn,
    ) -> Path:
        """A ZIP file in the session's folder with the masks of a prompt.

        Args:
            session: Not freed meanwhile.
            request: The prompt and its settings.
            prediction: What they select.
            progress: Told after every image, and while others come before; it may raise to cancel.

        Raises:
            ValueError: The masks cannot be drawn as the settings want.
            OSError: It could not be written; then nothing of it is there.
        """
        from pointprompt.formats.archive import write_zip
        from pointprompt.formats.labelled import Labelled
        from pointprompt.pipeline import image_masks

        analysis = session.analysis
        largest = max(photo.height * photo.width for photo in analysis.photos)
        with (
            self._memory.take(largest * _BYTES_A_PIXEL, progress),
            session_files.new_export(session.folder) as folder,
        ):
            unfinished = folder / "unfinished"
            labelled = Labelled(
                analysis.photos,
                [Thing(clicks=request.clicks, settings=request.settings)],
                [image_masks(analysis, prediction, request.clicks, request.settings)],
                prediction.heatmaps[None],
                prediction.presence[None],
                analysis.backbone,
            )
            write_zip(unfinished, labelled, progress=progress)
            return self._finished(unfinished)

    def _finished(self, unfinished: Path) -> Path:
        """The file under its name. The one before stays, for it may still be on its way."""
        path = unfinished.rename(unfinished.with_name(addresses.DOWNLOAD_NAME))
        with self._finishing:
            others = set(path.parent.parent.glob(f"*/{addresses.DOWNLOAD_NAME}")) - {path}
            for old in sorted(others, key=lambda other: other.stat().st_mtime_ns)[:-1]:
                shutil.rmtree(old.parent)
        return path
