"""Heavy work in the background, which tells its progress and can be cancelled.

Knows threads. Knows nothing of gradio, of what the work is, or of whom it waits for.
"""

from __future__ import annotations

import contextvars
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from pointprompt.formats.hub_push import COMMIT_STAGE
from pointprompt.types import Progress, ProgressFn

T = TypeVar("T")

_TICK_SECONDS = 0.2
# The stages in which the work does what cannot be undone: from there on it is not cancelled.
LAST_STAGE = "open"
_LAST_STAGES = frozenset([LAST_STAGE, COMMIT_STAGE])


class Cancelled(Exception):
    """Raised inside the work when its job is cancelled."""


class Job(Generic[T]):
    """Work that runs in a thread of its own."""

    def __init__(self, work: Callable[[ProgressFn], T]) -> None:
        """Start the work; it gets the function that it tells its progress to."""
        self._work = work
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._is_cancelled = False
        self._newest = Progress("start", 0, 1)
        self._result: T
        self._error: BaseException | None = None
        # The context carries what a server knows about the request, such as whose GPU time it is.
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run,), daemon=True).start()

    def cancel(self) -> None:
        """End the job at once; the work stops at its next step, and nobody is told any more of it.

        When this returns the job has ended. One that was in its last stage has done its work.
        """
        with self._lock:
            if self._newest.stage not in _LAST_STAGES and not self._ended.is_set():
                self._is_cancelled = True
                self._end(Cancelled())
        self._ended.wait()

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, in whichever way."""
        return self._ended.is_set()

    @property
    def newest(self) -> Progress:
        """What it told last."""
        return self._newest

    def progress(self) -> Iterator[Progress]:
        """The newest progress, again and again until the job ends."""
        while not self._ended.wait(_TICK_SECONDS):
            yield self._newest

    def result(self) -> T:
        """What the work returned, once it has ended.

        Raises:
            Cancelled: The job was cancelled.
            Exception: What the work raised.
        """
        self._ended.wait()
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._note(self._newest)
            result = self._work(self._note)
        except BaseException as error:
            _let_go(error)
            with self._lock:
                self._end(error)
        else:
            with self._lock:
                if not self._is_cancelled:
                    self._result = result
                    self._end(None)

    def _end(self, error: BaseException | None) -> None:
        if not self._ended.is_set():
            self._error = error
            self._ended.set()

    def _note(self, progress: Progress) -> None:
        with self._lock:
            if self._is_cancelled:
                raise Cancelled
            self._newest = progress


def _let_go(error: BaseException) -> None:
    """Have an error hold its lines only: the variables beside them are whole image sets."""
    for one in (error, error.__cause__, error.__context__):
        if one is not None:
            traceback.clear_frames(one.__traceback__)


class Jobs:
    """The newest job of every page."""

    def __init__(self) -> None:
        """Start with none."""
        # A running job is held by its thread. One that has ended must not be held here: its result
        # is a session, whose memory is to be free when the session is.
        self._jobs: WeakValueDictionary[str, Job[object]] = WeakValueDictionary()
        self._lock = threading.Lock()

    def start(self, page: str, work: Callable[[ProgressFn], T]) -> Job[T]:
        """A new job of this page; one that still runs is cancelled for it."""
        with self._lock:
            before = self._jobs.get(page)
            if before is not None:
                before.cancel()
            job = Job(work)
            self._jobs[page] = job  # type: ignore[assignment]
        return job

    def start_if_none(self, page: str, work: Callable[[ProgressFn], T]) -> Job[T] | None:
        """Start the work for a page that has no job under way; None where it has one."""
        with self._lock:
            before = self._jobs.get(page)
            if before is not None and not before.has_ended:
                return None
            job = Job(work)
            self._jobs[page] = job  # type: ignore[assignment]
        return job

    def is_newest(self, page: str, job: Job[T]) -> bool:
        """Whether the page has started no other job since."""
        with self._lock:
            return self._jobs.get(page) is job

    def cancel(self, page: str) -> None:
        """Cancel the page's job, if it has one; when this returns it has ended."""
        with self._lock:
            job = self._jobs.get(page)
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
