"""Part, thing or more for fingers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from tests.e2e.browser import new_context
from tests.e2e.modules import ORIGIN, serve
from tests.e2e.workspace import Server, answered, open_workspace


@pytest.fixture
def phone(browser: Browser, server: Server) -> Iterator[Tab]:
    context = new_context(
        browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    context.route(f"{ORIGIN}/**", serve)
    yield open_workspace(context, server, ["a.jpg", "b.jpg"])
    context.close()


def test_after_a_tap_its_tile_has_a_stepper_which_changes_what_the_click_means(phone, server):
    stepper = phone.locator(".pp-stepper")
    expect(stepper).to_be_hidden()
    phone.locator(".pp-overlay").nth(1).tap()
    answered(phone)
    expect(phone.locator(".pp-tile").nth(1).locator(".pp-stepper")).to_be_visible()
    assert stepper.locator("output").inner_text() == "thing"
    less, more = stepper.get_by_role("button").all()
    more.tap()
    answered(phone)
    assert server.requests[-1].settings.rule.size == "more"
    expect(more).to_be_disabled()
    less.tap()
    less.tap()
    answered(phone)
    assert server.requests[-1].settings.rule.size == "part"
    expect(less).to_be_disabled()
    assert len(server.requests[-1].clicks) == 1


def test_it_stands_where_its_image_is_seen_large(phone):
    phone.locator(".pp-overlay").first.tap()
    answered(phone)
    phone.locator(".pp-enlarge").first.tap()
    expect(phone.locator(".pp-large .pp-stepper")).to_be_visible()
    phone.locator("[data-stage=close]").tap()
    expect(phone.locator(".pp-tile .pp-stepper")).to_be_visible()


def test_the_stepper_goes_with_the_last_click(phone, server):
    phone.locator(".pp-overlay").first.tap()
    answered(phone)
    expect(phone.locator(".pp-stepper")).to_be_visible()
    phone.locator("[data-action=clear]").tap()
    answered(phone)
    expect(phone.locator(".pp-stepper")).to_be_hidden()


def test_a_mouse_has_no_stepper(workspace):
    workspace.locator(".pp-overlay").first.click()
    answered(workspace)
    expect(workspace.locator(".pp-stepper")).to_be_hidden()
