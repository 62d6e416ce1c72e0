"""What a request may ask for, and how much it may bring: everything else is turned away here.

Stands between the server and gradio's routes. Of those it lets through what the page needs, so that
no upload is ever served and no page of gradio's own is open; it counts the bytes of a body while
they come, tells one visitor from another, and says in every answer what a browser may do with it.
Knows HTTP and the form of gradio's messages. Knows nothing of sessions, nor of what messages mean.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import re
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.formparsers import MultiPartException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pointprompt.server import addresses
from pointprompt.ui import visitors
from pointprompt.ui.folders import room_for
from pointprompt.ui.uploads import OnlyFiles, UploadError

MEGABYTE = 1_000_000

_PAGE = "/"
_UPLOAD = "/gradio_api/upload"
_CALL = "/gradio_api/component_server"
_EVENTS = ("/gradio_api/queue/join", "/gradio_api/run/predict")
_MESSAGES = (_CALL, *_EVENTS)
_PAGES_NAME = "[A-Za-z0-9_-]{1,64}"
# Of names without "..", below a folder.
_BELOW = r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+"
# What the page asks for: seen in a browser, and read in gradio's client.
_READABLE = re.compile(
    "|".join(
        [
            _PAGE,
            r"/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt",
            f"/(?:assets|static){_BELOW}",
            f"/gradio_api/heartbeat/{_PAGES_NAME}",
            "/gradio_api/(?:queue/data|upload_progress|app_id|startup-events)",
            f"{addresses.ROOT}{_BELOW}",
        ]
    )
)
# gradio reads no more of these than the page ever sends; with "deep_link" it would open files.
_WITHOUT_QUERY = (_PAGE, "/config")
_MAX_QUERY = 512

NOTHING_HERE = "There is nothing here."
NOT_UNDERSTOOD = "This message is not one that the page sends."
FROM_ELSEWHERE = "Another site may not use this one."
DISK_FULL = "The server's disk is full. Please tell its owner."


@dataclass(frozen=True)
class BodyLimits:
    """How many bytes a request may bring.

    Attributes:
        message: Of anything but an upload.
        file: Of one file of an upload. gradio counts them, and tells the page before it begins.
        upload: Of all files that are uploaded at once.
    """

    message: int = MEGABYTE
    file: int = 200 * MEGABYTE
    upload: int = 2000 * MEGABYTE


@dataclass(frozen=True)
class Listeners:
    """What messages can be for.

    Attributes:
        functions: Names of the functions that a component answers calls of, by its id.
        events: Numbers of the events.
    """

    functions: Mapping[int, Collection[str]] = field(default_factory=dict)
    events: Collection[int] = ()


class Refused(Exception):
    """A request that goes no further, with the answer's status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Guard:
    """ASGI middleware."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        listeners: Listeners,
        limits: BodyLimits | None = None,
        on_space: bool = False,
    ) -> None:
        """Guard an app.

        Args:
            app: What answers the requests that are let through.
            listeners: What messages can be for.
            limits: Of bodies.
            on_space: Let the page ask Hugging Face how its Space is, as gradio's does there.
        """
        self._app = app
        self._listeners = listeners
        self._limits = limits or BodyLimits()
        self._on_space = on_space

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or have it answered."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _path(scope)
        answer = _Answer(send, self._head(scope, path, visitors.note(scope)))
        try:
            _check_origin(scope, path)
            scope = _check_address(scope, path)
            if path == _UPLOAD:
                await self._upload(scope, receive, answer)
            elif path in _MESSAGES:
                await self._message(path, scope, receive, answer)
            else:
                await self._app(scope, receive, answer.send)
        except Refused as refused:
            await answer.refuse(scope, refused)

    async def _upload(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if not _content_type(scope).startswith("multipart/form-data"):
            raise Refused(400, NOT_UNDERSTOOD)
        try:
            limited = _Upload(receive, _content_type(scope), self._limits.upload)
        except UploadError as error:
            raise Refused(400, str(error)) from error
        if _announced(scope) > self._limits.upload:
            await limited.drain()
            raise limited.too_large()
        # Before it fills the disk, which others need.
        if not room_for(Path(tempfile.gettempdir()), _announced(scope)):
            await limited.drain()
            raise Refused(507, DISK_FULL)
        held = _Held(answer)
        try:
            await self._app(scope, limited.receive, held.send)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise Refused(507, DISK_FULL) from error
        await limited.drain()
        if limited.refused:
            raise limited.refused
        if held.status == 413:
            raise Refused(413, f"A file may have {_megabytes(self._limits.file)} at most.")
        await held.release()

    async def _message(self, path: str, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if not _content_type(scope).startswith("application/json"):
            raise Refused(400, NOT_UNDERSTOOD)
        body = await _read(receive, self._limits.message, _announced(scope))
        _check_message(path, body, self._listeners)
        held = _Held(answer)
        await self._app(scope, _replay(body, receive), held.send)
        # What does not suit an event's inputs is the sender's fault, which gradio takes for its
        # own; and its answer to a message of the wrong form quotes it.
        if held.status == 422 or (held.status == 500 and path in _EVENTS):
            raise Refused(400, NOT_UNDERSTOOD)
        await held.release()

    def _head(self, scope: Scope, path: str, visitor: str) -> _Head:
        is_page = path == _PAGE and scope["method"] == "GET"
        return _Head(
            is_page=is_page,
            cookie=visitors.new_cookie(scope) if is_page and not visitor else "",
            hub=" https://huggingface.co" if self._on_space else "",
        )


@dataclass(frozen=True)
class _Head:
    """What the head of an answer says besides.

    Attributes:
        is_page: Whether the answer is the page.
        cookie: By which its visitor is known from now on; "" leaves it as it is.
        hub: Another origin that the page may ask.
    """

    is_page: bool
    cookie: str
    hub: str

    def add_to(self, message: Message, scripts: str) -> None:
        headers = MutableHeaders(scope=message)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        if self.is_page:
            headers["Content-Security-Policy"] = self._page_policy(scripts)
            headers["Cache-Control"] = "no-store"
        else:
            headers.setdefault(
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
            )
        if self.cookie:
            headers.append("Set-Cookie", self.cookie)

    def _page_policy(self, scripts: str) -> str:
        return "; ".join(
            [
                "default-src 'self'",
                # gradio compiles the script of a component in the browser.
                f"script-src 'self' 'unsafe-eval' {scripts}".rstrip(),
                "style-src 'self' 'unsafe-inline'",
                f"img-src 'self' data: blob:{self.hub}",
                "font-src 'self' data:",
                f"connect-src 'self'{self.hub}",
                "worker-src 'self' blob:",
                "object-src 'none'",
                "base-uri 'self'",
                "form-action 'self'",
                "frame-ancestors 'self' https://huggingface.co https://*.hf.space",
            ]
        )


class _Answer:
    """An answer on its way to the browser, with what the guard adds to its head."""

    def __init__(self, send: Send, head: _Head) -> None:
        self._send = send
        self._head = head
        self._started = False
        # The start and the body so far of the page, whose scripts its head must name.
        self._page: tuple[Message, bytearray] | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._head.is_page and message["status"] == 200:
                self._page = (message, bytearray())
                return
            await self._begin(message, "")
        elif self._page and message["type"] == "http.response.body":
            start, body = self._page
            body += message.get("body", b"")
            if not message.get("more_body"):
                self._page = None
                await self._begin(start, _script_hashes(bytes(body)))
                await self._send({"type": "http.response.body", "body": bytes(body)})
        else:
            await self._send(message)

    async def refuse(self, scope: Scope, refused: Refused) -> None:
        if self._started:
            raise refused
        response = PlainTextResponse(refused.sentence, refused.status)
        await response(scope, _no_more, self.send)

    async def _begin(self, start: Message, scripts: str) -> None:
        self._started = True
        self._head.add_to(start, scripts)
        await self._send(start)


class _Held:
    """An answer that is held back until it is known to be good."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer
        self._messages: list[Message] = []

    @property
    def status(self) -> int:
        return self._messages[0]["status"] if self._messages else 0

    async def send(self, message: Message) -> None:
        self._messages.append(message)

    async def release(self) -> None:
        for message in self._messages:
            await self._answer.send(message)


class _Upload:
    """The body of an upload, checked while it comes.

    What it raises in `receive` is what gradio's reader of uploads takes for a fault of the upload:
    then, and only then, it deletes what it has written of it so far.
    """

    def __init__(self, receive: Receive, content_type: str, limit: int) -> None:
        self.refused: Refused | None = None
        self._receive = receive
        self._shape = OnlyFiles(content_type)
        self._limit = limit
        self._count = 0
        self._ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request":
            self._ended = True
            self.refused = Refused(400, NOT_UNDERSTOOD)
            raise MultiPartException("The upload was cut.")
        body = message.get("body", b"")
        self._ended = not message.get("more_body")
        self._count += len(body)
        if self._count > self._limit:
            self.refused = self.too_large()
            raise MultiPartException("The upload is too large.")
        try:
            self._shape.feed(body)
        except UploadError as error:
            self.refused = Refused(400, str(error))
            raise MultiPartException(str(error)) from error
        return message

    def too_large(self) -> Refused:
        most = _megabytes(self._limit)
        return Refused(413, f"More than {most} at once. Upload fewer or smaller files.")

    async def drain(self) -> None:
        """Let the rest come, within bounds: a browser reads no answer while it is sending."""
        count = 0
        while not self._ended and count <= self._limit:
            message = await self._receive()
            count += len(message.get("body", b""))
            self._ended = message["type"] != "http.request" or not message.get("more_body")


async def _read(receive: Receive, limit: int, announced: int) -> bytes:
    """A whole body.

    Raises:
        Refused: It is larger than the limit, or the browser went away.
    """
    too_large = Refused(413, f"A message may have {_megabytes(limit)} at most.")
    if announced > limit:
        raise too_large
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused(400, NOT_UNDERSTOOD)
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body again, in one piece, and then whatever comes."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _no_more() -> Message:
    return {"type": "http.disconnect"}


def _path(scope: Scope) -> str:
    """The path below the app's root, as its router will see it, without a slash at its end."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :]
    return path.rstrip("/") or _PAGE


def _check_origin(scope: Scope, path: str) -> None:
    """A page of another site may link to this one, and nothing else.

    By what the browser says of itself: no proxy changes that, as it does the host.
    """
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site", "same-origin")
    is_visit = path == _PAGE and headers.get("sec-fetch-mode") == "navigate"
    if site not in ("same-origin", "none") and not is_visit:
        raise Refused(403, FROM_ELSEWHERE)


def _check_address(scope: Scope, path: str) -> Scope:
    """The request as gradio gets it.

    Raises:
        Refused: The page never asks for this.
    """
    if scope["method"] in ("GET", "HEAD"):
        is_known = _READABLE.fullmatch(path) is not None
    else:
        is_known = scope["method"] == "POST" and (path == _UPLOAD or path in _MESSAGES)
    if not is_known or len(scope.get("query_string", b"")) > _MAX_QUERY:
        raise Refused(404, NOTHING_HERE)
    return {**scope, "query_string": b""} if path in _WITHOUT_QUERY else scope


def _check_message(path: str, body: bytes, listeners: Listeners) -> None:
    """Raise what a message deserves that gradio would stumble over."""
    try:
        message = json.loads(body)
        if b"\\u" in body:  # Half a character can be written like this, and not be encoded again.
            json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refused(400, NOT_UNDERSTOOD) from error
    if not (
        isinstance(message, dict)
        and _is_page_name(message.get("session_hash"))
        and _has_listener(path, message, listeners)
    ):
        raise Refused(400, NOT_UNDERSTOOD)


def _has_listener(path: str, message: dict[str, Any], listeners: Listeners) -> bool:
    if path == _CALL:
        component, name = message.get("component_id"), message.get("fn_name")
        return (
            "data" in message
            and type(component) is int
            and isinstance(name, str)
            and name in listeners.functions.get(component, ())
        )
    event = message.get("fn_index")
    return (
        isinstance(message.get("data"), list)
        and type(event) is int
        and event in listeners.events
        and not message.get("batched")
        and not message.get("simple_format")
        and isinstance(message.get("trigger_id"), int | None)
        and isinstance(message.get("event_id"), str | None)
    )


def _is_page_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_PAGES_NAME, value) is not None


def _content_type(scope: Scope) -> str:
    return Headers(scope=scope).get("content-type", "")


def _announced(scope: Scope) -> int:
    """How many bytes a request says that it brings; 0 where it does not say."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def _megabytes(count: int) -> str:
    return f"{count / MEGABYTE:g} MB"


def _script_hashes(page: bytes) -> str:
    """The scripts that stand in the page, as its policy names them: no other may run there."""
    scripts = re.findall(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", page, re.DOTALL)
    hashes = {base64.b64encode(hashlib.sha256(script).digest()).decode() for script in scripts}
    return " ".join(f"'sha256-{one}'" for one in sorted(hashes))
