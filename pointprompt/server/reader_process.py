"""The program of a process that reads images and videos for `readers`, within a memory and a time.

It speaks JSON and raw bytes, nothing that could run in the process that asks: what reads a hostile
file is not trusted either. Knows `photos.read` and `video`. Does not know sets, nor who else reads.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import time
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pointprompt.sources import video
from pointprompt.sources.decode import Sized
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import ImageError, Limits, read
from pointprompt.types import Progress, ProgressFn

# To look at a file, and then to read it: a camera's photo takes a second on a slow machine.
SECONDS = 10.0
SECONDS_A_MEGAPIXEL = 0.25
_TELLING_SECONDS = 0.2
# Reading is to leave the processor to clicks.
_NICENESS = 5


def _serve(connection: Connection, max_bytes: int) -> None:
    """Answer until the other side is gone."""
    with contextlib.suppress(ValueError, OSError):  # Where the system has no such limit.
        resource.setrlimit(resource.RLIMIT_AS, (max_bytes, max_bytes))
    os.nice(_NICENESS)
    with contextlib.suppress(EOFError):
        while True:
            question = json.loads(connection.recv_bytes())
            _end_within(question)
            for part in _answer(question, connection):
                connection.send_bytes(part)
            signal.alarm(0)


def _answer(question: dict[str, Any], connection: Connection) -> list[bytes]:
    try:
        return (_video if "video" in question else _image)(question, connection)
    except ImageError as error:
        return [_json({"error": str(error)})]


def _image(question: dict[str, Any], connection: Connection) -> list[bytes]:
    framing = Framing(**question["framing"])
    sized = _telling_size(question, connection)
    photo, frame = read(Path(question["path"]), question["name"], framing, _limits(question), sized)
    told = {name: getattr(photo, name) for name in ("height", "width", "remark", "orientation")}
    return [_json(told), photo.preview, frame.tobytes()]


def _video(question: dict[str, Any], connection: Connection) -> list[bytes]:
    """What a video is, or what is to be said of its frames, once they are written."""
    path, limits, remarks = Path(question["path"]), _limits(question), list[str]()
    try:
        if question["video"] == "probe":
            return [_json(asdict(video.probe(path, limits)))]
        video.read_frames(
            path,
            question["folder"],
            question["every"],
            question["limit"],
            limits=limits,
            progress=_telling_progress(question, connection),
            note=remarks.append,
            sized=_telling_size(question, connection),
        )
    except MemoryError:
        return [_json({"error": "The video is too big for the memory of this computer."})]
    except OSError as error:
        if isinstance(error, (ImageError, BrokenPipeError)):
            raise
        return [_json({"errno": error.errno or 0})]
    return [_json({"remarks": remarks})]


def _telling_size(question: dict[str, Any], connection: Connection) -> Sized:
    """What says how large a picture is, and waits until there is memory for it."""
    is_told = False

    def sized(pixels: int) -> None:
        nonlocal is_told
        if not is_told:
            signal.alarm(0)
            connection.send_bytes(_json({"pixels": pixels}))
            connection.recv_bytes()
            _end_within(question)
        is_told = True

    return sized


def _telling_progress(question: dict[str, Any], connection: Connection) -> ProgressFn:
    """What says how far it has come: after each frame, and often enough to be seen alive."""
    told, done = time.monotonic(), 0

    def tell(progress: Progress) -> None:
        nonlocal told, done
        now = time.monotonic()
        if progress.done != done or now - told > _TELLING_SECONDS:
            told, done = now, progress.done
            connection.send_bytes(_json({"done": progress.done, "total": progress.total}))
            _end_within(question)

    return tell


def _limits(question: dict[str, Any]) -> Limits:
    return Limits(max_megapixels=question["megapixels"])


def _end_within(question: dict[str, Any]) -> None:
    """End this process if the answer takes absurdly long: a server that was killed cannot."""
    signal.alarm(int(2 * (SECONDS + question["megapixels"] * SECONDS_A_MEGAPIXEL)))


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])), int(sys.argv[2]))
