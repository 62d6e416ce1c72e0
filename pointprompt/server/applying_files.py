"""A recipe on the files that a program hands in -> a ZIP file of masks, and how it went.

Images are read in processes of their own before anything here reads them, and the model's work is
done in turn with that of all pages. Knows recipes, readers and turns. Does not know sessions: a
recipe needs none.
"""

from __future__ import annotations

import shutil
import threading
import zipfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pointprompt.analysis.analysis import Computed
from pointprompt.engines.engine import Engine
from pointprompt.sources.framing import Framing
from pointprompt.sources.names import safe_names
from pointprompt.sources.photos import ImageError, Limits, Read, read
from pointprompt.types import N_EIGVECS, BackboneRequest, ByteArray, Photo, Progress, ProgressFn

if TYPE_CHECKING:
    from pointprompt.analysis.terms import Terms
    from pointprompt.formats.archive import FolderWriter
    from pointprompt.recipes.applied import Applied
    from pointprompt.recipes.recipe import Recipe

# How long the masks can be fetched, and how many runs' are kept.
KEPT_SECONDS = 30 * 60
KEPT = 16
# Images that are in memory at a time while three are read and one is written, by the largest.
READ_AT_ONCE = 4


@dataclass(frozen=True)
class InTurn:
    """An `Engine` whose heavy part is done when its turn has come.

    Attributes:
        engine: Where it is computed.
        in_turn: Does what it is given when there is room for it.
    """

    engine: Engine
    in_turn: Callable[[Callable[[], Computed]], Computed]

    def prepare(self, request: BackboneRequest, progress: ProgressFn | None = None) -> Framing:
        """See `Engine`."""
        return self.engine.prepare(request, progress)

    def identity(self, request: BackboneRequest) -> str:
        """See `Engine`."""
        return self.engine.identity(request)

    def compute(
        self,
        frames: ByteArray,
        request: BackboneRequest,
        terms: Terms | None = None,
        *,
        n_eigvecs: int = N_EIGVECS,
        seed: int = 0,
        progress: ProgressFn | None = None,
    ) -> Computed:
        """See `Engine`."""
        return self.in_turn(
            lambda: self.engine.compute(
                frames, request, terms, n_eigvecs=n_eigvecs, seed=seed, progress=progress
            )
        )


@dataclass
class Report:
    """How it went.

    Attributes:
        images: How many were handed in.
        found: In how many each thing is, by its name.
        failed: The names of those that could not be read, each with the reason.
        unlike: The names of those that look unlike the images that the recipe was made on.
    """

    images: int
    found: dict[str, int] = field(default_factory=dict)
    failed: list[dict[str, str]] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ApplyingFiles:
    """Applies recipes for all who ask.

    Attributes:
        engine: Takes turns.
        limits: Of a set of the page, which hold here too.
        reader: Gives what reads images in processes of their own; nothing reads them here.
        memory: Has so many pixels in memory within the block.
    """

    engine: Engine
    limits: Limits
    reader: Callable[[], AbstractContextManager[Read | None]]
    memory: Callable[[int, ProgressFn], AbstractContextManager[None]]

    def write(
        self,
        recipe: Path,
        files: Sequence[Path],
        formats: Sequence[str],
        folder: Path,
        progress: ProgressFn,
    ) -> tuple[Path, Report]:
        """A ZIP file in a folder with the masks that a recipe finds, and how it went.

        Args:
            recipe: Its file, from anyone.
            files: The images.
            formats: Names from `FORMATS`, of formats that stream.
            folder: An empty one.
            progress: Told after every image; it may raise to cancel.

        Raises:
            ValueError: It is no recipe, or was made with other weights, or a format cannot be had,
                or there are too many images, or none that can be read; a sentence.
            OSError: A file cannot be read or written.
        """
        from pointprompt.formats.archive import FolderWriter
        from pointprompt.recipes import file as recipe_file

        if not 0 < len(files) <= self.limits.max_images:
            raise ImageError(f"There must be 1 to {self.limits.max_images} images at once.")
        read_recipe = recipe_file.read(recipe)
        unfinished, masks = folder / "unfinished", folder / "masks"
        unfinished.mkdir()
        with FolderWriter(
            masks,
            unfinished,
            things=read_recipe.as_things(),
            backbone=read_recipe.backbone,
            formats=formats,
            recipe=recipe.read_bytes,
        ) as writer:
            report = Report(len(files), found=writer.found)
            names = safe_names([file.name for file in files])
            readable, largest = self._readable(read_recipe, files, names, report, progress)
            with self.memory(largest * READ_AT_ONCE, progress):
                for done, applied in enumerate(self._applied(read_recipe, readable)):
                    progress(Progress("export", done, len(readable)))
                    _write(writer, applied, report)
            writer.finish()
        path = folder / "pointprompt-masks.zip"
        _zip(masks, path)
        for spent in (unfinished, masks):
            shutil.rmtree(spent, ignore_errors=True)
        return path, report

    def _readable(
        self,
        recipe: Recipe,
        files: Sequence[Path],
        names: Sequence[str],
        report: Report,
        progress: ProgressFn,
    ) -> tuple[list[tuple[Path, str]], int]:
        """Those that can be read, with their names, and how many pixels the largest has.

        Raises:
            ImageError: None can be.
        """
        framing = self.engine.prepare(recipe.backbone.request, progress)
        readable, largest = [], 0
        with self.reader() as reader:
            for done, (file, name) in enumerate(zip(files, names, strict=True)):
                progress(Progress("read", done, len(files)))
                try:
                    photo, _ = (reader or read)(file, name, framing, self.limits)
                except ImageError as error:
                    report.failed.append({"name": name, "reason": str(error)})
                else:
                    readable.append((file, name))
                    largest = max(largest, photo.height * photo.width)
        if not readable:
            raise ImageError(" ".join(f"{one['name']}: {one['reason']}" for one in report.failed))
        return readable, largest

    def _applied(self, recipe: Recipe, readable: Sequence[tuple[Path, str]]) -> Any:
        from pointprompt.applying import apply

        files, names = [file for file, _ in readable], [name for _, name in readable]
        return apply(recipe, files, names=names, engine=self.engine, limits=self.limits)


def _write(writer: FolderWriter, applied: Applied, report: Report) -> None:
    photo: Photo | None = applied.photo
    if photo is None:
        report.failed.append({"name": applied.name, "reason": applied.reason})
        return
    found = list(applied.predictions.values())
    image = (
        photo,
        [one.masks[0] for one in found],
        np.stack([one.heatmaps[0] for one in found]),
        tuple(applied.presence.values()),
    )
    writer.add(*image, writer.write(*image))
    if applied.unlike:
        report.unlike.append(applied.name)


def _zip(folder: Path, target: Path) -> None:
    # Most of it is pictures, which do not become smaller.
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(folder))


class Runs:
    """The folders of runs whose masks may still be fetched. Safe to use from several threads."""

    def __init__(self, seconds: float = KEPT_SECONDS, most: int = KEPT) -> None:
        """Keep each for so long, and so many of them."""
        self._seconds = seconds
        self._most = most
        self._folders: list[Path] = []
        self._lock = threading.Lock()

    def keep(self, folder: Path) -> None:
        """Remove a folder some time later, and now those that are too many."""
        with self._lock:
            self._folders.append(folder)
            over = self._folders[: -self._most]
            self._folders = self._folders[-self._most :]
        for one in over:
            shutil.rmtree(one, ignore_errors=True)
        timer = threading.Timer(self._seconds, self._forget, [folder])
        timer.daemon = True
        timer.start()

    def _forget(self, folder: Path) -> None:
        with self._lock:
            if folder in self._folders:
                self._folders.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)
