"""The page, served by `app.py` as a process of its own, as a person or a container starts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
# Becomes process 1 of a namespace of its own, as in a container.
AS_PROCESS_1 = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
# Far more than anything takes; reached only by a test that fails.
PATIENCE = 120


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: Its address, without a slash at the end.
        process: What was started.
        pid: The server's process, which is another one where something starts it.
        log: The file with what it prints.
    """

    url: str
    process: subprocess.Popen[bytes]
    pid: int
    log: Path

    def end(self, signal_number: int) -> int:
        """Send a signal, and return the exit status of what was started."""
        os.kill(self.pid, signal_number)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(
    temporary: Path,
    *options: str,
    starter: Sequence[str] = (),
    python: Path | str = sys.executable,
    project: Path = ROOT,
    folder: Path | None = None,
    variables: dict[str, str] | None = None,
) -> Iterator[Server]:
    """A server, until the block ends.

    Args:
        temporary: The folder for temporary files, the server's own folder among them.
        options: Of the command.
        starter: A command before it.
        python: Runs it.
        project: Where `app.py` lies.
        folder: The working directory; None takes the project.
        variables: More environment variables.

    Raises:
        RuntimeError: It ended instead of serving.
    """
    log = temporary.parent / f"{temporary.name}-{os.urandom(4).hex()}.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*starter, str(python), str(project / "app.py"), *options],
            cwd=folder or project,
            env=environment(temporary, variables or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            url = address_of(process, log)
            pid = psutil.Process(process.pid).children()[0].pid if starter else process.pid
            yield Server(url, process, pid, log)
        finally:
            process.kill()


def environment(temporary: Path, variables: dict[str, str]) -> dict[str, str]:
    """This process's, without settings of Python or the page that a developer may have made."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GRADIO_", "POINTPROMPT_", "PYTHON"))
    }
    ours = {
        "HF_HUB_OFFLINE": "1",
        "POINTPROMPT_NO_STORE": "1",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(temporary),
    }
    return {**kept, **ours, **variables}


def address_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where a server serves, by what it prints, once it does.

    Raises:
        RuntimeError: It ended before.
    """
    while process.poll() is None:
        found = re.search(r"http://(127\.0\.0\.1|localhost):\d+", log.read_text(errors="replace"))
        if found:
            return found.group()
        threading.Event().wait(0.05)
    raise RuntimeError(f"The server ended: {log.read_text(errors='replace')}")
