from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from pointprompt.sources.hub import remote
from pointprompt.sources.hub import repository as repository_module
from pointprompt.sources.hub.fetch import DatasetError, DatasetRequest, fetch_dataset
from pointprompt.sources.hub.remote import Connection, RemoteFile, is_of_the_hub
from pointprompt.sources.hub.repository import repository
from pointprompt.types import Progress
from tests.fake_hub import FakeHub, encoded, hub, images_of, parquet, serving, stored

__all__ = ["hub"]

Handler = BaseHTTPRequestHandler
DATA = DatasetRequest("me/data")


class Cancelled(Exception):
    pass


@pytest.fixture
def ended() -> Iterator[threading.Event]:
    """Set when the test has ended, so that no server goes on sending."""
    event = threading.Event()
    yield event
    event.set()


def for_files(answer: Callable[[Handler], None]) -> Callable[[Handler], bool]:
    """Answer so where a file is asked for, and as the Hub does where anything else is."""

    def hostile(request: Handler) -> bool:
        if not request.path.startswith("/datasets/"):
            return False
        answer(request)
        return True

    return hostile


def redirect(request: Handler, to: str) -> None:
    request.send_response(302)
    request.send_header("Location", to)
    request.send_header("Content-Length", "0")
    request.end_headers()


def start(request: Handler, status: int = 206, **headers: str) -> None:
    request.send_response(status)
    if status == 206:
        asked = request.headers["Range"].removeprefix("bytes=")
        request.send_header("Content-Range", f"bytes {asked}/1000000000")
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()


# --- Where requests go ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "url", "belongs"),
    [
        ("https://huggingface.co", "https://huggingface.co/api/x", True),
        ("https://huggingface.co", "https://cdn-lfs-us-1.hf.co/x?Signature=y", True),
        ("https://huggingface.co", "https://cas-bridge.xethub.hf.co/x", True),
        ("https://huggingface.co", "https://cdn-lfs.huggingface.co:443/x", True),
        ("https://huggingface.co", "https://HF.co/x", True),
        ("https://huggingface.co", "http://huggingface.co/x", False),
        ("https://huggingface.co", "https://huggingface.co:8443/x", False),
        ("https://huggingface.co", "https://huggingface.co.evil.com/x", False),
        ("https://huggingface.co", "https://evilhf.co/x", False),
        ("https://huggingface.co", "https://user:secret@huggingface.co/x", False),
        ("https://huggingface.co", "https://evil.com\\@huggingface.co/x", False),
        ("https://huggingface.co", "https://evil.com#@huggingface.co/x", False),
        ("https://huggingface.co", "https://evil.com/huggingface.co", False),
        ("https://huggingface.co", "http://127.0.0.1/x", False),
        ("https://huggingface.co", "https://169.254.169.254/latest", False),
        ("https://huggingface.co", "https://10.0.0.1/x", False),
        ("https://huggingface.co", "https://[::1]/x", False),
        ("https://huggingface.co", "https://localhost/x", False),
        ("https://huggingface.co", "file:///etc/passwd", False),
        ("https://huggingface.co", "ftp://huggingface.co/x", False),
        ("https://huggingface.co", "https://huggingface.co:x/y", False),
        ("https://huggingface.co", "https://[huggingface.co/y", False),
        ("https://huggingface.co", "", False),
        ("https://hub.example.org:8443", "https://hub.example.org:8443/x", True),
        ("https://hub.example.org:8443", "https://hub.example.org/x", False),
        ("https://hub.example.org:8443", "http://hub.example.org:8443/x", False),
        ("https://hub.example.org:8443", "https://cdn-lfs.hf.co/x", True),
        ("https://hub.example.org:8443", "https://127.0.0.1:8443/x", False),
        ("http://127.0.0.1:5000", "http://localhost:5000/x", True),
        ("http://127.0.0.1:5000", "http://[::1]:5000/x", True),
        ("http://127.0.0.1:5000", "http://localhost:5001/x", False),
        ("http://127.0.0.1:5000", "http://127.0.0.2:5000/x", False),
        ("http://127.0.0.1:5000", "http://169.254.169.254:5000/x", False),
    ],
)
def test_only_the_hubs_own_addresses_belong_to_it(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, url: str, belongs: bool
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    assert is_of_the_hub(url) == belongs


def test_a_redirect_to_another_server_is_not_followed(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("me/data", {"a.png": encoded(0)})
    with monkeypatch.context() as other, serving(other) as internal:
        secret = f"{internal.endpoint}/secret.png"
        for target in (secret, secret.replace("127.0.0.1", "localhost"), "file:///etc/passwd"):
            hub.hostile = for_files(lambda request, to=target: redirect(request, to))
            other.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)
            template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
            other.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
            with pytest.raises(DatasetError):
                fetch_dataset(DATA, tmp_path)
        assert internal.requests == []
    assert not list(tmp_path.iterdir())


def test_a_redirect_within_the_hub_is_followed_without_a_token(
    hub: FakeHub, tmp_path: Path
) -> None:
    def to_the_store(request: Handler) -> bool:
        if request.path.startswith("/store"):
            request.path = request.path.removeprefix("/store")
        elif request.path.startswith("/datasets/"):
            to = hub.endpoint.replace("127.0.0.1", "localhost") + "/store" + request.path
            redirect(request, to + "?sig=x")
            return True
        elif request.path == "/api/datasets/old/data":
            redirect(request, "/api/datasets/me/data")
            return True
        return False

    hub.add("me/data", {"train.parquet": parquet({"image": stored(encoded(0))})})
    original = hub.answer
    hub.answer = lambda request: to_the_store(request) or original(request)  # type: ignore[method-assign]
    assert images_of(fetch_dataset(DatasetRequest("old/data"), tmp_path)) == [encoded(0)]
    assert hub.headers
    assert all("authorization" not in headers for headers in hub.headers)


def test_redirects_in_a_circle_end(hub: FakeHub, tmp_path: Path) -> None:
    hub.add("me/data", {"a.png": encoded(0)})
    hub.hostile = for_files(lambda request: redirect(request, request.path))
    with pytest.raises(DatasetError, match="circles"):
        fetch_dataset(DATA, tmp_path)
    assert len(hub.requests) < 10


# --- How much is taken ---------------------------------------------------------------------------


def sends_for_ever(request: Handler, sent: list[int]) -> None:
    try:
        while sent[0] < 2**30:
            request.wfile.write(bytes(2**16))
            sent[0] += 2**16
    except OSError:
        pass


def test_an_answer_longer_than_asked_is_cut_off(hub: FakeHub, tmp_path: Path) -> None:
    sent = [0]

    def too_much(request: Handler) -> None:
        start(request, Connection="close")
        sends_for_ever(request, sent)

    hub.add("me/data", {"train.parquet": b""})
    hub.hostile = for_files(too_much)
    with pytest.raises(DatasetError, match="something else than it was asked for"):
        fetch_dataset(DATA, tmp_path)
    # What the operating systems buffer on both sides besides.
    assert sent[0] < 30_000_000


def test_a_server_without_ranges_is_not_read_whole(hub: FakeHub, tmp_path: Path) -> None:
    sent = [0]

    def whole(request: Handler) -> None:
        start(request, 200, Connection="close")
        sends_for_ever(request, sent)

    hub.add("me/data", {"a.png": b""})
    hub.hostile = for_files(whole)
    with pytest.raises(DatasetError):
        fetch_dataset(DATA, tmp_path)
    assert sent[0] < 30_000_000


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Encoding": "gzip"},
        {"Content_Encoding": "br"},
        {"Content_Length": "99999999999999"},
        {"Content_Length": "-1"},
        {"Content_Length": "9" * 10_000},
    ],
)
def test_compressed_or_oversized_answers_are_refused(
    hub: FakeHub, tmp_path: Path, headers: dict[str, str]
) -> None:
    def answer(request: Handler) -> None:
        start(request, Connection="close", **headers)
        request.wfile.write(gzip.compress(bytes(1000)))

    hub.add("me/data", {"a.png": b""})
    hub.hostile = for_files(answer)
    with pytest.raises(DatasetError):
        fetch_dataset(DATA, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("found", ["bytes 5-9/10", "bytes 0-9/*", "bytes 0-3/10", "", "x" * 5000])
def test_another_range_than_asked_is_no_answer(hub: FakeHub, tmp_path: Path, found: str) -> None:
    def answer(request: Handler) -> None:
        request.send_response(206)
        request.send_header("Content-Range", found)
        request.send_header("Content-Length", "10")
        request.end_headers()
        request.wfile.write(encoded(0)[:10])

    hub.add("me/data", {"a.png": b""})
    hub.hostile = for_files(answer)
    with pytest.raises(DatasetError, match="broke off"):
        fetch_dataset(DATA, tmp_path)


def test_what_the_hub_says_of_a_dataset_is_bounded(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("me/data", {f"{i}.png": b"" for i in range(1000)})
    monkeypatch.setattr(repository_module, "_MAX_INFO_BYTES", 10_000)
    with pytest.raises(DatasetError, match="something else than it was asked for"):
        fetch_dataset(DATA, tmp_path)


def test_all_downloads_together_are_bounded(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("me/data", {f"{i}.png": encoded(i, size=60) for i in range(20)})
    monkeypatch.setattr(remote, "_MAX_DOWNLOAD_BYTES", 60_000)
    with pytest.raises(DatasetError, match="Ask for fewer"):
        fetch_dataset(DATA, tmp_path)
    assert hub.sent_bytes < 120_000


def test_no_range_beyond_any_sensible_page_is_asked_for(hub: FakeHub) -> None:
    hub.add("me/data", {"a.png": b"x"})
    connection = Connection()
    file = RemoteFile(connection, repository(connection, "me/data", 5).url_of("a.png"))
    before = len(hub.requests)
    with pytest.raises(OSError, match="at once"):
        file.read_at(0, 2**31)
    assert len(hub.requests) == before


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{}", b'{"id": 3}', b"\xff", b"[" * 100_000, b'{"id": "a/b"}']
)
def test_anything_but_the_hubs_own_words_is_no_answer(
    hub: FakeHub, tmp_path: Path, body: bytes
) -> None:
    def answer(request: Handler) -> bool:
        start(request, 200, Connection="close")
        request.wfile.write(body)
        return True

    hub.hostile = answer
    with pytest.raises(DatasetError, match="could not answer for me/data"):
        fetch_dataset(DATA, tmp_path)


# --- How long it lasts ---------------------------------------------------------------------------


def stalls(ended: threading.Event) -> Callable[[Handler], bool]:
    def hostile(_: Handler) -> bool:
        return ended.wait(60)

    return hostile


def drips_headers(ended: threading.Event) -> Callable[[Handler], bool]:
    def hostile(request: Handler) -> bool:
        try:
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not ended.wait(0.05):
                request.wfile.write(b"x")
        except OSError:
            pass
        return True

    return hostile


def drips_files(ended: threading.Event) -> Callable[[Handler], bool]:
    def answer(request: Handler) -> None:
        start(request, Connection="close")
        try:
            while not ended.wait(0.05):
                request.wfile.write(b"x")
        except OSError:
            pass

    return for_files(answer)


@pytest.mark.parametrize("hostile", [stalls, drips_headers, drips_files])
def test_a_cancel_is_noticed_however_the_network_stalls(
    hub: FakeHub, tmp_path: Path, ended: threading.Event, hostile: Callable
) -> None:
    hub.add("me/data", {"a.png": encoded(0)})
    hub.hostile = hostile(ended)
    asked: list[float] = []

    def cancel(_: Progress) -> None:
        asked.append(time.monotonic())
        if len(asked) == 3:
            raise Cancelled

    started = time.monotonic()
    with pytest.raises(Cancelled):
        fetch_dataset(DATA, tmp_path, progress=cancel, timeout=60)
    # Three times within half a second each, on a machine that is busy with other things.
    assert time.monotonic() - started < 10


def test_what_was_cancelled_lets_go_of_the_network(
    hub: FakeHub, tmp_path: Path, ended: threading.Event
) -> None:
    hub.add("me/data", {"a.png": encoded(0)})
    hub.hostile = drips_files(ended)

    def cancel(_: Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fetch_dataset(DATA, tmp_path, progress=cancel)
    for thread in threading.enumerate():
        if thread.name == "read-dataset":
            thread.join(10)
            assert not thread.is_alive()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("hostile", [stalls, drips_headers, drips_files])
def test_a_hub_that_drips_is_given_up_with_a_sentence(
    hub: FakeHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ended: threading.Event,
    hostile: Callable,
) -> None:
    monkeypatch.setattr(remote, "_PATIENCE_SECONDS", 0.5)
    hub.add("me/data", {"a.png": encoded(0)})
    hub.hostile = hostile(ended)
    with pytest.raises(DatasetError, match="too slowly"):
        fetch_dataset(DATA, tmp_path, timeout=60)


def test_work_that_takes_long_is_waited_for() -> None:
    ticks: list[int] = []
    ready = threading.Event()

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 2:
            ready.set()

    assert Connection().patiently(lambda: ready.wait(60), tick) is True
    assert len(ticks) >= 2


def test_what_the_work_raises_comes_out() -> None:
    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        Connection().patiently(fail, lambda: None)
