"""Who a request comes from: a cookie with a random value, which no script of the page can read.

It knows a browser again, and says nothing about its person. Knows HTTP and gradio's requests;
nothing of sessions.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, MutableMapping
from typing import Any

import gradio as gr
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

# Where the guard notes, in a request's scope, who it comes from.
_NOTE = "pointprompt.visitor"
_VALUE = re.compile("[A-Za-z0-9_-]{43}")
# What a browser then takes from this host alone, and only over https.
_SECURE_NAME = "__Host-pointprompt-visitor"
_PLAIN_NAME = "pointprompt-visitor"
# As long as browsers allow: stored sets are opened again by the visitor of then.
_LASTS = "Max-Age=34560000"


def note(scope: MutableMapping[str, Any]) -> str:
    """Who a request comes from, by its cookie; "" where it has none. It is noted for `of`."""
    headers = Headers(scope=dict(scope))
    cookies = cookie_parser(headers.get("cookie", ""))
    value = cookies.get(_SECURE_NAME if is_secure(scope, headers) else _PLAIN_NAME, "")
    scope[_NOTE] = value if _VALUE.fullmatch(value) else ""
    return str(scope[_NOTE])


def note_program(scope: MutableMapping[str, Any], client: str) -> None:
    """Note, for `of`, a program that has no cookie and a name it has made up for itself.

    A client of gradio makes one by chance and sends it with all that it asks for; nobody else
    learns it. It is no cookie's value, so no program is ever somebody with a browser.
    """
    if client and not scope[_NOTE]:
        scope[_NOTE] = f"program {hashlib.sha256(client.encode()).hexdigest()}"


def of(request: Any) -> str:
    """Who a request comes from, gradio's or Starlette's, as the guard noted it; "" for nobody."""
    inner = request.request if isinstance(request, gr.Request) else request
    scope = getattr(inner, "scope", None)
    return str(scope.get(_NOTE, "")) if isinstance(scope, Mapping) else ""


def new_cookie(scope: Mapping[str, Any]) -> str:
    """The header that has a browser be a visitor from now on."""
    value = secrets.token_urlsafe(32)
    if is_secure(scope, Headers(scope=dict(scope))):
        # Also in a frame of another site, as on a Space, and there another one for each such site.
        kind = "Secure; SameSite=None; Partitioned"
        return f"{_SECURE_NAME}={value}; {_LASTS}; Path=/; HttpOnly; {kind}"
    return f"{_PLAIN_NAME}={value}; {_LASTS}; Path=/; HttpOnly; SameSite=Lax"


def is_secure(scope: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Whether the browser speaks https, perhaps to a proxy before this server."""
    forwarded = headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    return (forwarded or scope.get("scheme")) == "https"
