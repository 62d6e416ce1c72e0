"""Processes that work for ever until a test kills them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

# Far more than anything here takes; reached only by a test that fails.
PATIENCE = 60
# What is imported is there at once, so that twenty of them take seconds.
FORK = get_context("fork")


@contextmanager
def working(work: Callable[..., None], *given: object) -> Iterator[tuple[int, Connection]]:
    """A process that does work: its number, and what it tells by its last argument, a connection.

    At the end of the block it is killed, or has been.
    """
    told, tells = FORK.Pipe(duplex=False)
    process = FORK.Process(target=work, args=(*given, tells))
    process.start()
    # Here it would keep the pipe from ending.
    tells.close()
    assert process.pid is not None
    yield process.pid, told
    process.kill()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
