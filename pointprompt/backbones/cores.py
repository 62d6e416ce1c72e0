"""Threads that compute on one core each, for work that is not worth sharing among all cores.

Knows how torch counts threads. Does not know what is computed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

# How many threads torch takes is told to one thread, but is also what later ones begin with.
_TELLING = threading.Lock()


@contextmanager
def thread_a_core() -> Iterator[ThreadPoolExecutor]:
    """As many threads as torch would take here, in each of which it takes only one.

    The number that torch takes in other threads, now and later, is left as it is.
    """
    with _TELLING:
        cores = torch.get_num_threads()
        told = threading.Barrier(cores + 1)

        def tell() -> None:
            torch.set_num_threads(1)
            # A thread takes what it was told when it is first used, and keeps that.
            torch.get_num_threads()
            told.wait()

        pool = ThreadPoolExecutor(cores, thread_name_prefix="core")
        for _ in range(cores):
            pool.submit(tell)
        told.wait()
        torch.set_num_threads(cores)
    with pool:
        yield pool
