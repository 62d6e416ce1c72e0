"""Our own files, served: the page's modules, and the pictures and downloads of sessions.

Each has a fixed type and is found by a key and a number, never by a path: nothing that a visitor
sent is served under its own name, and no browser ever executes it. Knows HTTP; which file an
address means is `service`'s.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from pointprompt.server import addresses
from pointprompt.server.handed_out import HandedOutFiles
from pointprompt.server.service import Service
from pointprompt.server.session import SessionGone
from pointprompt.ui import visitors
from pointprompt.ui.allowed import FILE, NOTHING_HERE
from pointprompt.ui.static_files import FILES, MODULES

_CHUNK = 1 << 18
# Whatever a browser makes of a visitor's picture, it is nothing that runs, nor another site's.
_OF_A_SESSION = {
    # Photos are not left behind in a browser's cache.
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_OF_THE_PAGE = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def routes(service: Service, handed_out: HandedOutFiles) -> list[BaseRoute]:
    """What is served at the addresses of `addresses`, the page's modules, and programs' files."""

    def module(request: Request) -> Response:
        found = FILES.get(request.path_params["name"])
        if found is None:
            return _nothing()
        content, media_type = found
        return Response(content, media_type=media_type, headers=_OF_THE_PAGE)

    def tile(request: Request) -> Response:
        key, visitor = _whose(request)
        return _sent(lambda: service.tile(key, _number(request), visitor), "image/jpeg")

    def whole(request: Request) -> Response:
        key, visitor = _whose(request)
        return _sent(lambda: service.whole(key, _number(request), visitor), "image/jpeg")

    def codes(request: Request) -> Response:
        key, visitor = _whose(request)
        try:
            content = service.codes(key, _number(request), visitor)
        except (SessionGone, ValueError, OSError):
            return _nothing()
        return Response(content, media_type="application/octet-stream", headers=_OF_A_SESSION)

    def colors(request: Request) -> Response:
        key, visitor = _whose(request)
        return _sent(lambda: service.colors(key, visitor), "image/png")

    def download(request: Request) -> Response:
        key, visitor = _whose(request)
        return _sent(
            lambda: service.download(key, request.path_params["name"], visitor),
            "application/zip",
            {"Content-Disposition": f'attachment; filename="{addresses.DOWNLOAD_NAME}"'},
        )

    def programs(request: Request) -> Response:
        name = request.path_params["name"]
        return _sent(
            lambda: handed_out.find(request.path_params["key"]),
            "image/png" if name.endswith(".png") else "application/zip",
            {"Content-Disposition": "attachment"},
        )

    pictures = f"{addresses.ROOT}/pictures/{{key}}"
    zip_file = f"{addresses.ROOT}/downloads/{{key}}/{{name}}/{addresses.DOWNLOAD_NAME}"
    return [
        Route(f"{MODULES}/{{name:path}}", module),
        Route(f"{pictures}/colors.png", colors),
        Route(f"{pictures}/{{number}}.whole.jpg", whole),
        Route(f"{pictures}/{{number}}.jpg", tile),
        Route(f"{pictures}/{{number}}.codes", codes),
        Route(zip_file, download),
        # Before gradio's own route, which opens files by their paths.
        Route(f"{FILE}{{key}}/{{name}}", programs),
    ]


def _whose(request: Request) -> tuple[str, str]:
    """The key in an address, and who asks."""
    return request.path_params["key"], visitors.of(request)


def _number(request: Request) -> int:
    """Of the image in an address.

    Raises:
        ValueError: It is none as the page writes it.
    """
    number = request.path_params["number"]
    if re.fullmatch(addresses.NUMBER, number) is None:
        raise ValueError("No image has such a number.")
    return int(number)


def _sent(
    find: Callable[[], Path], media_type: str, headers: dict[str, str] | None = None
) -> Response:
    """The file, or that there is none: which of many reasons it has is nobody's business."""
    try:
        # Opened here: a session that is freed meanwhile does not cut what is under way.
        file = find().open("rb")
    except (LookupError, ValueError, OSError):
        return _nothing()
    size = str(os.fstat(file.fileno()).st_size)
    every = {**_OF_A_SESSION, **(headers or {}), "Content-Length": size}
    return StreamingResponse(_chunks(file), media_type=media_type, headers=every)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _nothing() -> Response:
    return PlainTextResponse(NOTHING_HERE, 404, {"X-Content-Type-Options": "nosniff"})
