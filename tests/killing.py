"""Processes that work for ever until a test kills them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

# Far more than anything here takes; reached only by a test that fails.
PATIENCE = 60
# Copies of a process that has imported all of this and nothing else, so that twenty of them take
# seconds. Not of the one that runs the tests: that has threads, and what one of them holds at that
# moment, a lock of the allocator or of a library, no one in the copy would ever let go.
COPIES = get_context("forkserver")
COPIES.set_forkserver_preload(["tests.analysis.test_store", "tests.server.test_killed"])


@contextmanager
def working(work: Callable[..., None], *given: object) -> Iterator[tuple[int, Connection]]:
    """A process that does work: its number, and what it tells by its last argument, a connection.

    At the end of the block it is killed, or has been, whatever happens in the block.
    """
    told, tells = COPIES.Pipe(duplex=False)
    process = COPIES.Process(target=work, args=(*given, tells))
    process.start()
    # Here it would keep the pipe from ending.
    tells.close()
    assert process.pid is not None
    try:
        yield process.pid, told
    finally:
        process.kill()
        process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL


def tells_within(told: Connection) -> Any:
    """What a process tells next; a failure, not a test that hangs, where it tells nothing."""
    assert told.poll(PATIENCE)
    return told.recv()
