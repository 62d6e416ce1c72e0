"""Frames of visitors' videos, taken out in the processes that read images: a file is as hostile.

Knows `readers` and `sources.video`. Does not know sessions, pages, nor what becomes of the frames.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pointprompt.server.fetching import Fetch, is_among, link_file
from pointprompt.server.reader_process import SECONDS, SECONDS_A_MEGAPIXEL
from pointprompt.server.readers import TOO_SLOW, Reader, Readers
from pointprompt.server.session_files import subfolder
from pointprompt.sources import video
from pointprompt.sources.photos import ImageError, Limits
from pointprompt.sources.video import VideoInfo, frames_said, is_video
from pointprompt.types import Photo, Progress, ProgressFn

# All of a video together: one that a phone took is read in a tenth of that.
VIDEO_SECONDS = 300.0

# A decoder holds about twenty frames of 1.5 bytes a pixel, and one as a picture, upright.
_BYTES_A_PIXEL = 40
# Left free on the disk for all else.
_SPARE_BYTES = 256 * 10**6
# Of what videos say of themselves, so that a slider need not ask again.
_KEPT = 500

Note = Callable[[str], None]


class _Key(NamedTuple):
    """A file as it is now."""

    path: str
    size: int
    changed: int


class _Asked(NamedTuple):
    """Frames that are asked for: what `read_frames` takes."""

    path: Path
    folder: Path
    every: int
    most: int


class Videos:
    """Reads the videos of all visitors. Safe to use from several threads."""

    def __init__(self, readers: Readers | None, limits: Limits) -> None:
        """Read in these processes, or in this one where there are none."""
        self._readers = readers
        self._limits = limits
        self._infos: dict[_Key, VideoInfo | str] = {}
        self._lock = threading.Lock()

    def probe(self, path: Path, *, again: bool = False) -> VideoInfo:
        """What a video says of itself; what was wrong with it is remembered too, unless `again`.

        Raises:
            ImageError: It cannot be used; or it takes too long, too much memory, or its reader
                crashed.
        """
        key = _key_of(path)
        info = self._infos.get(key)
        if info is None or (again and isinstance(info, str)):
            try:
                info = self._probe(path)
            except ImageError as error:
                info = str(error)
            with self._lock:
                while len(self._infos) >= _KEPT:
                    del self._infos[next(iter(self._infos))]
                self._infos[key] = info
        if isinstance(info, str):
            raise ImageError(info)
        return info

    def fetch(
        self,
        files: Sequence[str | Path],
        every: object,
        joined: Callable[[], Sequence[Photo]],
        note: Note,
    ) -> Fetch:
        """A `Fetch` of files that are on this disk already: of videos, every so many-th frame.

        Videos have the room that images leave. One that cannot be used is told, where there is
        anything else.

        Args:
            files: Images and videos, in order.
            every: What a browser sent, whatever that is; it counts only where there are videos.
            joined: The photos of the set that they join, asked for when they are fetched. Frames
                that are among them take no room.
            note: Told what there is to say of a video, with its name.
        """

        def fetch(folder: Path, progress: ProgressFn) -> list[Path]:
            paths, failed, photos = list[Path](), list[str](), joined()
            left = self._limits.max_images - len(photos) - _new_images(files, photos)
            for index, file in enumerate(map(Path, files)):
                if not is_video(file):
                    paths.append(link_file(file, folder, index))
                    continue
                # Frames that are there already are found only by their pixels.
                most = self._limits.max_images if photos else left
                asked = _Asked(file, subfolder(folder, str(index)), _whole(every), max(most, 0))
                try:
                    frames = self._frames(asked, progress, note)
                except ImageError as error:
                    failed.append(f"{file.name}: {error}")
                    continue
                new = [frame for frame in frames if not is_among(frame, photos)]
                over = new[max(left, 0) :]
                left -= len(new) - len(over)
                paths += [frame for frame in frames if frame not in over]
                self._note_room(asked, len(new), len(over), note)
            if failed and not paths:
                raise ImageError(" ".join(failed))
            for one in failed:
                note(one)
            return paths

        return fetch

    def _note_room(self, asked: _Asked, new: int, over: int, note: Note) -> None:
        """Say that of a video's new frames so many are over, and those that were not read."""
        unread = max(0, -(-self.probe(asked.path).frames // asked.every) - asked.most)
        if over or unread:
            room = f"room for only {new - over} of {new + unread} frames"
            note(f"{asked.path.name}: the set had {room}.")

    def _frames(self, asked: _Asked, progress: ProgressFn, note: Note) -> list[Path]:
        """The frames of a video that are asked for, as files; none where none is.

        Raises:
            ImageError: It has none that can be used.
        """
        self.probe(asked.path, again=True)
        if asked.most == 0:
            return []
        name = asked.path.name

        def say(remark: str) -> None:
            note(f"{name}: {remark}")

        if self._readers is None:
            return video.read_frames(*asked, limits=self._limits, progress=progress, note=say)
        try:
            with self._readers.reader() as reader:
                for remark in self._read(reader, asked, progress):
                    say(remark)
        except ImageError as error:
            # What was written before it took too long, or crashed, is whole.
            if not (files := _written(asked)):
                raise
            say(f"{error} {frames_said(files)}.")
        return _written(asked)

    def _read(self, reader: Reader, asked: _Asked, progress: ProgressFn) -> list[str]:
        """Have frames written, and return what there is to say of them."""
        newest = Progress("frames", 0, 1)

        def waiting(_: Progress | None = None) -> None:
            progress(newest)

        how = {"folder": str(asked.folder.absolute()), "every": asked.every, "limit": asked.most}
        with reader.process(waiting) as process:
            process.send({"video": "frames", **how, **self._of(asked.path)})
            pixels = int(process.answer(SECONDS, waiting)["pixels"])
            with reader.memory(pixels * _BYTES_A_PIXEL, waiting):
                process.send({})
                end = time.monotonic() + VIDEO_SECONDS
                seconds = SECONDS + pixels / 1e6 * SECONDS_A_MEGAPIXEL
                while "done" in (answer := process.answer(seconds, waiting)):
                    newest = Progress("frames", int(answer["done"]), int(answer["total"]))
                    waiting()
                    _leave_room(asked.folder)
                    if time.monotonic() > end:
                        process.kill()
                        raise ImageError(TOO_SLOW)
        if "errno" in answer:
            raise OSError(int(answer["errno"]), os.strerror(int(answer["errno"])))
        return [str(remark) for remark in answer["remarks"]]

    def _probe(self, path: Path) -> VideoInfo:
        if self._readers is None:
            return video.probe(path, self._limits)
        with self._readers.reader() as reader, reader.process(lambda _: None) as process:
            answer = process.ask({"video": "probe", **self._of(path)}, SECONDS)
        return VideoInfo(
            int(answer["frames"]),
            float(answer["seconds"]),
            int(answer["width"]),
            int(answer["height"]),
        )

    def _of(self, path: Path) -> dict[str, Any]:
        return {"path": str(path.absolute()), "megapixels": self._limits.max_megapixels}


def _key_of(path: Path) -> _Key:
    try:
        status = path.stat()
    except OSError as error:
        raise ImageError("There is no such file.") from error
    return _Key(str(path), status.st_size, status.st_mtime_ns)


def _new_images(files: Sequence[str | Path], photos: Sequence[Photo]) -> int:
    """How many of the files are images that are not among the photos."""
    return sum(not (is_video(file) or is_among(Path(file), photos)) for file in files)


def _leave_room(folder: Path) -> None:
    """Raise the error of a full disk before it is: a small video may hold large frames."""
    if shutil.disk_usage(folder).free < _SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _whole(every: object) -> int:
    """Of how many frames one is taken.

    Raises:
        ValueError: It is nothing that a browser with this page sends.
    """
    if isinstance(every, bool) or not isinstance(every, (int, float)) or not 1 <= every < 1e9:
        raise ValueError("Every how many frames one is taken must be a number from 1 on.")
    return int(every)


def _written(asked: _Asked) -> list[Path]:
    """The frames that are there, in order; what wrote them is not trusted."""
    files = sorted(asked.folder.glob("*.jpg"))
    return [file for file in files if file.is_file() and not file.is_symlink()][: asked.most]
