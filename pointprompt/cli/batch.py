"""A recipe over a folder or a video -> files, streamed; a run that was stopped goes on.

Knows recipes applied, writers, and the folder they write to. Does not know the terminal.

    OUT/...                     what the formats write, as images come
    OUT/apply.json              what was found, when all is done
    OUT/.pointprompt/run.json   until then: what was asked for
    OUT/.pointprompt/records/   what was found in each image
    OUT/.pointprompt/frames/    of a video, its frames

Whatever was killed, and when: the same command again gives the files that one run would have given.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pointprompt.applying import apply
from pointprompt.cli.journal import (
    Journal,
    Record,
    key_of_file,
    names_in,
    packed,
    write_whole,
)
from pointprompt.formats.archive import FolderWriter
from pointprompt.formats.format import DEFAULT_OPTIONS, Options
from pointprompt.recipes import file as recipe_file
from pointprompt.recipes.applied import Applied
from pointprompt.recipes.recipe import Recipe
from pointprompt.sources.folder import image_files
from pointprompt.sources.names import safe_names
from pointprompt.sources.photos import ImageError, Limits
from pointprompt.sources.video import is_video, read_frames
from pointprompt.types import Photo, ProgressFn

REPORT = "apply.json"
_STATE, _RUN, _LOCK, _READY = ".pointprompt", "run.json", "lock", "frames.json"
_ALL = 1 << 31


class BatchError(ValueError):
    """A run cannot be begun; the message says why, and what to do."""


@dataclass(frozen=True)
class Asked:
    """What a run is of.

    Attributes:
        recipe: The file of the recipe.
        images: A folder of images, or a video.
        out: The folder that files go to.
        formats: Names from `FORMATS`.
        options: What is chosen within formats.
        keeps_overlaps: As in `Labelled`.
        every: Of so many frames of a video one is taken.
        device: As for `apply`.
        limits: As for `apply`.
    """

    recipe: Path
    images: Path
    out: Path
    formats: tuple[str, ...]
    options: Options = DEFAULT_OPTIONS
    keeps_overlaps: bool = False
    every: int = 1
    device: str | None = None
    limits: Limits = field(default_factory=Limits)


class Failed(NamedTuple):
    """An image that could not be read: its path within what was asked for, and why."""

    name: str
    reason: str


@dataclass
class Report:
    """What a run has found so far.

    Attributes:
        images: How many there are.
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


class _Image(NamedTuple):
    """An image of a run: its file, what tells that it changed, its name there and in files."""

    path: Path
    key: str
    shown: str
    name: str


def run(
    asked: Asked,
    tell: Callable[[Report], None] = lambda _: None,
    progress: ProgressFn | None = None,
) -> Report:
    """Apply a recipe to a folder or a video, or go on with that.

    Args:
        asked: What it is of.
        tell: Told after every image.
        progress: As for `apply`.

    Raises:
        BatchError: The folder for files holds something else, or is in use.
        RecipeError: As for `apply`.
        ImageError: As for `apply`, or the folder has no images.
        OSError: A file cannot be written.
    """
    data = asked.recipe.read_bytes()
    recipe = recipe_file.decode(data)
    said = _said(asked, data)
    state = asked.out / _STATE
    # It says what cannot be had before anything is there.
    with _writer(asked, recipe, data, state) as writer:
        asked.out.mkdir(parents=True, exist_ok=True)
        finished = _finished(asked.out, said)
        if finished:
            shutil.rmtree(state, ignore_errors=True)
            return finished
        _begin(asked.out, said)
        with _alone(state):
            report = _work(asked, recipe, writer, tell, progress)
            write_whole(state / REPORT, _as_json({"run": said, "report": report.as_dict()}))
            # From here on this run is finished; what is left of its state is only in the way.
            (state / REPORT).replace(asked.out / REPORT)
    shutil.rmtree(state, ignore_errors=True)
    return report


def _writer(asked: Asked, recipe: Recipe, data: bytes, state: Path) -> FolderWriter:
    return FolderWriter(
        asked.out,
        state,
        things=recipe.as_things(),
        backbone=recipe.backbone,
        formats=asked.formats,
        options=asked.options,
        keeps_overlaps=asked.keeps_overlaps,
        recipe=lambda: data,
    )


def _work(
    asked: Asked,
    recipe: Recipe,
    writer: FolderWriter,
    tell: Callable[[Report], None],
    progress: ProgressFn | None,
) -> Report:
    state = asked.out / _STATE
    images = _images(asked, state, progress)
    journal = Journal(_made(state / "records"))
    report = Report(len(images), found={thing.name: 0 for thing in recipe.things})
    for image, record in _records(asked, recipe, images, journal, progress):
        if isinstance(record, str):
            report.failed.append(Failed(image.shown, record))
        else:
            _write(writer, record, report)
            if record.unlike:
                report.unlike.append(image.shown)
        report.done += 1
        tell(report)
    writer.finish()
    return report


def _write(writer: FolderWriter, record: Record, report: Report) -> None:
    masks = [record.mask(thing) for thing in range(len(record.masks))]
    counts = writer.add(record.photo, masks, record.heatmaps, record.presence)
    for name, count in zip(report.found, counts, strict=True):
        report.found[name] += count > 0


def _records(
    asked: Asked,
    recipe: Recipe,
    images: Sequence[_Image],
    journal: Journal,
    progress: ProgressFn | None,
) -> Iterator[tuple[_Image, Record | str]]:
    """What was found in each image, in their order, or why nothing was."""
    known = [journal.get(image.path, image.key) is not None for image in images]
    new = [image for image, is_known in zip(images, known, strict=True) if not is_known]
    applied = apply(
        recipe,
        [image.path for image in new],
        names=[image.name for image in new],
        device=asked.device,
        limits=asked.limits,
        progress=progress,
    )
    for image, is_known in zip(images, known, strict=True):
        record = journal.get(image.path, image.key)
        if record is None:
            if is_known:
                raise BatchError(f"{image.shown} changed while it was worked on. Run this again.")
            one = next(applied)
            if one.photo is None:
                yield image, one.reason
                continue
            record = _record(one, one.photo, image)
            journal.put(image.path, image.key, record)
        yield image, record


def _record(applied: Applied, photo: Photo, image: _Image) -> Record:
    found = list(applied.predictions.values())
    bare = Photo(
        photo.name, photo.height, photo.width, b"", image.path, photo.remark, photo.orientation
    )
    return Record(
        bare,
        tuple(packed(one.masks[0]) for one in found),
        np.stack([one.heatmaps[0] for one in found]),
        tuple(applied.presence.values()),
        applied.unlike,
    )


def _images(asked: Asked, state: Path, progress: ProgressFn | None) -> list[_Image]:
    """The images of a run, each with a name that no other one has."""
    if asked.images.is_dir():
        root, files = asked.images, image_files(asked.images)
        # What is written is not read again, where OUT is within the folder.
        out = asked.out.resolve()
        files = [file for file in files if out not in file.resolve().parents]
        if not files:
            raise ImageError(f"No image is in {asked.images} beside those in {asked.out}.")
        keys = [key_of_file(file) for file in files]
    elif is_video(asked.images):
        root, files = state / "frames", _frames(asked, state, progress)
        # They may be taken out anew, and are the same then.
        keys = ["frame"] * len(files)
    else:
        raise BatchError(f"{asked.images} is no folder and no video.")
    names = safe_names(names_in(root, files))
    shown = [file.relative_to(root).as_posix() for file in files]
    return [_Image(*one) for one in zip(files, keys, shown, names, strict=True)]


def _frames(asked: Asked, state: Path, progress: ProgressFn | None) -> list[Path]:
    """The frames of a video; those that are there already if all are."""
    folder, ready = _made(state / "frames"), state / _READY
    if ready.exists():
        return [folder / name for name in json.loads(ready.read_text(encoding="utf-8"))]
    files = read_frames(
        asked.images, folder, asked.every, _ALL, limits=asked.limits, progress=progress
    )
    write_whole(ready, _as_json([file.name for file in files]))
    return files


# --- The folder for files ------------------------------------------------------------------------


def _said(asked: Asked, recipe: bytes) -> dict[str, Any]:
    """What makes a run another one."""
    video = key_of_file(asked.images) if asked.images.is_file() else ""
    return {
        "version": 1,
        "recipe": hashlib.sha256(recipe).hexdigest(),
        "images": str(asked.images.resolve()),
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
    state = out / _STATE
    others = [path.name for path in out.iterdir() if path.name != _STATE]
    if not (state / _RUN).exists():
        if others:
            raise BatchError(
                f"{out} is not empty, and holds no run of this to go on with. Name another folder."
            )
        _made(state)
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


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _as_json(document: Any) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode(errors="surrogateescape")
