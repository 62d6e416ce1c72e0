"""Turns at what cannot be done by everybody at once, and the thread that the heaviest work is for.

Who waits is told how many come before them. Knows threads. Knows nothing of what is done, nor of
pages.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from pointprompt.types import Progress, ProgressFn

T = TypeVar("T")

# How often somebody who waits is asked whether they still want to.
_TICK_SECONDS = 0.2


@dataclass(eq=False)
class Place:
    """Somebody's place in the line; they wait once they are ready, until they have their turn."""

    amount: int = 0
    is_ready: bool = False
    has_turn: bool = False


class Turns:
    """Turns at a thing of which there is so much, first come first served.

    Who came first has the first turn, of all who are ready for theirs: those who are not hold up
    nobody, and keep their place.
    """

    def __init__(self, total: int = 1, stage: str = "wait") -> None:
        """There is so much of it; who waits is told so as this stage of progress."""
        self._total = total
        self._stage = stage
        self._line: list[Place] = []  # In the order in which they came.
        self._changed = threading.Condition()

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A place in the line, at its end, kept within the block."""
        place = Place()
        with self._changed:
            self._line.append(place)
        try:
            yield place
        finally:
            with self._changed:
                self._line.remove(place)
                self._changed.notify_all()

    @contextmanager
    def turn(self, place: Place, progress: ProgressFn, amount: int = 1) -> Iterator[None]:
        """Have so much of it within the block, once everybody before who is ready has theirs.

        Args:
            place: In this line.
            progress: Told, at once and several times a second while this waits, how many come
                before: as the total of the stage. It may raise to give up.
            amount: How much; who asks for more than there is gets all of it, alone.
        """
        with self._changed:
            place.amount, place.is_ready = min(amount, self._total), True
        try:
            while (before := self._enter(place)) is not None:
                progress(Progress(self._stage, 0, before))
                with self._changed:
                    self._changed.wait_for(lambda: self._before(place) != before, _TICK_SECONDS)
            yield
        finally:
            with self._changed:
                place.is_ready = place.has_turn = False
                self._changed.notify_all()

    @contextmanager
    def take(self, amount: int, progress: ProgressFn) -> Iterator[None]:
        """Have so much of it within the block, from the end of the line. See `turn`."""
        with self.place() as place, self.turn(place, progress, amount):
            yield

    def _enter(self, place: Place) -> int | None:
        """Have the turn and return None; or, where it has not come, how many come before."""
        with self._changed:
            taken = sum(other.amount for other in self._line if other.has_turn)
            waiting = next(one for one in self._line if one.is_ready and not one.has_turn)
            if waiting is not place or taken + place.amount > self._total:
                return self._before(place)
            place.has_turn = True
            self._changed.notify_all()  # There may be room for the next one too.
            return None

    def _before(self, place: Place) -> int:
        earlier = self._line[: self._line.index(place)]
        overtaking = sum(other.has_turn for other in self._line[len(earlier) + 1 :])
        return len(earlier) + overtaking


class Lane:
    """One thread that does one piece of work after another, for as long as the process lives.

    Libraries keep threads and memory of their own for every thread that calls them: work that is
    always done by the same one does not make them grow.
    """

    def __init__(self, name: str) -> None:
        """Start the thread."""
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        # As a daemon: a server that is stopped does not wait for the end of what it does.
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def do(self, work: Callable[[], T]) -> T:
        """What the work returns or raises, done by that thread, in the context of the caller."""
        future: Future[T] = Future()
        # What a server knows about the request, such as whose GPU time it is, goes along.
        context = contextvars.copy_context()
        self._calls.put(partial(_fulfil, future, context, work))
        try:
            return future.result()
        finally:
            del future  # An error holds this frame, and must not hold itself by it.

    def _serve(self) -> None:
        while True:
            # In no variable: what was done must not be held until there is more to do.
            self._calls.get()()


def _fulfil(future: Future[Any], context: contextvars.Context, work: Callable[[], Any]) -> None:
    try:
        future.set_result(context.run(work))
    except BaseException as error:
        future.set_exception(error)
        del future  # As above.
