from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from playwright.sync_api import Page as Tab

from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from pointprompt.ui.launch import launch
from tests.e2e.browser import PATIENCE_MS, Page, launch_chromium, new_context
from tests.e2e.modules import ORIGIN, Run, open_tab, serve
from tests.e2e.workspace import MANY, H, Server, W, open_workspace

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launch_chromium(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    return Service(SessionStore(tmp_path_factory.mktemp("sessions")), Limits())


@pytest.fixture(scope="session")
def url(service: Service) -> Iterator[str]:
    demo = launch(service, quiet=True)
    yield demo.local_url
    demo.close()


@pytest.fixture
def new_page(browser: Browser, url: str) -> Iterator[object]:
    """Opens pages, each of a visitor of its own."""
    contexts = []
    pages = []

    def open_page(**context_options: object) -> Page:
        context = new_context(browser, **context_options)
        contexts.append(context)
        page = Page(context.new_page(), url)
        pages.append(page)
        page.open()
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: object) -> Page:
    return new_page()  # type: ignore[operator]


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three photos in which the same two things are seen."""
    from PIL import Image

    from pointprompt.sources.examples import example_set

    folder = tmp_path_factory.mktemp("photos")
    paths = []
    for image in example_set("still-life").images[:3]:
        path = folder / image.name
        Image.fromarray(image.load()).save(path)
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = new_context(browser, viewport={"width": 900, "height": 700}, device_scale_factor=2)
    context.route(f"{ORIGIN}/**", serve)
    yield context
    context.close()


@pytest.fixture(scope="module")
def run(context: BrowserContext) -> Run:
    """Runs a function's body; it may await, and takes `input`."""
    tab = open_tab(context)

    def run_body(body: str, value: object = None) -> Any:
        return tab.evaluate(f"async (input) => {{ {body} }}", value)

    return run_body


@pytest.fixture
def server() -> Server:
    masks = np.zeros((2, H, W), bool)
    masks[0, 1:4, 2:5] = True
    return Server(masks, [0.9, 0.25])


@pytest.fixture
def workspace(context: BrowserContext, server: Server) -> Iterator[Tab]:
    tab = open_workspace(context, server, ["a.jpg", "<b>.jpg"])
    yield tab
    tab.close()


@pytest.fixture
def many() -> Server:
    """A server of so many images that most are far below the screen."""
    masks = np.zeros((MANY, H, W), bool)
    masks[:, :3] = True
    return Server(masks, [((7 * index) % MANY) / MANY for index in range(MANY)])


@pytest.fixture
def long_workspace(context: BrowserContext, many: Server) -> Iterator[Tab]:
    tab = open_workspace(context, many, [f"{index}.jpg" for index in range(MANY)])
    yield tab
    tab.close()
