"""The guard between the server and gradio's routes: what passes, with how much, and who asks.

Lets through what the page asks for and sends, tells one visitor from another, and turns the rest
away with a sentence. Knows HTTP. Knows nothing of sessions, nor of what messages mean.
"""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from pointprompt.ui import allowed, bodies, visitors
from pointprompt.ui.allowed import Refused
from pointprompt.ui.answers import Answer, Head, Held
from pointprompt.ui.folders import room_for
from pointprompt.ui.uploads import UploadError


class Guard:
    """ASGI middleware."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        listeners: allowed.Listeners,
        limits: bodies.BodyLimits | None = None,
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
        self._limits = limits or bodies.BodyLimits()
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
        path = allowed.path_of(scope)
        answer = Answer(send, self._head(scope, path, visitors.note(scope)))
        try:
            allowed.check_origin(scope, path)
            scope = allowed.check_address(scope, path, self._listeners)
            if path == allowed.MCP:
                await self._assistants_message(scope, receive, answer)
            elif path == allowed.UPLOAD:
                await self._upload(scope, receive, answer)
            elif scope["method"] == "POST" and allowed.is_message(path):
                await self._message(path, scope, receive, answer)
            else:
                await self._app(scope, receive, answer.send)
        except Refused as refused:
            await answer.refuse(scope, refused)

    async def _upload(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        if not allowed.content_type(scope).startswith("multipart/form-data"):
            raise Refused(400, allowed.NOT_UNDERSTOOD)
        try:
            limited = bodies.UploadBody(receive, allowed.content_type(scope), self._limits.upload)
        except UploadError as error:
            raise Refused(400, str(error)) from error
        if allowed.announced(scope) > self._limits.upload:
            await limited.drain()
            raise limited.too_large()
        # Before it fills the disk, which others need.
        if not room_for(Path(tempfile.gettempdir()), allowed.announced(scope)):
            await limited.drain()
            raise Refused(507, allowed.DISK_FULL)
        held = Held(answer)
        try:
            await self._app(scope, limited.receive, held.send)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise Refused(507, allowed.DISK_FULL) from error
        await limited.drain()
        if limited.refused:
            raise limited.refused
        if held.status == 413:
            raise Refused(413, f"A file may have {bodies.megabytes(self._limits.file)} at most.")
        await held.release()

    async def _message(self, path: str, scope: Scope, receive: Receive, answer: Answer) -> None:
        body = await self._body(scope, receive)
        visitors.note_program(scope, allowed.check_message(path, body, self._listeners))
        held = Held(answer)
        await self._app(scope, bodies.replay(body, receive), held.send)
        # What does not suit an event's inputs is the sender's fault, which gradio takes for its
        # own; and its answer to a message of the wrong form quotes it.
        if held.status == 422 or (held.status == 500 and path != allowed.COMPONENT):
            raise Refused(400, allowed.NOT_UNDERSTOOD)
        await held.release()

    async def _assistants_message(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        body = await self._body(scope, receive)
        allowed.check_assistants_message(body)
        # gradio sends what is in the head on to itself.
        scope = {**scope, "headers": allowed.assistants_headers(scope)}
        # Not held: how far a tool is, is told while it works.
        await self._app(scope, bodies.replay(body, receive), answer.send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        if not allowed.content_type(scope).startswith("application/json"):
            raise Refused(400, allowed.NOT_UNDERSTOOD)
        return await bodies.read(receive, self._limits.message, allowed.announced(scope))

    def _head(self, scope: Scope, path: str, visitor: str) -> Head:
        is_page = path == allowed.PAGE and scope["method"] == "GET"
        return Head(
            is_page=is_page,
            cookie=visitors.new_cookie(scope) if is_page and not visitor else "",
            hub=" https://huggingface.co" if self._on_space else "",
        )
