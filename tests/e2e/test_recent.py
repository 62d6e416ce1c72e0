"""Tomorrow: the sets that a browser had open are listed there, and open with what was done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from pointprompt.analysis.store import Store
from pointprompt.engines.engine import ThisProcess
from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from pointprompt.ui.launch import launch
from tests.e2e.browser import CLICKS, Page, new_context
from tests.e2e.test_first_visit import Counting


@pytest.fixture
def engine() -> Counting:
    return Counting(counted=([],))


@pytest.fixture
def stored(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", 1 << 30)


@pytest.fixture
def url(tmp_path: Path, engine: Counting, stored: Store) -> Iterator[str]:
    assert isinstance(engine, ThisProcess)
    service = Service(SessionStore(tmp_path / "sessions"), Limits(), engine, stored=stored)
    demo = launch(service, quiet=True)
    yield demo.local_url
    demo.close()


@pytest.fixture
def visitor(browser: Browser, url: str) -> Iterator[Callable[[], tuple[BrowserContext, Any]]]:
    """A browser of its own, and what opens a tab in it."""
    contexts = []

    def come() -> tuple[BrowserContext, Callable[[], Page]]:
        context = new_context(browser)
        contexts.append(context)

        def open_tab() -> Page:
            page = Page(context.new_page(), url)
            page.open()
            return page

        return context, open_tab

    yield come
    for context in contexts:
        context.close()


def leave(page: Page) -> None:
    """Close the tab, once the page has noted what is on it."""
    page.tab.wait_for_function(
        "(JSON.parse(localStorage['pointprompt-recent'] ?? '[]')[0]?.prompt.above ?? []).length"
    )
    page.tab.close()


@pytest.fixture
def worked(visitor: Any, photos: list[Path]) -> Callable[[], Page]:
    """A set with two things was open, and the tab was closed."""
    _, open_tab = visitor()
    page = open_tab()
    page.analyze_files(photos)
    page.click(0, 0.31, 0.42)
    page.tab.keyboard.press("a")
    page.click(1, 0.1, 0.9)
    page.wait_for_masks()
    leave(page)
    return open_tab  # type: ignore[no-any-return]


def test_a_set_is_opened_again_with_all_its_things_and_nothing_is_computed(
    worked: Callable[[], Page], engine: Counting, photos: list[Path]
):
    page = worked()
    page.unfold()
    entry = page.tab.get_by_role("button", name=f"{photos[0].name} and 2 more, 2 clicks").first
    entry.click()
    page.tab.wait_for_selector(".pp-workspace[data-set=own]")
    page.wait_for_tiles()
    assert page.tab.locator(".pp-chips button").all_inner_texts() == ["Thing 1", "Thing 2"]
    assert page.tab.evaluate(f"{CLICKS}.length") == 1
    assert page.tile_count == 3
    assert len(engine.counted[0]) == 1
    assert page.problems == []


def test_another_visitor_sees_none_of_it(worked: Callable[[], Page], visitor: Any):
    _, open_tab = visitor()
    page = open_tab()
    page.unfold()
    expect(page.tab.locator(".pp-recent")).to_be_hidden()


def test_what_opens_a_set_is_of_no_use_to_another_visitor(worked: Callable[[], Page], visitor: Any):
    entries = worked().tab.evaluate("localStorage['pointprompt-recent']")
    context, open_tab = visitor()
    context.add_init_script(f"localStorage['pointprompt-recent'] = {entries!r}")
    page = open_tab()
    page.unfold()
    page.tab.locator("[data-recent]").click()
    expect(page.tab.locator("#pp-status")).to_contain_text("stored by another browser")
    assert page.tile_count == 0


def test_a_set_that_is_stored_no_more_says_so_and_can_be_left_out(
    worked: Callable[[], Page], stored: Store
):
    for key in stored.keys():  # noqa: SIM118
        for folder in stored.folder.rglob(key):
            shutil.rmtree(folder)
    page = worked()
    page.unfold()
    page.tab.locator("[data-recent]").click()
    expect(page.tab.locator("#pp-status")).to_contain_text("not stored any more")
    page.tab.get_by_role("button", name="Leave out").click()
    expect(page.tab.locator(".pp-recent")).to_be_hidden()
