"""Asks the Hugging Face Hub: what a dataset consists of, and ranges of its files' bytes.

No token is sent, no answer is taken that is longer than asked, and no redirect is followed that
leaves the Hub. Does not know which files are wanted, nor what is in them.
"""

from __future__ import annotations

import io
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

T = TypeVar("T")

# A repository's name as the Hub allows it: one part for the oldest datasets, else owner/name.
_NAME_PART = r"[A-Za-z0-9](?:[\w.-]{0,94}\w)?"
NAME = rf"(?:{_NAME_PART}/)?{_NAME_PART}"
_NAME = re.compile(NAME, re.ASCII)
# The Hub's own copy of a dataset as parquet files: <configuration>/<split>/0000.parquet.
_PARQUET_COPY = "refs/convert/parquet"

_HUBS_DOMAINS = ("huggingface.co", "hf.co")
_LOOPBACK = frozenset(["localhost", "127.0.0.1", "::1"])
_MAX_REDIRECTS = 5

_MAX_INFO_BYTES = 64 * 2**20
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


def is_name(text: str) -> bool:
    """Return whether a dataset on the Hub can have this name."""
    forbidden = ".." in text or "--" in text or text.endswith(".git")
    return _NAME.fullmatch(text) is not None and not forbidden


@dataclass(frozen=True)
class Repository:
    """What the Hub says about one commit of a dataset.

    Attributes:
        name: Its present name, also where it was asked for by an older one.
        commit: The hash of the commit.
        files: Their paths, sorted.
        card: What its author declares.
    """

    name: str
    commit: str
    files: tuple[str, ...]
    card: dict[str, Any]


@dataclass(frozen=True)
class _Answer:
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
    ) -> _Answer:
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
                        return _Answer(response.status_code, response.headers, body)
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


# --- What a dataset consists of ------------------------------------------------------------------


def repository(connection: Connection, name: str, timeout: float) -> Repository:
    """Return what the Hub knows of the newest commit, by one request that is not repeated.

    Raises:
        DatasetError: There is no such public dataset, or the Hub cannot be reached.
    """
    found = _info(connection, name, None, timeout)
    if found is None:
        raise DatasetError(_unknown(name))
    return found


def parquet_copy(connection: Connection, name: str, timeout: float) -> Repository | None:
    """Return the copy as parquet files that the Hub keeps of most datasets, None if it has none.

    Raises:
        DatasetError: As for `repository`.
    """
    return _info(connection, name, _PARQUET_COPY, timeout)


def _info(
    connection: Connection, name: str, revision: str | None, timeout: float
) -> Repository | None:
    """Return what the Hub knows of a revision, None if there is no such revision."""
    from huggingface_hub import constants
    from huggingface_hub.errors import OfflineModeIsEnabled

    url = f"{constants.ENDPOINT}/api/datasets/{name}"
    if revision is not None:
        url += f"/revision/{quote(revision, safe='')}"
    try:
        answer = connection.get(url, most=_MAX_INFO_BYTES, timeout=timeout)
    except DatasetError:
        raise
    except OfflineModeIsEnabled as error:
        raise DatasetError(
            "Datasets cannot be loaded: this server is set to work offline (HF_HUB_OFFLINE)."
        ) from error
    # Connections fail with the classes of whichever HTTP library the Hub's client uses.
    except Exception as error:
        raise DatasetError(
            "The Hugging Face Hub cannot be reached from this server. Check its connection, or "
            "upload the images instead."
        ) from error
    if answer.headers.get("X-Error-Code") == "RevisionNotFound":
        return None
    _check_status(answer, name)
    try:
        return _read_info(json.loads(answer.body), name)
    # Whatever is not as the Hub writes it.
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(_no_answer(name)) from error


def _check_status(answer: _Answer, name: str) -> None:
    code = answer.headers.get("X-Error-Code")
    if code == "GatedRepo":
        raise DatasetError(_gated(name))
    if answer.headers.get("X-Error-Message") == "Access to this resource is disabled.":
        raise DatasetError(f"The Hugging Face Hub has disabled {name}.")
    # A visitor without an account is told 401 of what does not exist.
    if answer.status in (401, 404):
        raise DatasetError(_unknown(name))
    if answer.status != 200:
        raise DatasetError(_no_answer(name))


def _read_info(info: dict[str, Any], name: str) -> Repository:
    if info.get("gated"):
        raise DatasetError(_gated(name))
    # The Hub answers with the present name of a dataset that was renamed.
    present, commit = info["id"], info["sha"]
    if not is_name(present) or not re.fullmatch(r"\w{7,64}", commit, re.ASCII):
        raise DatasetError(_no_answer(name))
    card = info.get("cardData")
    files = [file["rfilename"] for file in info.get("siblings") or ()]
    kept = sorted(file for file in files if isinstance(file, str) and ".." not in file)
    return Repository(present, commit, tuple(kept), card if isinstance(card, dict) else {})


def _unknown(name: str) -> str:
    return (
        f"The Hugging Face Hub has no public dataset named {name}. Check the spelling; "
        "private datasets cannot be loaded here."
    )


def _gated(name: str) -> str:
    return (
        f"{name} is gated: its owner lets only registered people read it, and this page reads "
        "without an account. Download it yourself and upload the images."
    )


def _no_answer(name: str) -> str:
    return f"The Hugging Face Hub could not answer for {name}. Try again later."


# --- Its files -----------------------------------------------------------------------------------


class RemoteFile(io.RawIOBase):
    """A file of a repository, fetched in ranges as it is read."""

    def __init__(self, connection: Connection, source: Repository, file: str) -> None:
        """Ask nothing yet."""
        from huggingface_hub import hf_hub_url

        self._connection = connection
        self._url = hf_hub_url(source.name, file, repo_type="dataset", revision=source.commit)
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

    def _ask(self, start: int, length: int) -> _Answer:
        return self._connection.get(
            self._url,
            most=length,
            timeout=_READ_TIMEOUT,
            headers={"Range": f"bytes={start}-{start + length - 1}"},
        )
