"""The Hugging Face Hub on this machine's loopback, and what a dataset is made of."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.fake_hub_writing import Writing

COMMIT = "1234567890abcdef1234567890abcdef12345678"
COPY_COMMIT = "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"


@dataclass
class FakeHub:
    """The part of the Hub that datasets are read and written by, on this machine's loopback."""

    datasets: dict[str, dict] = field(default_factory=dict)
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sent_bytes: int = 0
    breaks_after: int | None = None
    endpoint: str = ""
    # What may be written, and by whom.
    writing: Writing = field(default_factory=Writing)
    # Answers a request otherwise than the Hub would, and returns whether it did.
    hostile: Callable[[BaseHTTPRequestHandler], bool] | None = None

    def add(
        self,
        name: str,
        files: dict[str, bytes],
        card: dict | None = None,
        copy: dict[str, bytes] | None = None,
        **info: object,
    ) -> None:
        for commit, held in ((COMMIT, files), (COPY_COMMIT, copy)):
            if held is None:
                continue
            key = name if commit == COMMIT else f"{name}/revision/refs/convert/parquet"
            self.datasets[key] = {
                "id": name,
                "sha": commit,
                "gated": False,
                "private": False,
                "siblings": [{"rfilename": path} for path in held],
                "cardData": card or {},
                **info,
            }
            self.datasets[f"{name}/revision/{commit}"] = self.datasets[key]
            self.files |= {(f"{name}@{commit}", path): data for path, data in held.items()}

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(request.path).path)
        self.requests.append((request.command, path))
        self.headers.append({key.lower(): value for key, value in request.headers.items()})
        if self.breaks_after is not None and len(self.requests) > self.breaks_after:
            request.connection.close()
            return
        if self.hostile is not None and self.hostile(request):
            return
        if self.writing.answer(self, request, path):
            return
        if "/paths-info/" in path or "/tree/" in path:
            self._send_listing(request, path.removeprefix("/api/datasets/"))
        elif path.startswith("/datasets/"):
            repo, _, rest = path.removeprefix("/datasets/").partition("/resolve/")
            commit, _, file = rest.partition("/")
            self._send_file(request, self.files.get((f"{repo}@{commit}", file)))
        else:
            self._send_info(request, path.removeprefix("/api/datasets/"))

    def _send_info(self, request: BaseHTTPRequestHandler, key: str) -> None:
        name = key.partition("/revision/")[0]
        if key in self.datasets:
            error = self.datasets[key].get("error")
            self.send_json(request, self.datasets[key], *(error or ()))
        elif name in self.datasets:
            self.send_json(request, {"error": "no"}, 404, "RevisionNotFound")
        else:
            self.send_json(request, {"error": "no"}, 401, "")

    def _send_listing(self, request: BaseHTTPRequestHandler, path: str) -> None:
        """What `datasets` asks before it reads a file. We do not: the length comes with a range."""
        name, what, rest = re.split("/(paths-info|tree)/", path, maxsplit=1)
        commit, _, folder = rest.partition("/")
        held = {file: data for (at, file), data in self.files.items() if at == f"{name}@{commit}"}
        if what == "paths-info":
            body = request.rfile.read(int(request.headers["Content-Length"])).decode()
            asked = parse_qs(body).get("paths", [])
        else:
            asked = [file for file in held if file.rpartition("/")[0] == folder]
        told = [
            {"type": "file", "path": file, "size": len(held[file]), "oid": "0" * 40}
            for file in asked
            if file in held
        ]
        self.send_json(request, told)

    def send_json(
        self, request: BaseHTTPRequestHandler, what: object, status: int = 200, code: str = ""
    ) -> None:
        body = json.dumps(what).encode()
        request.send_response(status)
        if code:
            request.send_header("X-Error-Code", code)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _send_file(self, request: BaseHTTPRequestHandler, data: bytes | None) -> None:
        if data is None:
            self.send_json(request, {"error": "no"}, 404, "EntryNotFound")
            return
        asked = request.headers.get("Range")
        body = data
        if asked:
            start, end = (int(part) for part in asked.removeprefix("bytes=").split("-"))
            body = data[start : end + 1]
        if asked and not body:
            self.send_json(request, {"error": "range"}, 416)
            return
        request.send_response(206 if asked else 200)
        if asked:
            last = start + len(body) - 1
            request.send_header("Content-Range", f"bytes {start}-{last}/{len(data)}")
        request.send_header("Content-Length", str(len(body)))
        request.send_header("ETag", '"abc"')
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(body)
            self.sent_bytes += len(body)


@contextmanager
def served() -> Iterator[FakeHub]:
    """A Hub that answers until the end of the block; nothing is set to use it."""
    fake = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # Whoever reads may hang up.
            with suppress(ConnectionError):
                fake.answer(self)

        do_HEAD = do_POST = do_PUT = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    fake.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """The Hub that the library is set to use until the end of the block."""
    from huggingface_hub import constants

    with served() as fake:
        template = fake.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", fake.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", "hf_the_servers_own_token")
        yield fake


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with serving(monkeypatch) as fake:
        yield fake


def encoded(seed: int, size: int = 12, kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def parquet(columns: dict, kinds: dict[str, str] | None = None, rows_a_group: int = 100) -> bytes:
    table = pa.table(columns)
    if kinds:
        features = {name: {"_type": kind} for name, kind in kinds.items()}
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=rows_a_group)
    return buffer.getvalue()


def stored(*cells: bytes | None) -> list[dict]:
    return [{"bytes": data, "path": f"{i}.png"} for i, data in enumerate(cells)]


def images_of(files: list[Path]) -> list[bytes]:
    return [file.read_bytes() for file in files]
