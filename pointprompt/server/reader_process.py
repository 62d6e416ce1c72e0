"""The program of a process that reads image files for `readers`, within a memory and a time.

It speaks JSON and raw bytes, nothing that could run in the process that asks: what reads a hostile
file is not trusted either. Knows `photos.read`. Does not know sets, nor who else reads.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import ImageError, Limits, read

# To look at a file, and then to read it: a camera's photo takes a second on a slow machine.
SECONDS = 10.0
SECONDS_A_MEGAPIXEL = 0.25
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
    is_told = False

    def sized(pixels: int) -> None:
        """Say how large it is, and wait until there is memory for it."""
        nonlocal is_told
        if not is_told:
            signal.alarm(0)
            connection.send_bytes(_json({"pixels": pixels}))
            connection.recv_bytes()
            _end_within(question)
        is_told = True

    path, limits = Path(question["path"]), Limits(max_megapixels=question["megapixels"])
    framing = Framing(**question["framing"])
    try:
        photo, frame = read(path, question["name"], framing, limits, sized)
    except ImageError as error:
        return [_json({"error": str(error)})]
    told = {name: getattr(photo, name) for name in ("height", "width", "remark", "orientation")}
    return [_json(told), photo.preview, frame.tobytes()]


def _end_within(question: dict[str, Any]) -> None:
    """End this process if the answer takes absurdly long: a server that was killed cannot."""
    signal.alarm(int(2 * (SECONDS + question["megapixels"] * SECONDS_A_MEGAPIXEL)))


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])), int(sys.argv[2]))
