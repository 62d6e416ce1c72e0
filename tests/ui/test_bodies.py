"""Bodies that are too large, cut, endless or of another form: refused, and nothing left of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from pointprompt.ui import allowed, bodies, folders
from tests.ui.served import MARK, VISITOR, Server, call, chunks


@pytest.mark.parametrize(
    "path", ["component_server", "component_server/", "queue/join", "run/predict"]
)
def test_a_message_of_more_than_ten_megabytes_is_turned_away_however_it_comes(server, path):
    body = json.dumps({"data": MARK * 1_000_000, "session_hash": "x"}).encode()
    json_type = {"Content-Type": "application/json"}
    for content in (body, chunks(body)):
        answer = server.http.post(f"/gradio_api/{path}", content=content, headers=json_type)
        assert answer.status_code == 413
        assert answer.text == "A message may have 10 MB at most."


def test_a_message_that_never_ends_is_cut_at_its_limit(server):
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 65536
        return {"type": "http.request", "body": b" " * 65536, "more_body": True}

    def read() -> None:
        asyncio.run(bodies.read(receive, 1_000_000, 0))

    # In a thread of its own: the tests in a browser leave a loop running in this one.
    with ThreadPoolExecutor(1) as thread, pytest.raises(allowed.Refused) as refused:
        thread.submit(read).result()
    assert refused.value.status == 413
    assert taken < 1_100_000


def test_a_message_just_below_the_limit_is_taken(server, prompt):
    asked = call(server, {**prompt, "more": "x" * 9_900_000})
    assert "masks" in server.post("component_server", asked, VISITOR).json()


MEGABYTE = 1_000_000
BOUNDARY = "edge"


def multipart(*parts: tuple[str, bytes], end: bool = True) -> bytes:
    """A body of parts, each with the rest of its first header and its content."""
    body = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for head, content in parts
    )
    return body + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


def send(server: Server, content: bytes | Iterator[bytes], query: str = "") -> httpx.Response:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return server.http.post(f"/gradio_api/upload{query}", content=content, headers=headers)


FILE = 'name="files"; filename="a.jpg"'


def test_an_upload_within_the_limits_is_taken(server):
    answer = server.upload(("a.jpg", b"x" * 900_000), ("b.jpg", b"y" * 900_000))
    assert answer.status_code == 200
    assert [Path(path).stat().st_size for path in answer.json()] == [900_000] * 2


@pytest.mark.parametrize("counted", [True, False])
def test_a_file_that_is_too_large_is_refused_with_a_sentence_and_leaves_nothing(server, counted):
    before = server.files()
    body = multipart((FILE, b"small"), (FILE, b"x" * (MEGABYTE + 1)))
    answer = send(server, body if counted else chunks(body))
    assert (answer.status_code, answer.text) == (413, "A file may have 1 MB at most.")
    assert server.files() == before


@pytest.mark.parametrize("counted", [True, False])
def test_files_that_are_too_much_together_are_refused_and_leave_nothing(server, counted):
    before = server.files()
    body = multipart(*[(FILE, bytes([65 + i]) * 900_000) for i in range(5)])
    answer = send(server, body if counted else chunks(body))
    assert answer.status_code == 413
    assert answer.text == "More than 3 MB at once. Upload fewer or smaller files."
    assert server.files() == before


@pytest.mark.parametrize("query", ["", "?upload_id=abc"])
@pytest.mark.parametrize(
    "body",
    [
        multipart(('name="files"', b"x" * 2 * MEGABYTE)),
        multipart((FILE, b"x"), ('name="field"', b"x" * 100_000)),
        multipart(("", b"x")),
        b"no upload at all",
        multipart((FILE, b"x")).replace(b"\r\n", b"\n"),
    ],
    ids=["field", "file and field", "nameless", "text", "line ends"],
)
def test_an_upload_holds_files_only_and_what_is_refused_leaves_nothing(server, body, query):
    before = server.files()
    answer = send(server, body, query)
    assert (answer.status_code, answer.text) == (400, "An upload may hold files only.")
    assert server.files() == before


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary="]
)
def test_an_upload_of_another_type_is_refused(server, content_type):
    answer = server.http.post(
        "/gradio_api/upload", content=b"x", headers={"Content-Type": content_type}
    )
    assert answer.status_code == 400


def test_an_upload_that_is_cut_leaves_nothing(server):
    before = server.files()
    body = multipart((FILE, b"x" * 500_000), end=False)
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: {server.host}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {2 * len(body)}\r\n\r\n"
    ).encode()
    with server.connect() as connection:
        connection.sendall(head + body)
        wait_until(lambda: server.files() != before)
    wait_until(lambda: server.files() == before)


def wait_until(holds: Any) -> None:
    import threading

    for _ in range(600):
        if holds():
            return
        threading.Event().wait(0.05)
    raise AssertionError("It did not come to that within 30 seconds.")


@pytest.mark.parametrize(
    "name",
    ["../../evil.html", "/etc/passwd", "..\\evil", "\x00", "x" * 5000, "", ".", "..", "é\ud800"],
)
def test_no_file_name_is_a_fault_of_the_server_or_leaves_its_folder(server, name):
    head = f'name="files"; filename="{name}"'.encode("utf-8", "surrogatepass")
    body = multipart((FILE, b"x")).replace(FILE.encode(), head)
    answer = send(server, body)
    assert answer.status_code < 500
    if answer.status_code == 200:
        assert all(Path(path).is_relative_to(server.uploads) for path in answer.json())


def test_a_full_disk_is_told_as_such(server, monkeypatch):
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gradio.route_utils.NamedTemporaryFile", full)
    answer = send(server, multipart((FILE, b"x")))
    assert (answer.status_code, answer.text) == (507, allowed.DISK_FULL)


def test_an_upload_for_which_the_disk_has_no_room_is_refused_before_it_fills_it(
    server, monkeypatch
):
    before = set(server.uploads.rglob("*"))
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda _: SimpleNamespace(free=64 * 10**6))
    answer = send(server, multipart((FILE, b"x" * 1000)))
    assert (answer.status_code, answer.text) == (507, allowed.DISK_FULL)
    assert set(server.uploads.rglob("*")) == before
