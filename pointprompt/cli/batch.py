"""A recipe over a folder, a video or a data set -> files, streamed; a run that was stopped goes on.

Knows recipes applied, writers, and the folder they write to. Does not know the terminal.

    OUT/...                     what the formats write, as images come
    OUT/apply.json              what was found, when all is done
    OUT/.pointprompt/run.json   until then: what was asked for; and what `images` and `keeping` put

Whatever was killed, and when: the same command again gives the files that one run would have given.
So does one on Ray.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pointprompt.applying import apply
from pointprompt.cli.images import Image, Listed, Streamed, in_folder, of_video
from pointprompt.cli.journal import Record, key_of_file, write_whole
from pointprompt.cli.keeping import STATE, Files, Keeper
from pointprompt.cli.spreading import Spread, spread
from pointprompt.formats.archive import FolderWriter
from pointprompt.formats.format import DEFAULT_OPTIONS, Options
from pointprompt.recipes import file as recipe_file
from pointprompt.recipes.recipe import Recipe
from pointprompt.sources.dataset_rows import DatasetAsked, Row, Rows, open_rows
from pointprompt.sources.photos import ImageSource, Limits
from pointprompt.sources.video import is_video
from pointprompt.types import ProgressFn

REPORT = "apply.json"
_RUN, _LOCK = "run.json", "lock"


class BatchError(ValueError):
    """A run cannot be begun; the message says why, and what to do."""


@dataclass(frozen=True)
class Asked:
    """What a run is of.

    Attributes:
        recipe: The file of the recipe.
        images: A folder of images, a video, or a data set.
        out: The folder that files go to.
        formats: Names from `FORMATS`.
        options: What is chosen within formats.
        keeps_overlaps: As in `Labelled`.
        every: Of so many frames of a video one is taken.
        device: As for `apply`.
        limits: As for `apply`.
        spread: How it is spread over workers of Ray; None does all of it here.
    """

    recipe: Path
    images: Path | DatasetAsked
    out: Path
    formats: tuple[str, ...]
    options: Options = DEFAULT_OPTIONS
    keeps_overlaps: bool = False
    every: int = 1
    device: str | None = None
    limits: Limits = field(default_factory=Limits)
    spread: Spread | None = None

    @property
    def files(self) -> Files:
        """Which files are written, and where."""
        return Files(self.out.absolute(), self.formats, self.options, self.keeps_overlaps)


class Failed(NamedTuple):
    """An image that could not be read: its path within what was asked for, and why."""

    name: str
    reason: str


@dataclass
class Report:
    """What a run has found so far.

    Attributes:
        images: How many there are; of a data set, as far as it was read.
        done: How many of them it has come to.
        found: In how many each thing is, by its name.
        failed: Those that could not be read.
        unlike: Those that look unlike the images that the recipe was made on.
    """

    images: int
    done: int = 0
    found: dict[str, int] = field(default_factory=dict)
    failed: list[Failed] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        said = asdict(self)
        return {**said, "failed": [one._asdict() for one in self.failed]}


def run(
    asked: Asked,
    tell: Callable[[Report], None] = lambda _: None,
    progress: ProgressFn | None = None,
) -> Report:
    """Apply a recipe to a folder, a video or a data set, or go on with that.

    Args:
        asked: What it is of.
        tell: Told after every image.
        progress: As for `apply`.

    Raises:
        BatchError: The folder for files holds something else, or is in use.
        RecipeError: As for `apply`.
        ImageError: As for `apply`, or the folder has no images.
        DatasetError: The data set cannot be read.
        RayError: As for `on_ray.apply`.
        OSError: A file cannot be written.
    """
    data = asked.recipe.read_bytes()
    recipe = recipe_file.decode(data)
    state = asked.out / STATE
    # It says what cannot be had before anything is there.
    with asked.files.writer(recipe, data) as writer:
        rows = open_rows(asked.images) if isinstance(asked.images, DatasetAsked) else None
        said = _said(asked, data, rows)
        asked.out.mkdir(parents=True, exist_ok=True)
        finished = _finished(asked.out, said)
        if finished:
            shutil.rmtree(state, ignore_errors=True)
            return finished
        _begin(asked.out, said)
        with _alone(state):
            keeper = Keeper(asked.files, recipe)
            images = _images(asked, rows, keeper, progress)
            work = _Work(asked, recipe, images, keeper)
            report = work.report(writer, tell, progress)
            write_whole(state / REPORT, _as_json({"run": said, "report": report.as_dict()}))
            # From here on this run is finished; what is left of its state is only in the way.
            (state / REPORT).replace(asked.out / REPORT)
    shutil.rmtree(state, ignore_errors=True)
    return report


def _images(
    asked: Asked, rows: Rows | None, keeper: Keeper, progress: ProgressFn | None
) -> Listed | Streamed:
    """The images of a run, each with a name that no other one has."""
    state = asked.files.state
    if rows is not None:
        return Streamed(rows, state, keeper.is_done)
    assert isinstance(asked.images, Path)  # noqa: S101 - else there are rows
    if asked.images.is_dir():
        return in_folder(asked.images, asked.out)
    if is_video(asked.images):
        return of_video(asked.images, asked.every, state, asked.limits, progress)
    raise BatchError(f"{asked.images} is no folder and no video, nor is it a data set.")


@dataclass(frozen=True)
class _Work:
    """What is to be done: a recipe over images, with what keeps what is found in each."""

    asked: Asked
    recipe: Recipe
    images: Listed | Streamed
    keeper: Keeper

    def report(
        self,
        writer: FolderWriter,
        tell: Callable[[Report], None],
        progress: ProgressFn | None,
    ) -> Report:
        """What was found, once all is written."""
        report = Report(self.images.count or 0, found=writer.found)
        spread_over = self.asked.spread
        found = self._here(progress) if spread_over is None else self._spread(spread_over, tell)
        for image, record in found:
            if isinstance(record, str):
                report.failed.append(Failed(image.shown, record))
            else:
                _add(writer, record)
                if record.unlike:
                    report.unlike.append(image.shown)
            report.done += 1
            report.images = self.images.count or report.done
            tell(report)
        writer.finish()
        return report

    def _here(self, progress: ProgressFn | None) -> Iterator[tuple[Image, Record | str]]:
        """What was found in each image, in their order, or why nothing was."""
        # What was asked for and is not told yet, and whether it is new.
        ahead: deque[tuple[Image, bool]] = deque()
        names: deque[str] = deque()

        def new() -> Iterator[ImageSource]:
            for image in self.images:
                row = image.row
                if row is not None and row.lack:
                    self.keeper.give_up(image, row.lack)
                is_new = not self.keeper.is_done(image)
                # Without what it holds: that is with the one who reads it.
                bare = image if row is None else image._replace(row=Row("", b""))
                ahead.append((bare, is_new))
                if is_new:
                    names.append(image.name)
                    yield image.path if row is None else row.data

        def called() -> Iterator[str]:
            while names:
                yield names.popleft()

        def known() -> Iterator[tuple[Image, Record | str]]:
            while ahead and not ahead[0][1]:
                image, _ = ahead.popleft()
                record = self.keeper.record(image)
                if record is None:
                    raise BatchError(
                        f"{image.shown} changed while it was worked on. Run this again."
                    )
                yield image, record

        applied = apply(
            self.recipe,
            new(),
            names=called(),
            device=self.asked.device,
            limits=self.asked.limits,
            progress=progress,
        )
        for one in applied:
            yield from known()
            image, _ = ahead.popleft()
            yield image, self.keeper.keep(one, image)
        yield from known()

    def _spread(
        self, how: Spread, tell: Callable[[Report], None]
    ) -> Iterator[tuple[Image, Record | str]]:
        """The same, once workers have found it all."""
        images, so_far = self.images, Report(self.images.count or 0)

        def count(reason: str) -> None:
            so_far.done += 1
            so_far.images = images.count or so_far.done
            so_far.failed += [Failed("", reason)] if reason else []
            tell(so_far)

        failed = spread(
            images,
            self.recipe,
            self.keeper,
            how,
            device=self.asked.device,
            limits=self.asked.limits,
            tell=count,
        )
        for image in images if isinstance(images, Listed) else images.again():
            record = self.keeper.record(image) or failed.get(image.path)
            if record is None:
                raise BatchError(
                    f"Nothing is known of {image.shown}: either it changed while it was worked on, "
                    f"or {self.asked.out} is not the same folder on all computers at work. Run "
                    "this again."
                )
            yield image, record


def _add(writer: FolderWriter, record: Record) -> None:
    masks = [record.mask(t) for t in range(len(record.masks))] if writer.gathers else ()
    writer.add(record.photo, masks, record.heatmaps, record.presence, record.written)


# --- The folder for files ------------------------------------------------------------------------


def _said(asked: Asked, recipe: bytes, rows: Rows | None) -> dict[str, Any]:
    """What makes a run another one."""
    if isinstance(asked.images, DatasetAsked):
        images: object = {**asdict(asked.images), "revision": rows.revision if rows else ""}
        video = ""
    else:
        images = str(asked.images.resolve())
        video = key_of_file(asked.images) if asked.images.is_file() else ""
    return {
        "version": 1,
        "recipe": hashlib.sha256(recipe).hexdigest(),
        "images": images,
        "video": video,
        "every": asked.every,
        "formats": sorted(asked.formats),
        "options": asdict(asked.options),
        "keeps_overlaps": asked.keeps_overlaps,
    }


def _finished(out: Path, said: dict[str, Any]) -> Report | None:
    """The report of this very run, where it was finished before."""
    try:
        document = json.loads((out / REPORT).read_bytes())
        report = dict(document["report"])
        if document["run"] != said:
            return None
        report["failed"] = [Failed(**one) for one in report["failed"]]
        return Report(**report)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _begin(out: Path, said: dict[str, Any]) -> None:
    """Have a state of this run, made where there is none yet.

    Raises:
        BatchError: Something else is there.
    """
    state = out / STATE
    others = [path.name for path in out.iterdir() if path.name != STATE]
    if not (state / _RUN).exists():
        if others:
            raise BatchError(
                f"{out} is not empty, and holds no run of this to go on with. Name another folder."
            )
        state.mkdir(exist_ok=True)
        write_whole(state / _RUN, _as_json(said))
        return
    if json.loads((state / _RUN).read_bytes()) != said:
        raise BatchError(
            f"{out} holds a run with another recipe, other images or other options, which was "
            "stopped. Repeat it as it was to go on, or name another folder."
        )


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    with (state / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BatchError("Another run is writing to this folder now.") from error
        except OSError:
            pass  # A file system without locks.
        yield


def _as_json(document: Any) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode(errors="surrogateescape")
