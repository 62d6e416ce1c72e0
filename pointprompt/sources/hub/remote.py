"""Asks the Hugging Face Hub, and reads ranges of its files' bytes.

No token is sent, no answer is taken that is longer than asked, and no redirect is followed that
leaves the Hub. Does not know which files are wanted, nor what is in them.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_HUBS_DOMAINS = ("huggingface.co", "hf.co")
_LOOPBACK = frozenset(["localhost", "127.0.0.1", "::1"])
_MAX_REDIRECTS = 5

# At once: more than the pages of any sensible parquet file.
_MAX_RANGE_BYTES = 256 * 2**20
_MAX_DOWNLOAD_BYTES = 4 * 2**30
# Seconds without a byte, once the Hub has answered at all.
_READ_TIMEOUT = 10.0
# An answer begins within so many seconds, and then comes with so many bytes in a second.
_PATIENCE_SECONDS = 20.0
_LEAST_BYTES_A_SECOND = 10_000
# How often a waiting caller is asked whether it still wants to.
_TICK_SECONDS = 0.4


class DatasetError(ValueError):
    """A dataset no image can be had from; the message says why and what to do."""


class _StoppedError(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """The requests made for one fetch; `stop` ends those under way and refuses new ones."""

    def __init__(self) -> None:
        """Start with nothing received."""
        from huggingface_hub.utils import get_session

        # Made now: reading the certificates takes a moment.
        get_session()
        self._stopped = threading.Event()
        self._received = 0
        self._answer_due: float | None = None

    def stop(self) -> None:
        """Let go of what is under way."""
        self._stopped.set()

    def patiently(self, work: Callable[[], T], tick: Callable[[], None]) -> T:
        """Return what `work` returns, calling `tick` at least twice a second until then.

        The work runs in a thread of its own: a network that stalls anywhere, also while a name is
        looked up, cannot keep the caller from giving up.

        Raises:
            DatasetError: The Hub takes too long to answer.
            Exception: What `work` or `tick` raises.
        """
        outcome: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

        def run() -> None:
            try:
                outcome.put((work(), None))
            except BaseException as error:
                outcome.put((None, error))

        threading.Thread(target=run, name="read-dataset", daemon=True).start()
        while True:
            try:
                result, error = outcome.get(timeout=_TICK_SECONDS)
                break
            except Empty:
                tick()
                if self._answer_due is not None and time.monotonic() > self._answer_due:
                    raise DatasetError(_TOO_SLOW) from None
        if error is not None:
            raise error
        return result

    def get(
        self, url: str, *, most: int, timeout: float, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return the answer, of at most `most` bytes (none where it is a refusal).

        Raises:
            DatasetError: The answer is longer, too slow, compressed, or a redirect elsewhere.
            Exception: What the Hub's client or its HTTP library raises.
        """
        from huggingface_hub.utils import build_hf_headers, get_session

        # Compressed, an answer of the length allowed could grow to any length.
        sent = build_hf_headers(token=False) | {"Accept-Encoding": "identity"} | dict(headers or {})
        for _ in range(_MAX_REDIRECTS + 1):
            self._go_on()
            self._answer_due = time.monotonic() + _PATIENCE_SECONDS
            try:
                with get_session().stream(
                    "GET", url, headers=sent, timeout=timeout, follow_redirects=False
                ) as response:
                    self._answer_due = None
                    if response.next_request is None:
                        body = self._body(response, most) if response.is_success else b""
                        return Answer(response.status_code, response.headers, body)
                    url = str(response.next_request.url)
            finally:
                self._answer_due = None
            if not is_of_the_hub(url):
                raise DatasetError(
                    "The Hugging Face Hub points to another server for this dataset, and only its "
                    "own are followed. Download the images yourself and upload them."
                )
        raise DatasetError("The Hugging Face Hub sends this server in circles. Try again later.")

    def _body(self, response: Any, most: int) -> bytes:
        encoding = response.headers.get("Content-Encoding", "identity")
        declared = response.headers.get("Content-Length", "0")
        if encoding != "identity" or not declared.isascii() or not declared.isdigit():
            raise DatasetError(_NOT_AS_ASKED)
        if int(declared[:20]) > most:
            raise DatasetError(_NOT_AS_ASKED)
        started = time.monotonic()
        body = bytearray()
        # Raw: as much at a time as the network has.
        for part in response.iter_raw():
            self._go_on()
            body += part
            self._received += len(part)
            elapsed = time.monotonic() - started
            if len(body) > most:
                raise DatasetError(_NOT_AS_ASKED)
            if self._received > _MAX_DOWNLOAD_BYTES:
                raise DatasetError(
                    f"Finding the images takes more than {_MAX_DOWNLOAD_BYTES >> 30} GB of "
                    "downloads. Ask for fewer."
                )
            if elapsed > _PATIENCE_SECONDS and len(body) < elapsed * _LEAST_BYTES_A_SECOND:
                raise DatasetError(_TOO_SLOW)
        return bytes(body)

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise _StoppedError


_TOO_SLOW = (
    "The Hugging Face Hub sends this dataset too slowly. Try again later, or upload the images "
    "instead."
)
_NOT_AS_ASKED = (
    "The Hugging Face Hub answers with something else than it was asked for. Try again later."
)


def is_of_the_hub(url: str) -> bool:
    """Return whether an address belongs to the Hub that this server is set to use."""
    from huggingface_hub import constants

    try:
        target, hub = urlsplit(url), urlsplit(constants.ENDPOINT)
        same_door = (target.scheme, target.port) == (hub.scheme, hub.port)
        host, own = (target.hostname or "").rstrip("."), hub.hostname or ""
        if "@" in target.netloc or "\\" in url:
            return False
        if same_door and (host == own or {host, own} <= _LOOPBACK):
            return True
        on_the_web = target.scheme == "https" and target.port in (None, 443)
        return on_the_web and any(host == d or host.endswith(f".{d}") for d in _HUBS_DOMAINS)
    # A port that is no number, brackets that do not match.
    except ValueError:
        return False


class RemoteFile(io.RawIOBase):
    """A file of a repository, fetched in ranges as it is read."""

    def __init__(self, connection: Connection, url: str) -> None:
        """Ask nothing yet."""
        self._connection = connection
        self._url = url
        self._position = 0
        self._size: int | None = None

    def read_at(self, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start` on, and learn the size of the file.

        Raises:
            OSError: The server does not answer with that range.
            DatasetError: As for `Connection.get`.
        """
        if length > _MAX_RANGE_BYTES:
            raise OSError("No more than this is read at once.")
        try:
            answer = self._ask(start, length)
        except (DatasetError, _StoppedError):
            raise
        # The server may close an idle connection at the moment it is used again. More than one
        # repetition would only keep a person waiting.
        except Exception:
            answer = self._ask(start, length)
        # An empty file has no range.
        if answer.status == 416:
            return b""
        found = re.fullmatch(
            r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", answer.headers.get("Content-Range", "")
        )
        if answer.status != 206 or found is None:
            raise OSError("The server does not answer with ranges.")
        first, last, self._size = (int(number) for number in found.groups())
        if first != start or last - first + 1 != len(answer.body):
            raise OSError("The server answers with another range.")
        return answer.body

    def size(self) -> int:
        """Return the number of bytes in the file."""
        if self._size is None:
            self.read_at(0, 1)
        return self._size or 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, and return it."""
        starts = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self.size() if whence == io.SEEK_END else 0,
        }
        self._position = starts[whence] + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the file goes, and return how far that is."""
        # The size is known by now unless nothing was sought, as at the start of the file.
        if self._size is not None and self._position >= self._size:
            return 0
        data = self.read_at(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _ask(self, start: int, length: int) -> Answer:
        return self._connection.get(
            self._url,
            most=length,
            timeout=_READ_TIMEOUT,
            headers={"Range": f"bytes={start}-{start + length - 1}"},
        )
