"""Heavy work in the background, which tells its progress and can be cancelled.

Knows threads. Knows nothing of gradio or of what the work is.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from pointprompt.types import Progress, ProgressFn

T = TypeVar("T")

# Analyses share the machine's cores and memory, so they take turns.
_TURN = threading.Lock()
_TICK_SECONDS = 0.2


class Cancelled(Exception):
    """Raised inside the work when its job is cancelled."""


class Job(Generic[T]):
    """Work that runs in a thread of its own, one job of the process at a time."""

    def __init__(self, work: Callable[[ProgressFn], T]) -> None:
        """Start the work; it gets the function that it tells its progress to."""
        self._work = work
        self._cancelled = threading.Event()
        self._finished = threading.Event()
        self._newest = Progress("wait", 0, 1)
        self._result: T
        self._error: BaseException | None = None
        # The context carries what a server knows about the request, such as whose GPU time it is.
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run,), daemon=True).start()

    def cancel(self) -> None:
        """Have the work stop at its next step."""
        self._cancelled.set()

    def progress(self) -> Iterator[Progress]:
        """The newest progress, again and again until the work ends; "wait" before its turn."""
        while not self._finished.wait(_TICK_SECONDS):
            yield self._newest

    def result(self) -> T:
        """What the work returned, once it has ended.

        Raises:
            Cancelled: The job was cancelled.
            Exception: What the work raised.
        """
        self._finished.wait()
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._wait_for_turn()
            try:
                self._note(Progress("start", 0, 1))
                self._result = self._work(self._note)
            finally:
                _TURN.release()
        except BaseException as error:
            self._error = error
        finally:
            self._finished.set()

    def _wait_for_turn(self) -> None:
        while not _TURN.acquire(timeout=_TICK_SECONDS):
            self._stop_if_cancelled()

    def _note(self, progress: Progress) -> None:
        self._newest = progress
        self._stop_if_cancelled()

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled


class Jobs:
    """The running job of every page."""

    def __init__(self) -> None:
        """Start with none."""
        # A running job is held by its thread. One that has ended must not be held here: its result
        # is a session, whose memory is to be free when the session is.
        self._jobs: WeakValueDictionary[str, Job[object]] = WeakValueDictionary()
        self._lock = threading.Lock()

    def start(self, page: str, work: Callable[[ProgressFn], T]) -> Job[T]:
        """A new job of this page; one that still runs is cancelled for it."""
        job = Job(work)
        with self._lock:
            before = self._jobs.get(page)
            self._jobs[page] = job  # type: ignore[assignment]
        if before is not None:
            before.cancel()
        return job

    def cancel(self, page: str) -> None:
        """Cancel the page's job, if it has one."""
        with self._lock:
            job = self._jobs.pop(page, None)
        if job is not None:
            job.cancel()


class Eta:
    """Seconds that an analysis will still take, from the pace it has shown."""

    # On two cores: solving the cut takes as long for 8 images as for 100, spreading it does not.
    _CUT_SECONDS = 4.0
    _CUT_SECONDS_AN_IMAGE = 0.1
    _COLOR_SECONDS = 2.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the clock."""
        self._clock = clock
        self._stage = ""
        self._started = 0.0
        self._images = 0

    def seconds_left(self, progress: Progress) -> float | None:
        """Seconds, or None while nothing can be said yet."""
        if progress.stage != self._stage:
            self._stage, self._started = progress.stage, self._clock()
        if progress.stage in ("read", "features"):
            self._images = progress.total
        elapsed = self._clock() - self._started
        after = self._COLOR_SECONDS
        cut = self._CUT_SECONDS + self._images * self._CUT_SECONDS_AN_IMAGE
        if progress.stage == "features":
            if progress.done == 0:
                return None
            pace = elapsed / progress.done
            return pace * (progress.total - progress.done) + cut + after
        if progress.stage == "cut":
            return max(0.0, cut - elapsed) + after
        if progress.stage == "colors":
            return max(0.0, after - elapsed)
        return None
