"""How a person's browser finds a stored set again: a text that is of use to this visitor alone.

The server keeps no list of who had what. The browser keeps the text, which holds the key of the
stored analysis and what the visitor called the images, and is signed together with the visitor's
cookie. Knows nothing of what is stored, nor of pages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import os
import secrets
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pointprompt.server.session import SessionGone

_log = logging.getLogger(__name__)

# Beside the stored analyses, so that what was given out holds as long as they do.
SECRET = "secret"  # noqa: S105 - a file's name
_SECRET_BYTES = 32
_MAC_BYTES = hashlib.sha256().digest_size

NOT_YOURS = (
    "This set cannot be opened: it was stored by another browser, or elsewhere. Upload its images "
    "to open them here."
)
REMOVED = (
    "This set is not stored any more: others took its room. Upload its images again, and they are "
    "analysed anew."
)


class NotRecalled(SessionGone):
    """A stored set cannot be opened again; a sentence for the person."""


class Recalled(NamedTuple):
    """What a visitor asks for again.

    Attributes:
        key: Of the stored analysis.
        names: What the visitor called its images.
    """

    key: str
    names: tuple[str, ...]


class Recalls:
    """Gives out such texts, and reads them."""

    def __init__(self, folder: Path) -> None:
        """Use the secret that is kept in a folder, made where there is none."""
        self._secret = _secret_in(folder)

    def token(self, key: str, names: Sequence[str], visitor: str) -> str:
        """The text that opens a stored set for this visitor; "" where there can be none.

        Args:
            key: Of the stored analysis.
            names: What the visitor calls its images.
            visitor: Who may open it; nobody is "".
        """
        if not (self._secret and key and visitor):
            return ""
        body = zlib.compress(json.dumps([key, *names]).encode())
        signed = _mac(self._secret, visitor, body) + body
        return base64.urlsafe_b64encode(signed).decode("ascii")

    def read(self, token: str, visitor: str) -> Recalled:
        """What a text stands for.

        Raises:
            NotRecalled: It was not given to this visitor, or not by this server.
        """
        if not (self._secret and visitor):
            raise NotRecalled(NOT_YOURS)
        try:
            signed = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise NotRecalled(NOT_YOURS) from None
        mac, body = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
        if not hmac.compare_digest(mac, _mac(self._secret, visitor, body)):
            raise NotRecalled(NOT_YOURS)
        # From here on it is our own.
        key, *names = json.loads(zlib.decompress(body))
        return Recalled(key, tuple(names))


def _mac(secret: bytes, visitor: str, body: bytes) -> bytes:
    # The digest has a length of its own: where the visitor ends and the body begins is certain.
    who = hashlib.sha256(visitor.encode("utf-8", "replace")).digest()
    return hmac.new(secret, b"pointprompt recall" + who + body, hashlib.sha256).digest()


def _secret_in(folder: Path) -> bytes:
    """The secret of a folder; b"" where there is none and none can be made."""
    path = folder / SECRET
    try:
        return _read(path) or _make(path)
    except OSError as error:
        _log.warning("Stored sets are not listed by browsers: %s.", error)
        return b""


def _read(path: Path) -> bytes:
    """The secret in a file; b"" where it is missing or damaged."""
    with suppress(FileNotFoundError):
        found = path.read_bytes()
        return found if len(found) == _SECRET_BYTES else b""
    return b""


def _make(path: Path) -> bytes:
    """Make the secret, and return what is there then: another server may be making it too.

    Raises:
        OSError: It cannot be written.
    """
    new = path.with_name(f".new-{secrets.token_urlsafe(12)}")
    try:
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(secrets.token_bytes(_SECRET_BYTES))
            opened.flush()
            os.fsync(file)
        if path.exists():
            new.replace(path)  # What is there is damaged.
        else:
            with suppress(FileExistsError):
                os.link(new, path)
        return _read(path)
    finally:
        new.unlink(missing_ok=True)
