"""Reads images in processes of their own, so that whatever a file does harms only itself.

A file that takes too long or too much memory, or that crashes its decoder, ends the process that
reads it and nothing else: it is told as any other image that cannot be used. Knows processes and
`photos.read`. Does not know formats, sets, pages or sessions; nor videos, whose frames `videos`
has taken out by the same processes.

What such a process does is in `reader_process`.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing import Pipe
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np

from pointprompt.server import reader_process
from pointprompt.server.reader_process import SECONDS, SECONDS_A_MEGAPIXEL
from pointprompt.server.turns import Turns
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import ImageError, ImageSource, Limits, read
from pointprompt.types import ByteArray, Photo, Progress, ProgressFn

TOO_SLOW = "Reading the file takes too long: it is damaged, or made to do so."
CRASHED = "The file is damaged: reading it failed."

# A picture, and the same set upright: Pillow holds 4 bytes a pixel.
_BYTES_A_PIXEL = 8
# How often who waits for an answer is asked whether they still want it.
_TICK_SECONDS = 0.2
# Processes that wait for the next image. Starting one takes a quarter of a second.
_KEPT = 2
# An answer without its pixels.
_MAX_TEXT_BYTES = 1 << 16
_MAX_PREVIEW_BYTES = 16 << 20
# What a process may take besides the picture: the interpreter and its libraries.
_OVERHEAD_BYTES = 1 << 30


class Stopped(Exception):
    """The reading was given up: nobody waits for it any more."""


@dataclass
class Readers:
    """Processes that read images, for all sets that are read at a time.

    Attributes:
        most: Processes at a time. More images wait, first come first served.
        max_bytes: What all images that are being decoded may take together, by their size; one
            that alone takes more is decoded alone.
        max_image_bytes: What a process may take for an image before it is ended.
    """

    most: int = 8
    max_bytes: int = 3 << 29
    max_image_bytes: int = 3 << 30
    _idle: list[Process] = field(default_factory=list, repr=False)
    _started: WeakSet[Process] = field(default_factory=WeakSet, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._slots = Turns(self.most)
        self._memory = Turns(self.max_bytes)

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """What reads the images of one set, from several threads if need be.

        At the end of the block, whatever ends it, its processes are ended with what they do.
        """
        reader = Reader(self)
        try:
            yield reader
        finally:
            reader.stop()

    def close(self) -> None:
        """End all processes, whatever they do: there is nothing left to read."""
        with self._lock:
            started, self._idle = list(self._started), []
        for process in started:
            process.interrupt()

    def _take(self) -> Process:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive():
                    return process
            process = Process(self.max_image_bytes + _OVERHEAD_BYTES)
            self._started.add(process)
            return process

    def _give_back(self, process: Process) -> None:
        with self._lock:
            if process.is_alive() and len(self._idle) < _KEPT:
                self._idle.append(process)
                return
        process.kill()


class Reader:
    """Reads the images of one set; called as `photos.read` is."""

    def __init__(self, readers: Readers) -> None:
        """Read in the processes of `readers`."""
        self._readers = readers
        self._stopped = threading.Event()
        self._busy: set[Process] = set()
        self._lock = threading.Lock()

    def __call__(
        self, source: ImageSource, name: str, framing: Framing, limits: Limits
    ) -> tuple[Photo, ByteArray]:
        """As `photos.read`, for a file.

        Raises:
            ImageError: As there; or it takes too long, too much memory, or its reader crashed.
            Stopped: `stop` was called.
        """
        if not isinstance(source, (str, Path)):
            return read(source, name, framing, limits)
        path = Path(source)
        with self.process(self._go_on) as process:
            asked = {
                "path": os.fspath(path.absolute()),
                "name": name,
                "framing": asdict(framing),
                "megapixels": limits.max_megapixels,
            }
            pixels = process.ask(asked, SECONDS)["pixels"]
            with self.memory(pixels * _BYTES_A_PIXEL, self._go_on):
                answer = process.ask({}, SECONDS + pixels / 1e6 * SECONDS_A_MEGAPIXEL)
                preview = process.receive(_MAX_PREVIEW_BYTES)
                shape = framing.shape(answer["height"], answer["width"])
                frame = process.receive(math.prod(shape) * 3)
        photo = Photo(
            name=name,
            height=answer["height"],
            width=answer["width"],
            preview=preview,
            source=path,
            remark=answer["remark"],
            orientation=answer["orientation"],
        )
        return photo, np.frombuffer(frame, np.uint8).reshape(*shape, 3)

    def stop(self) -> None:
        """End what is being read, at once."""
        self._stopped.set()
        with self._lock:
            for process in self._busy:
                process.interrupt()

    @contextmanager
    def process(self, waiting: ProgressFn) -> Iterator[Process]:
        """A process that reads one file within the block, once there is one.

        Args:
            waiting: Told now and then while all are busy; it may raise to give up.

        Raises:
            ImageError: What the process says, or its reader crashed; within the block.
            Stopped: `stop` was called.
        """
        with self._readers._slots.take(1, waiting), self._process() as process:
            yield process

    def memory(self, nbytes: int, waiting: ProgressFn) -> AbstractContextManager[None]:
        """So much of the memory of all readers, within the block. `waiting` is as for `process`."""
        return self._readers._memory.take(nbytes, waiting)

    def _go_on(self, _: Progress | None = None) -> None:
        if self._stopped.is_set():
            raise Stopped

    @contextmanager
    def _process(self) -> Iterator[Process]:
        process = self._readers._take()
        with self._lock:
            self._busy.add(process)
        try:
            self._go_on()
            yield process
        except EOFError as error:
            process.kill()
            self._go_on()
            raise ImageError(CRASHED) from error
        except ImageError:
            raise
        except BaseException:
            process.kill()
            raise
        finally:
            with self._lock:
                self._busy.discard(process)
            self._readers._give_back(process)


class Process:
    """This side of one process."""

    def __init__(self, max_bytes: int) -> None:
        self._connection, theirs = Pipe()
        package_parent = str(Path(__file__).parents[__name__.count(".")])
        environment = os.environ | {
            # More would take memory, and one image has nothing for them to do.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(
                filter(None, [package_parent, os.environ.get("PYTHONPATH")])
            ),
        }
        self._popen = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-m", reader_process.__name__, str(theirs.fileno()), str(max_bytes)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # What decoders print of a hostile file is no news of this server.
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        theirs.close()

    def ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer, within so many seconds.

        Raises:
            ImageError: What the process says against the file, or it takes too long.
            EOFError: The process ended.
        """
        self.send(question)
        return self.answer(seconds)

    def answer(self, seconds: float, waiting: Callable[[], None] | None = None) -> dict[str, Any]:
        """The next answer, as for `ask`; `waiting` is called now and then, and may raise."""
        deadline = time.monotonic() + seconds
        while not self._connection.poll(min(seconds, _TICK_SECONDS) if waiting else seconds):
            if waiting:
                waiting()
            if time.monotonic() >= deadline:
                self.kill()
                raise ImageError(TOO_SLOW)
        answer: dict[str, Any] = json.loads(self.receive(_MAX_TEXT_BYTES))
        if "error" in answer:
            raise ImageError(str(answer["error"]))
        return answer

    def receive(self, most: int) -> bytes:
        """The next bytes.

        Raises:
            EOFError: The process ended, or sends more.
        """
        try:
            return self._connection.recv_bytes(most)
        except OSError as error:
            raise EOFError from error

    def interrupt(self) -> None:
        """End it from another thread: whoever waits for its answer is told that it ended."""
        self._popen.kill()

    def kill(self) -> None:
        """End it, at once, and let go of all that it held here."""
        self._popen.kill()
        self._popen.wait()
        self._connection.close()

    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._popen.poll() is None and not self._connection.closed

    def send(self, question: dict[str, Any]) -> None:
        """Say something that no answer is waited for here.

        Raises:
            EOFError: The process ended.
        """
        try:
            self._connection.send_bytes(json.dumps(question).encode())
        except OSError as error:
            raise EOFError from error
