from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from pointprompt.ui.launch import launch
from tests.e2e.browser import Page, launch_chromium


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
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, **context_options}
        )
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
