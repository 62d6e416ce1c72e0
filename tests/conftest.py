"""For all tests: what they may rely on of the process they run in."""

from __future__ import annotations

import logging
import shutil
import signal
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A shell's background job ignores SIGINT, and so would every server that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's affair.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def ray_here() -> Iterator[None]:
    """Ray on this computer, with two cores: started once, for it takes seconds."""
    import ray

    # Its sockets lie there, whose paths may not be long.
    folder = tempfile.mkdtemp(prefix="ray-")
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=200_000_000,
        _temp_dir=folder,
    )
    yield
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)
