"""How the server's process ends when it is asked to: what others left with it is done, at once.

Knows signals. Does not know what there is to clean up, nor gradio, whose threads it does not wait
for: an analysis or a download may take minutes.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
import traceback
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# Who stops a container kills it after ten.
_LONGEST_SECONDS = 5

_callbacks: list[Callable[[], None]] = []


def on_stop(callback: Callable[[], None]) -> None:
    """Call this once when the process ends, before what was left here earlier."""
    _callbacks.append(callback)


def install() -> None:
    """From now on, a signal that asks this process to stop ends it, also as process 1.

    What was left by `on_stop` is done then, and as well where the process ends of itself. The exit
    status is 0 for SIGTERM, which is how containers and service managers stop what has done
    nothing wrong; 128 + n for SIGINT and SIGHUP, as a shell would say. A signal that is ignored
    already, as SIGHUP under nohup, stays so. To be called in the main thread.
    """
    owner = os.getpid()

    def clean_up() -> None:
        # What was forked from this process has all this too, and must not clean up after it.
        if os.getpid() == owner:
            _clean_up()

    def stop(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        for other in _SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        status = 0 if number == signal.SIGTERM else 128 + number
        # Not threading's, whose locks may be held by what was interrupted here.
        start_new_thread(_end_later, (status,))
        with suppress(Exception):  # Whoever is writing was interrupted here.
            sys.stdout.flush()
        clean_up()
        # Not sys.exit: that waits for threads, and they may be computing.
        os._exit(status)

    atexit.register(clean_up)
    for number in _SIGNALS:
        # Without a handler, the kernel does not deliver these to process 1.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def _end_later(status: int) -> None:
    """End the process where cleaning up does not come to an end."""
    time.sleep(_LONGEST_SECONDS)
    os._exit(status)


def _clean_up() -> None:
    while _callbacks:
        try:
            _callbacks.pop()()
        except Exception:
            traceback.print_exc()  # The others are still to be called.
