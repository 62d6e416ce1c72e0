"""How much a request may bring: its bytes are counted, and what they hold is checked as they come.

Knows HTTP. Knows nothing of what is done with a body.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

from pointprompt.ui.allowed import NOT_UNDERSTOOD, Refused
from pointprompt.ui.uploads import OnlyFiles, UploadError

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class BodyLimits:
    """How many bytes a request may bring.

    Attributes:
        message: Of anything but an upload.
        file: Of one file of an upload. gradio counts them, and tells the page before it begins.
        upload: Of all files that are uploaded at once.
    """

    message: int = 10 * MEGABYTE
    file: int = 200 * MEGABYTE
    upload: int = 2000 * MEGABYTE


class UploadBody:
    """The body of an upload, checked while it comes.

    What it raises in `receive` is what gradio's reader of uploads takes for a fault of the upload:
    then, and only then, it deletes what it has written of it so far.

    Attributes:
        refused: What to answer; None while nothing is wrong.
    """

    def __init__(self, receive: Receive, content_type: str, limit: int) -> None:
        """Check a body of this type, of so many bytes at most.

        Raises:
            UploadError: It is not of a type that holds files.
        """
        self.refused: Refused | None = None
        self._receive = receive
        self._shape = OnlyFiles(content_type)
        self._limit = limit
        self._count = 0
        self._ended = False

    async def receive(self) -> Message:
        """The next message of it.

        Raises:
            MultiPartException: It is not what the page uploads; `refused` is what to answer.
        """
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
        """What to answer where it has too many bytes."""
        most = megabytes(self._limit)
        return Refused(413, f"More than {most} at once. Upload fewer or smaller files.")

    async def drain(self) -> None:
        """Let the rest come, within bounds: a browser reads no answer while it is sending."""
        count = 0
        while not self._ended and count <= self._limit:
            message = await self._receive()
            count += len(message.get("body", b""))
            self._ended = message["type"] != "http.request" or not message.get("more_body")


async def read(receive: Receive, limit: int, announced: int) -> bytes:
    """A whole body.

    Raises:
        Refused: It is larger than the limit, or the browser went away.
    """
    too_large = Refused(413, f"A message may have {megabytes(limit)} at most.")
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


def replay(body: bytes, receive: Receive) -> Receive:
    """The body again, in one piece, and then whatever comes."""
    sent = False

    async def receive_again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def megabytes(count: int) -> str:
    """So many bytes, as people say it: "200 MB"."""
    return f"{count / MEGABYTE:g} MB"
