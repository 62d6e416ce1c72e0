"""What a request may ask for: everything else is turned away.

Of gradio's routes these are what the page needs, so that no upload is ever served and no page of
gradio's own is open. Knows HTTP and the form of gradio's messages. Knows nothing of what messages
mean, nor of bodies that are no message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

from pointprompt.server import addresses, handed_out

PAGE = "/"
UPLOAD = "/gradio_api/upload"
COMPONENT = "/gradio_api/component_server"
JOIN = "/gradio_api/queue/join"
EVENTS = (JOIN, "/gradio_api/run/predict")
MESSAGES = (COMPONENT, *EVENTS)
# Of the endpoints that programs call, and of assistants.
INFO = "/gradio_api/info"
CALL = "/gradio_api/call/"
_CALL = f"{CALL}[a-z]{{1,20}}"
MCP = "/gradio_api/mcp"
MCP_SCHEMA = f"{MCP}/schema"
FILE = "/gradio_api/file="
_PAGES_NAME = "[A-Za-z0-9_-]{1,64}"
# Of names without "..", below a folder.
_BELOW = r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+"
# What the page asks for: seen in a browser, and read in gradio's client.
_READABLE = re.compile(
    "|".join(
        [
            PAGE,
            r"/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt",
            f"/(?:assets|static){_BELOW}",
            f"/gradio_api/heartbeat/{_PAGES_NAME}",
            "/gradio_api/(?:queue/data|upload_progress|app_id|startup-events)",
            f"{addresses.ROOT}{_BELOW}",
            # What programs ask for: what there is to call, answers, and files made for them.
            INFO,
            f"{_CALL}/[0-9a-f]{{32}}",
            f"{FILE}{handed_out.KEY}/{handed_out.NAME}",
        ]
    )
)
_ASSISTANTS_HEADERS = frozenset(
    [
        b"host",
        b"accept",
        b"content-type",
        b"cookie",
        b"mcp-protocol-version",
        b"x-forwarded-host",
        b"x-forwarded-proto",
    ]
)
# gradio reads no more of these than the page ever sends; with "deep_link" it would open files. What
# it says of endpoints it would keep without "page", with the address that its first reader claims.
_QUERIES = {PAGE: b"", "/config": b"", INFO: b"page="}
_MAX_QUERY = 512

NOTHING_HERE = "There is nothing here."
NOT_UNDERSTOOD = "This message is not one that the page sends."
FROM_ELSEWHERE = "Another site may not use this one."
DISK_FULL = "The server's disk is full. Please tell its owner."


@dataclass(frozen=True)
class Listeners:
    """What messages can be for.

    Attributes:
        functions: Names of the functions that a component answers calls of, by its id.
        events: Numbers of the page's events.
        endpoints: Numbers of the events that programs call, by their names.
        assistants: Whether assistants may call these too, by their protocol.
    """

    functions: Mapping[int, Collection[str]] = field(default_factory=dict)
    events: Collection[int] = ()
    endpoints: Mapping[str, int] = field(default_factory=dict)
    assistants: bool = False


class Refused(Exception):
    """A request that goes no further, with the answer's status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def path_of(scope: Scope) -> str:
    """The path below the app's root, as its router will see it, without a slash at its end."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :]
    return path.rstrip("/") or PAGE


def check_origin(scope: Scope, path: str) -> None:
    """A page of another site may link to this one, and nothing else.

    By what the browser says of itself: no proxy changes that, as it does the host.
    """
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site", "same-origin")
    is_visit = path == PAGE and headers.get("sec-fetch-mode") == "navigate"
    if site not in ("same-origin", "none") and not is_visit:
        raise Refused(403, FROM_ELSEWHERE)


def check_address(scope: Scope, path: str, listeners: Listeners) -> Scope:
    """The request as gradio gets it.

    Raises:
        Refused: The page never asks for this.
    """
    if scope["method"] in ("GET", "HEAD"):
        is_tools = listeners.assistants and path == MCP_SCHEMA
        is_known = is_tools or _READABLE.fullmatch(path) is not None
    else:
        is_tools = listeners.assistants and path == MCP
        is_known = scope["method"] == "POST" and (is_tools or path == UPLOAD or is_message(path))
    if not is_known or len(scope.get("query_string", b"")) > _MAX_QUERY:
        raise Refused(404, NOTHING_HERE)
    return {**scope, "query_string": _QUERIES[path]} if path in _QUERIES else scope


def is_message(path: str) -> bool:
    """Whether what is sent there is a message, which is read before it goes on."""
    return path in MESSAGES or re.fullmatch(_CALL, path) is not None


def check_message(path: str, body: bytes, listeners: Listeners) -> str:
    """Raise what a message deserves that gradio would stumble over.

    Returns:
        The name that a program has made up for itself, where the message is for an endpoint and
        says it; else "".
    """
    message = _parsed(body)
    client = message.get("session_hash")
    is_of_client = _is_page_name(client) or (client is None and path.startswith(CALL))
    if not is_of_client or not _has_listener(path, message, listeners):
        raise Refused(400, NOT_UNDERSTOOD)
    is_endpoints = path.startswith(CALL) or message.get("fn_index") in listeners.endpoints.values()
    return client if is_endpoints and isinstance(client, str) else ""


def check_assistants_message(body: bytes) -> None:
    """Raise what a message deserves that would have gradio open a file of this computer."""
    message = _parsed(body)
    if _names_a_file(message):
        raise Refused(400, NOT_UNDERSTOOD)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
        if b"\\u" in body:  # Half a character can be written like this, and not be encoded again.
            json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refused(400, NOT_UNDERSTOOD) from error
    if not isinstance(message, dict):
        raise Refused(400, NOT_UNDERSTOOD)
    return message


def _has_listener(path: str, message: dict[str, Any], listeners: Listeners) -> bool:
    if path == COMPONENT:
        component, name = message.get("component_id"), message.get("fn_name")
        return (
            "data" in message
            and type(component) is int
            and isinstance(name, str)
            and name in listeners.functions.get(component, ())
        )
    if not isinstance(message.get("data"), list) or _names_an_address(message["data"]):
        return False
    if path.startswith(CALL):
        return path[len(CALL) :] in listeners.endpoints
    event = message.get("fn_index")
    return (
        type(event) is int
        and (event in listeners.events or (path == JOIN and event in listeners.endpoints.values()))
        and not message.get("batched")
        and not message.get("simple_format")
        and isinstance(message.get("trigger_id"), int | None)
        and isinstance(message.get("event_id"), str | None)
    )


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """All objects in a message, however deep."""
    ahead = [value]
    while ahead:
        one = ahead.pop()
        if isinstance(one, dict):
            yield one
            ahead += one.values()
        elif isinstance(one, list):
            ahead += one


def _names_an_address(data: object) -> bool:
    """Whether gradio would fetch a file of it from somewhere."""
    return any("://" in str(one.get("path", "")) for one in _objects(data))


def _names_a_file(message: object) -> bool:
    """Whether gradio's own client, which runs here for assistants, would upload a file of it."""
    return any("path" in one for one in _objects(message))


def _is_page_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_PAGES_NAME, value) is not None


def assistants_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Of the head of an assistant's message, what matters for its answer."""
    return [(name, value) for name, value in scope["headers"] if name in _ASSISTANTS_HEADERS]


def content_type(scope: Scope) -> str:
    """What a request says that it brings; "" where it does not say."""
    return Headers(scope=scope).get("content-type", "")


def announced(scope: Scope) -> int:
    """How many bytes a request says that it brings; 0 where it does not say."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
