"""Keeps the memory of a process that lives long as small as what it holds.

Knows the allocator of glibc, which keeps what is freed, in a pool for every thread. Where there is
another one, nothing is done.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any

# Of glibc's malloc.h.
_M_ARENA_MAX = -8
_ARENAS = 2


def share_pools() -> None:
    """Have all threads share a few pools; to be called before there are threads."""
    libc = _libc()
    if libc is not None:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Give freed memory back to the system."""
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)


@functools.cache
def _libc() -> Any:
    """The C library; None where it is not glibc."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
