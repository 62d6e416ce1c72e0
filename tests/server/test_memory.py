from __future__ import annotations

import subprocess
import sys

import pytest

from pointprompt.server import memory

# Of many small pieces a last one is kept: what lies below it is not given back by itself.
_PROGRAM = """
import psutil
from pointprompt.server import memory

memory.share_pools()
blocks = [bytearray(10_000) for _ in range(20_000)]
held = blocks[-1:]
del blocks
before = psutil.Process().memory_info().rss
memory.give_back()
print(before - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is the allocator of Linux")
def test_freed_memory_is_given_back_to_the_system():
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) > 100_000_000


def test_where_the_allocator_is_another_nothing_is_done(monkeypatch):
    memory._libc.cache_clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    memory.share_pools()
    memory.give_back()
    assert memory._libc() is None
    memory._libc.cache_clear()
