"""A number of anything that may be taken at a time, first come first served.

Knows threads. Does not know what is counted: bytes, processes, turns.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# How often somebody who waits is asked whether they still want to.
_TICK_SECONDS = 0.2


class Budget:
    """So much in all. Who asks for more than there ever is gets all of it, alone."""

    def __init__(self, total: int) -> None:
        """Nothing of it is taken yet."""
        self._total = total
        self._left = total
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, amount: int, go_on: Callable[[], None]) -> Iterator[None]:
        """Hold so much within the block, once it is there and everybody before has theirs.

        Args:
            amount: How much.
            go_on: Called again and again while this waits; it may raise to give up.
        """
        amount = min(amount, self._total)
        self._acquire(amount, go_on)
        try:
            yield
        finally:
            with self._changed:
                self._left += amount
                self._changed.notify_all()

    def _acquire(self, amount: int, go_on: Callable[[], None]) -> None:
        me = object()
        with self._changed:
            self._waiting.append(me)
            try:
                while self._waiting[0] is not me or self._left < amount:
                    self._changed.wait(_TICK_SECONDS)
                    go_on()
                self._left -= amount
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()
