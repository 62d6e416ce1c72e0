"""Answers on their way to a browser, with what it may do with them said in their heads.

Knows HTTP and the policies of browsers. Knows nothing of what is answered.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import Message, Scope, Send

from pointprompt.ui.allowed import Refused


@dataclass(frozen=True)
class Head:
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
        """Say it in the message that begins an answer; `scripts` are those that may run in it."""
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
                # The first frame of a video that was chosen.
                "media-src 'self' blob:",
                "font-src 'self' data:",
                f"connect-src 'self'{self.hub}",
                "worker-src 'self' blob:",
                "object-src 'none'",
                "base-uri 'self'",
                "form-action 'self'",
                "frame-ancestors 'self' https://huggingface.co https://*.hf.space",
            ]
        )


class Answer:
    """An answer on its way to the browser, with what the guard adds to its head."""

    def __init__(self, send: Send, head: Head) -> None:
        self._send = send
        self._head = head
        self._started = False
        # The start and the body so far of the page, whose scripts its head must name.
        self._page: tuple[Message, bytearray] | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on; the page is held until its scripts are known."""
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
        """Answer with a refusal; raise it where another answer has begun."""
        if self._started:
            raise refused
        response = PlainTextResponse(refused.sentence, refused.status)
        await response(scope, _no_more, self.send)

    async def _begin(self, start: Message, scripts: str) -> None:
        self._started = True
        self._head.add_to(start, scripts)
        await self._send(start)


class Held:
    """An answer that is held back until it is known to be good."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._messages: list[Message] = []

    @property
    def status(self) -> int:
        """Of the answer; 0 while there is none."""
        return self._messages[0]["status"] if self._messages else 0

    async def send(self, message: Message) -> None:
        """Keep a message."""
        self._messages.append(message)

    async def release(self) -> None:
        """Let it go on its way."""
        for message in self._messages:
            await self._answer.send(message)


async def _no_more() -> Message:
    return {"type": "http.disconnect"}


def _script_hashes(page: bytes) -> str:
    """The scripts that stand in the page, as its policy names them: no other may run there."""
    scripts = re.findall(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", page, re.DOTALL)
    hashes = {base64.b64encode(hashlib.sha256(script).digest()).decode() for script in scripts}
    return " ".join(f"'sha256-{one}'" for one in sorted(hashes))
