"""A ZeroGPU Space on this machine: its scheduler's stand-in, its app, and its visitors.

The scheduler is an HTTP server that lends a GPU which is not there. All else is real: the app with
the package `spaces`, which forks its workers; and visitors who speak to the page as browsers do.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import psutil

from tests.serving import address_of

ROOT = Path(__file__).parent.parent
# Of the token grid: what is rehearsed is the way there and back, not the result.
INPUT_SIZE = 384
# Far more than anything takes; reached only by a test that fails.
PATIENCE = 120

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


@dataclass(frozen=True)
class Answer:
    """What the page is told at one time.

    Attributes:
        status: The words of the status line; empty where they stay as they are.
        failed: Whether they are those of a failure.
        session: The session to show; empty where there is none.
    """

    status: str
    failed: bool
    session: str


class Visitor:
    """Someone with the page in a browser."""

    def __init__(self, space: Space, name: str) -> None:
        """Open the page."""
        self._name = name
        self._http = httpx.Client(base_url=f"{space.url}/gradio_api/", timeout=PATIENCE)
        config = httpx.get(f"{space.url}/config").json()
        self._ids = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
        self._events = {
            tuple(target): dependency["id"]
            for dependency in config["dependencies"]
            for target in dependency["targets"]
        }

    def analyze(self, photos: Sequence[Path], backbone: str) -> Iterator[Answer]:
        """What the page is told, when it is told; the last is what came of it."""
        inputs = [backbone, INPUT_SIZE, "", "", self._upload(photos)]
        yield from self._press("pp-analyze", inputs)

    def add(self, photos: Sequence[Path]) -> Iterator[Answer]:
        """As `analyze`, of photos that join the set that was analysed."""
        yield from self._press("pp-add", [self._upload(photos)])

    def _upload(self, photos: Sequence[Path]) -> list[dict[str, Any]]:
        uploads = [("files", (photo.name, photo.read_bytes())) for photo in photos]
        return [
            {"path": path, "meta": {"_type": "gradio.FileData"}}
            for path in self._http.post("upload", files=uploads).json()
        ]

    def _press(self, button: str, inputs: list[Any]) -> Iterator[Answer]:
        event = self._event(button, inputs)
        # The Hub adds the header, by which the scheduler knows whose quota it is.
        self._http.post(
            "queue/join", json=event, headers={"X-IP-Token": self._name}
        ).raise_for_status()
        session = {"session_hash": self._name}
        with self._http.stream("GET", "queue/data", params=session) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data: "):
                    continue
                message = json.loads(line.removeprefix("data: "))
                if "output" in message:
                    yield _answer(message["output"]["data"])
                if message["msg"] == "process_completed":
                    return

    def cancel(self) -> None:
        """Press the button that cancels."""
        self._http.post("run/predict", json=self._event("pp-cancel", [])).raise_for_status()

    def masked(self, session: str) -> int:
        """How many tokens of all images are masked after a click into the middle of the first."""
        click = {"image": 0, "x": 0.5, "y": 0.5, "positive": True}
        call = {
            "session_hash": self._name,
            "component_id": self._ids["pp-canvas"],
            "fn_name": "predict",
            "data": {"session": session, "seq": 1, "clicks": [click], "settings": {}},
        }
        answer = self._http.post("component_server", json=call).json()
        packed = zlib.decompress(base64.b64decode(answer["masks"]))
        return int(np.unpackbits(np.frombuffer(packed, np.uint8)).sum())

    def _event(self, button: str, inputs: list[Any]) -> dict[str, Any]:
        return {
            "data": inputs,
            "fn_index": self._events[self._ids[button], "click"],
            "session_hash": self._name,
            "trigger_id": self._ids[button],
        }


def _answer(data: list[Any]) -> Answer:
    """Status line and grid are the first two; while it goes on, they come as changes."""
    status, grid = data[:2]
    if isinstance(status, list):
        status = status[0][-1] if status else ""
    words = re.search(r'class="(pp-line[^"]*)"[^>]*>([^<]*)<', str(status))
    return Answer(
        status=words.group(2) if words else "",
        failed=words is not None and "pp-failed" in words.group(1),
        session=grid.get("session", "") if isinstance(grid, dict) else "",
    )
