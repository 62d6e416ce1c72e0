"""The page's JavaScript modules, each by itself, as real modules in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, Route
from playwright.sync_api import Page as Tab

from pointprompt.ui.canvas import STATIC

ORIGIN = "http://modules.test"


Run = Callable[..., Any]


def serve(route: Route) -> None:
    """The page's own files and an empty document, from no server."""
    name = route.request.url.removeprefix(ORIGIN).strip("/")
    file = STATIC / name
    if name == "":
        route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")
    elif file.suffix == ".js" and file.is_file():
        route.fulfill(body=file.read_text(encoding="utf-8"), content_type="text/javascript")
    else:
        route.fulfill(status=404)


def open_tab(context: BrowserContext) -> Tab:
    tab = context.new_page()
    tab.goto(ORIGIN)
    return tab
