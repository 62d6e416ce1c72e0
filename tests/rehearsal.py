"""A ZeroGPU Space on this machine: its scheduler's stand-in, and its app.

The scheduler is an HTTP server that lends a GPU which is not there. All else is real: the app with
the package `spaces`, which forks its workers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil

from tests.serving import address_of

ROOT = Path(__file__).parent.parent

# The app, but its workers do not start CUDA, nor move the packed backbone to it.
_APP = """
import spaces.zero.torch

spaces.zero.torch.init = lambda uuid: None
spaces.zero.torch.move = lambda callback: None

from pointprompt.ui.command import main

main([])
"""


@dataclass
class Scheduler:
    """Who lends the GPU.

    Attributes:
        url: Its address.
        calls: Paths and parameters of what it was asked, in order.
        has_gpu: Whether it lends one.
    """

    url: str = ""
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    has_gpu: bool = True

    def asked(self, path: str) -> list[dict[str, str]]:
        """The parameters of all requests to a path."""
        return [parameters for asked, parameters in self.calls if asked == path]

    def answer(self, path: str) -> tuple[HTTPStatus, bytes]:
        if path != "/schedule":
            return HTTPStatus.OK, b""
        if not self.has_gpu:
            return HTTPStatus.SERVICE_UNAVAILABLE, b""
        number = len(self.asked("/schedule"))
        # Idle: a worker that is still there may be used again.
        lent = {"idle": True, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0"}
        return HTTPStatus.OK, json.dumps({**lent, "allowToken": f"token-{number}"}).encode()


@contextmanager
def scheduling() -> Iterator[Scheduler]:
    """A scheduler, as long as the context lasts."""
    scheduler = Scheduler()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            address = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(address.query).items()}
            scheduler.calls.append((address.path, parameters))
            status, body = scheduler.answer(address.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        scheduler.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield scheduler
        server.shutdown()


@dataclass(frozen=True)
class Space:
    """The app.

    Attributes:
        url: Its address.
        pid: Its process.
        packed: The folder where backbones lie that wait for a GPU.
    """

    url: str
    pid: int
    packed: Path


@contextmanager
def serving(scheduler: Scheduler, folder: Path, variables: dict[str, str]) -> Iterator[Space]:
    """The app on a ZeroGPU Space of this scheduler, as long as the context lasts.

    Args:
        scheduler: Who lends the GPU.
        folder: An empty one, for the app's own files.
        variables: More environment variables of the app.
    """
    (folder / "cgroup").write_text("0::/space\n")
    packed = folder / "packed"
    environment = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "HF_HOME": str(folder / "weights"),
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "127.0.0.1",
        "POINTPROMPT_NO_STORE": "1",
        "PYTHONUNBUFFERED": "1",
        "SPACES_ZERO_DEVICE_API_URL": scheduler.url,
        "SPACES_ZERO_GPU": "true",
        "TMPDIR": str(folder),
        "ZEROGPU_OFFLOAD_DIR": str(packed),
        "ZEROGPU_PROC_SELF_CGROUP_PATH": str(folder / "cgroup"),
        **variables,
    }
    log = folder / "log.txt"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-c", _APP],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield Space(address_of(process, log), process.pid, packed)
        finally:
            # Its workers outlive it: on a Space they end with their container.
            for one in [*psutil.Process(process.pid).children(), process]:
                one.kill()
