"""The app in a process of its own that is stopped and started again, always at the same address.

Knows processes. Knows nothing of what the app does.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from tests.serving import serving


class Server:
    """`python app.py`.

    Attributes:
        url: Where it is.
        temporary: Its folder of temporary files: what is in there is what it left.
    """

    def __init__(self, temporary: Path) -> None:
        """Start it and wait until it answers."""
        self.temporary = temporary
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._run = ExitStack()
        self.start()

    def start(self) -> None:
        """Start it, again where it was stopped.

        Raises:
            RuntimeError: It does not come up.
        """
        options = ("--port", str(self._port))
        self._served = self._run.enter_context(serving(self.temporary, *options))

    def stop(self, number: signal.Signals) -> tuple[int, float]:
        """Its exit code and the seconds until it was gone, after a signal."""
        begin = time.monotonic()
        code = self._served.end(number)
        seconds = time.monotonic() - begin
        self._run.close()
        return code, seconds

    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._served.process.poll() is None

    def nbytes(self) -> int:
        """Bytes of memory that it and its processes hold, what they share counted once."""
        total = 0
        with contextlib.suppress(psutil.Error):
            server = psutil.Process(self._served.pid)
            for process in (server, *server.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    held = process.memory_full_info()
                    total += getattr(held, "pss", held.rss)
        return total

    def log(self) -> str:
        """What all its runs have written."""
        logs = sorted(self.temporary.parent.glob(f"{self.temporary.name}-*.log"))
        return "".join(log.read_text(errors="replace") for log in logs)

    def leftovers(self) -> list[Path]:
        """Files in its folder of temporary files."""
        return [path for path in self.temporary.rglob("*") if path.is_file()]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
