"""All tiles are one stop of Tab."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.e2e.workspace import MANY, answered, box


def focused(tab: Tab) -> str:
    """The name of the tile that has the focus, or what else has it."""
    return tab.evaluate("""() => {
        const element = document.activeElement;
        const name = element.closest('.pp-tile')?.querySelector('.pp-name');
        return name?.textContent ?? element.getAttribute('aria-label') ?? element.textContent;
    }""")


def test_tab_goes_into_the_tiles_once_and_on(long_workspace):
    tab = long_workspace
    tab.get_by_role("button", name="What to download").focus()
    tab.keyboard.press("Tab")
    assert focused(tab) == "0.jpg"
    tab.keyboard.press("Tab")
    assert focused(tab) == "Settings"
    tab.keyboard.press("Shift+Tab")
    assert focused(tab) == "0.jpg"
    stops = "document.querySelectorAll('.pp-grid [tabindex=\"0\"]').length"
    assert tab.evaluate(stops) == 1
    # Where it was left it is entered again.
    tab.locator(".pp-overlay").nth(3).focus()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Shift+Tab")
    assert focused(tab) == "3.jpg"
    assert tab.evaluate(stops) == 1


@pytest.mark.parametrize(
    ("keys", "at"),
    [
        (["PageDown"], 1),
        (["PageDown", "PageDown", "PageUp"], 1),
        (["PageUp"], 0),
        (["."] * 3 + [","], 2),
        (["n", "n", "Shift+N"], 1),
        (["End"], MANY - 1),
        (["End", "PageDown"], MANY - 1),
        (["End", "Home"], 0),
    ],
)
def test_keys_go_from_image_to_image(long_workspace, keys, at):
    long_workspace.locator(".pp-overlay").nth(0).focus()
    for key in keys:
        long_workspace.keyboard.press(key)
    assert focused(long_workspace) == f"{at}.jpg"


def test_the_image_that_a_key_goes_to_is_shown_whole_below_the_toolbar(long_workspace):
    tab = long_workspace
    tab.locator(".pp-overlay").nth(0).focus()
    for _ in range(20):
        tab.keyboard.press("PageDown")
        at = int(focused(tab).partition(".")[0])
        tile = box(tab, ".pp-tile", at)
        assert tile["bottom"] <= 700
    for _ in range(20):
        tab.keyboard.press("PageUp")
        at = int(focused(tab).partition(".")[0])
        assert box(tab, ".pp-tile", at)["top"] >= box(tab, ".pp-top")["bottom"]
    assert at == 0


def test_keys_go_through_the_images_that_the_filter_leaves(long_workspace, many):
    tab = long_workspace
    many.masks[[0, 2, 4]] = False
    tab.locator(".pp-overlay").nth(0).press("Enter")
    answered(tab)
    tab.locator("[data-filter]").select_option("empty")
    tab.get_by_role("radio", name="Best first").click()
    tab.keyboard.press("n")
    tab.keyboard.press("Home")
    # By their presence.
    seen = [focused(tab)]
    for _ in range(3):
        tab.keyboard.press("n")
        seen.append(focused(tab))
    assert seen == ["4.jpg", "2.jpg", "0.jpg", "0.jpg"]


def test_an_arrow_key_still_moves_on_the_image_itself(workspace, server):
    tile = workspace.locator(".pp-overlay").nth(0)
    tile.press("ArrowRight")
    expect(tile).to_be_focused()
    tile.press("Enter")
    answered(workspace)
    assert server.requests[-1].clicks[-1].x > 0.5


def test_a_remark_is_a_stop_where_its_image_is_the_one(workspace):
    workspace.locator(".pp-overlay").nth(1).focus()
    workspace.keyboard.press("Tab")
    expect(workspace.locator(".pp-remark")).to_be_focused()
    workspace.keyboard.press("PageUp")
    assert focused(workspace) == "a.jpg"
    workspace.keyboard.press("Tab")
    assert focused(workspace) == "Settings"
