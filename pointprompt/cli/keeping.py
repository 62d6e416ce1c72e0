"""What a recipe says of one image -> its own files and its record, on the disk.

Knows the folder of a run. Does not know other images, nor in which process, or on which computer,
it is at work.

    OUT/.pointprompt/records/   what was found in each image
    OUT/.pointprompt/rows/      what a data set has of it, where that is needed again
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pointprompt.cli.images import Image
from pointprompt.cli.journal import Journal, Record, packed, write_whole
from pointprompt.formats.archive import FolderWriter
from pointprompt.formats.format import Options
from pointprompt.formats.registry import FORMATS
from pointprompt.recipes.applied import Applied
from pointprompt.recipes.recipe import Recipe
from pointprompt.types import Photo

STATE = ".pointprompt"


@dataclass(frozen=True)
class Files:
    """Which files are written, and where.

    Attributes:
        out: The folder that they go to; an absolute path, the same on every computer at work.
        formats: Names from `FORMATS`.
        options: What is chosen within formats.
        keeps_overlaps: As in `Labelled`.
    """

    out: Path
    formats: tuple[str, ...]
    options: Options
    keeps_overlaps: bool

    @property
    def state(self) -> Path:
        """The folder with what is known of the run."""
        return self.out / STATE

    @property
    def own_formats(self) -> tuple[str, ...]:
        """The formats whose files are of one image each."""
        return tuple(name for name in self.formats if not FORMATS[name].kind.gathers)

    @property
    def need_rows(self) -> bool:
        """Whether photos are needed once more when all images are put together."""
        kinds = [FORMATS[name].kind for name in self.formats]
        return any(kind.gathers and kind.lacks for kind in kinds)

    def writer(self, recipe: Recipe, data: bytes = b"") -> FolderWriter:
        """What writes them.

        Args:
            recipe: What says which things there are.
            data: Its file's content.

        Raises:
            ValueError: As for `FolderWriter`.
        """
        return FolderWriter(
            self.out,
            self.state,
            things=recipe.as_things(),
            backbone=recipe.backbone,
            formats=self.formats,
            options=self.options,
            keeps_overlaps=self.keeps_overlaps,
            recipe=lambda: data,
        )


class Keeper:
    """Keeps what was found in images, one after the other.

    It may be sent to other processes, whatever this one has kept already.
    """

    def __init__(self, files: Files, recipe: Recipe) -> None:
        """Write nothing yet."""
        self._files = files
        self._recipe = recipe
        self._writer: FolderWriter | None = None
        self._journal: Journal | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_writer": None, "_journal": None}

    def record(self, image: Image) -> Record | str | None:
        """What was kept of an image; None where nothing was."""
        return self._records().get(image.path, image.key)

    def is_done(self, image: Image) -> bool:
        """Whether something was kept of an image."""
        return self.record(image) is not None

    def keep(self, applied: Applied, image: Image) -> Record | str:
        """Write what was found in an image, or return why nothing was.

        Raises:
            OSError: A file cannot be written.
        """
        photo = applied.photo
        if photo is None:
            return self.give_up(image, applied.reason)
        if isinstance(photo.source, bytes) and self._files.need_rows:
            image.path.parent.mkdir(exist_ok=True)
            write_whole(image.path, photo.source)
        record = self._record(applied, photo, image.path)
        # Last: whatever there is a record of is done.
        self._records().put(image.path, image.key, record)
        return record

    def give_up(self, image: Image, reason: str) -> str:
        """Remember of a row why there is nothing in it: it stays what it is, as a file need not."""
        if image.row is not None:
            self._records().put(image.path, image.key, reason)
        return reason

    def _record(self, applied: Applied, photo: Photo, path: Path) -> Record:
        found = list(applied.predictions.values())
        masks = [one.masks[0] for one in found]
        heatmaps = np.stack([one.heatmaps[0] for one in found])
        presence = tuple(applied.presence.values())
        if self._writer is None:
            own = replace(self._files, formats=self._files.own_formats)
            self._writer = own.writer(self._recipe)
        written = self._writer.write(photo, masks, heatmaps, presence)
        return Record(
            replace(photo, preview=b"", source=path),
            tuple(map(packed, masks)),
            heatmaps,
            presence,
            applied.unlike,
            written,
        )

    def _records(self) -> Journal:
        if self._journal is None:
            folder = self._files.state / "records"
            folder.mkdir(parents=True, exist_ok=True)
            self._journal = Journal(folder)
        return self._journal
