"""The app in a process of its own, on a free port, with a folder of its own for temporary files.

Knows processes. Knows nothing of what the app does.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from tests.serving import ROOT, environment

_START_SECONDS = 120.0


class Server:
    """`python app.py`.

    Attributes:
        url: Where it is.
        temporary: Its folder of temporary files: what is in there is what it left.
    """

    def __init__(self, temporary: Path, *options: str) -> None:
        """Start it and wait until it answers."""
        self.temporary = temporary
        self._options = options
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._log = (temporary.parent / "server.log").open("ab")
        self.start()

    def start(self) -> None:
        """Start it, again where it was stopped, on the same port.

        Raises:
            RuntimeError: It does not come up.
        """
        self._process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(self._port), *self._options],
            cwd=ROOT,
            env=environment(self.temporary, {}),
            stdout=self._log,
            stderr=self._log,
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(URLError, OSError), urlopen(self.url, timeout=5):
                return
            time.sleep(0.1)
        raise RuntimeError("The server does not start; see its log.")

    def stop(self, number: signal.Signals) -> tuple[int, float]:
        """Its exit code and the seconds until it was gone, after a signal."""
        begin = time.monotonic()
        self._process.send_signal(number)
        code = self._process.wait(timeout=60)
        return code, time.monotonic() - begin

    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process.poll() is None

    def nbytes(self) -> int:
        """Bytes of memory that it and its processes hold, what they share counted once."""
        total = 0
        with contextlib.suppress(psutil.Error):
            server = psutil.Process(self._process.pid)
            for process in (server, *server.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    held = process.memory_full_info()
                    total += getattr(held, "pss", held.rss)
        return total

    def log(self) -> str:
        """What all its runs have written."""
        return (self.temporary.parent / "server.log").read_text(errors="replace")

    def leftovers(self) -> list[Path]:
        """Files in its folder of temporary files."""
        return [path for path in self.temporary.rglob("*") if path.is_file()]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
