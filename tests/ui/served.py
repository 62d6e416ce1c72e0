"""The page, served in this process, and asked by HTTP as nobody's browser would."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio
import httpx

from pointprompt.server.service import Service
from pointprompt.types import Progress

VISITOR = "v" * 43
STRANGER = "s" * 43
EVIL = b"<!doctype html><script>document.title = 'ran'</script>"
EVIL_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=1"/>'
MARK = "echoechoecho"


class Server:
    """The page, served here.

    Attributes:
        demo: gradio's app.
        service: What does the work.
        uploads: The folder that gradio keeps uploads in.
    """

    def __init__(self, demo: gradio.Blocks, service: Service, uploads: Path) -> None:
        self.demo = demo
        self.service = service
        self.uploads = uploads
        self.url = demo.local_url.rstrip("/")
        # A browser that keeps no cookies: who asks is said anew each time.
        jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self.http = httpx.Client(base_url=self.url, timeout=60, cookies=jar)

    def get(self, path: str, visitor: str = "", **headers: str) -> httpx.Response:
        return self.http.get(path, headers={**cookie(visitor), **headers})

    def post(self, path: str, body: Any, visitor: str = "") -> httpx.Response:
        return self.http.post(f"/gradio_api/{path}", json=body, headers=cookie(visitor))

    def upload(self, *files: tuple[str, bytes], visitor: str = VISITOR) -> httpx.Response:
        parts = [("files", file) for file in files]
        return self.http.post("/gradio_api/upload", files=parts, headers=cookie(visitor))

    def raw(self, target: str) -> tuple[int, bytes]:
        """The status and the body of a GET of exactly this target."""
        answer = self.exchange(
            f"GET {target} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n".encode()
        )
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    def exchange(self, request: bytes) -> bytes:
        with self.connect() as connection:
            connection.sendall(request)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    def connect(self) -> socket.socket:
        parts = urlsplit(self.url)
        return socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=30)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def canvas(self) -> int:
        (found,) = (i for i, b in self.demo.blocks.items() if b.elem_id == "pp-canvas")
        return found

    def event(self, elem_id: str, name: str) -> int:
        ids = {i for i, b in self.demo.blocks.items() if b.elem_id == elem_id}
        (found,) = (
            n
            for n, fn in self.demo.fns.items()
            # What programs call nothing on the page triggers.
            if fn.targets and fn.targets[0][0] in ids and fn.targets[0][1] == name
        )
        return found

    def files(self) -> set[Path]:
        return {path for path in self.uploads.rglob("*") if path.is_file()}


def cookie(visitor: str) -> dict[str, str]:
    return {"Cookie": f"pointprompt-visitor={visitor}"} if visitor else {}


def silent(progress: Progress) -> None:
    pass


def call(server: Server, data: Any, **changes: Any) -> dict[str, Any]:
    return {
        "data": data,
        "component_id": server.canvas,
        "fn_name": "predict",
        "session_hash": "page",
        **changes,
    }


def chunks(body: bytes) -> Iterator[bytes]:
    """As a body that does not say how long it is."""
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]
