from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from pointprompt.server import parsing
from tests.e2e.workspace import answered

ADD = "Add a thing"
ABOUT = "About this thing"


def chips(tab: Tab) -> list[str]:
    return tab.locator(".pp-chips button").all_inner_texts()


def chosen(tab: Tab) -> str:
    return tab.locator(".pp-chips [aria-checked=true]").inner_text()


def click(tab: Tab, tile: int, x: float = 30, y: float = 30) -> None:
    tab.locator(".pp-tile .pp-overlay").nth(tile).click(position={"x": x, "y": y})
    answered(tab)


@pytest.fixture
def two(workspace: Tab) -> Tab:
    """A cat and a dog, each with a click."""
    click(workspace, 0)
    workspace.get_by_role("button", name=ADD).click()
    click(workspace, 1)
    return workspace


def exported(tab: Tab):
    tab.evaluate("triggered.length = 0")
    tab.locator("[data-action=export]").click()
    tab.wait_for_function("triggered.length === 1")
    return parsing.parse_export(tab.evaluate("triggered[0][1]"))


def test_clicks_are_of_the_thing_that_is_chosen(two, server):
    assert chips(two) == ["Thing 1", "Thing 2"]
    request = exported(two)
    assert [[c.image for c in thing.clicks] for thing in request.things] == [[0], [1]]
    assert request.exclusive
    assert not request.overlaps


def test_a_this_of_one_thing_is_a_not_this_of_the_other_where_that_is_wanted(two, server):
    def asked():
        return [[(c.image, c.positive) for c in request.clicks] for request in server.requests]

    assert [(0, False), (1, True)] in asked()
    assert [(1, True)] not in asked()
    two.get_by_label("One thing is no other").uncheck()
    answered(two)
    assert [(1, True)] in asked()
    assert not exported(two).exclusive


def test_digits_choose_a_thing_and_a_letter_adds_one(two):
    two.keyboard.press("1")
    assert chosen(two) == "Thing 1"
    two.keyboard.press("2")
    assert chosen(two) == "Thing 2"
    two.keyboard.press("9")
    assert chosen(two) == "Thing 2"
    two.keyboard.press("a")
    assert chosen(two) == "Thing 3"


def test_each_thing_keeps_its_own_threshold(two, server):
    slider = two.locator("[data-setting=threshold]")
    slider.fill("0.7")
    answered(two)
    two.keyboard.press("1")
    answered(two)
    assert slider.input_value() == "0.5"
    assert server.requests[-1].settings.rule.threshold == 0.5
    two.keyboard.press("2")
    assert slider.input_value() == "0.7"


def test_undo_goes_through_all_things_and_shows_the_one_that_it_changed(two):
    two.keyboard.press("1")
    two.locator("[data-action=undo]").click()
    answered(two)
    assert chosen(two) == "Thing 2"
    assert [len(thing.clicks) for thing in exported(two).things] == [1, 0]
    two.locator("[data-action=undo]").click()
    assert chips(two) == ["Thing 1"]
    two.locator("[data-action=redo]").click()
    two.locator("[data-action=redo]").click()
    answered(two)
    assert [len(thing.clicks) for thing in exported(two).things] == [1, 1]


def test_a_thing_is_renamed_and_no_two_have_one_name(two):
    two.get_by_role("button", name=ABOUT).click()
    name = two.get_by_label("Name", exact=True)
    name.fill("Thing 1")
    name.press("Enter")
    expect(two.get_by_text("Another thing has this name.")).to_be_visible()
    assert chips(two) == ["Thing 1", "Thing 2"]
    name.fill("  dog ")
    name.press("Enter")
    expect(name).to_be_hidden()
    assert chips(two) == ["Thing 1", "dog"]
    assert [thing.name for thing in exported(two).things] == ["Thing 1", "dog"]


def test_a_thing_is_moved_hidden_and_deleted_and_all_of_it_undone(two):
    two.get_by_role("button", name=ABOUT).click()
    menu = two.get_by_role("dialog", name=ABOUT)
    menu.get_by_role("button", name="Move up").click()
    assert chips(two) == ["Thing 2", "Thing 1"]
    expect(menu.get_by_role("button", name="Move up")).to_be_disabled()
    menu.get_by_label("Hide its masks").check()
    expect(two.get_by_role("radio", name="Thing 2, 1 click, hidden")).to_be_visible()
    menu.get_by_role("button", name="Delete").click()
    expect(menu).to_be_hidden()
    assert chips(two) == ["Thing 1"]
    for _ in range(3):
        two.locator("[data-action=undo]").click()
    assert chips(two) == ["Thing 1", "Thing 2"]


def test_the_last_thing_cannot_be_deleted_and_there_are_twenty_at_most(workspace):
    workspace.get_by_role("button", name=ABOUT).click()
    expect(workspace.get_by_role("button", name="Delete")).to_be_disabled()
    workspace.keyboard.press("Escape")
    for _ in range(25):
        workspace.keyboard.press("a")
    assert len(chips(workspace)) == 20
    expect(workspace.get_by_role("button", name=ADD)).to_be_disabled()


COLORS = """(canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const counts = new Map();
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] < 100) continue;
      const key = [...data.slice(at, at + 3)].map((v) => 64 * Math.round(v / 64)).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
}"""
MAGENTA, LIME = "256,0,256", "128,256,0"


def most(tab: Tab) -> str:
    """The colour that most of the first image is painted in."""
    return str(tab.locator(".pp-tile .pp-overlay").first.evaluate(COLORS))


def test_where_things_overlap_the_upper_one_is_seen(two, server):
    # The server gives both the same mask.
    two.wait_for_function(f"({COLORS})(document.querySelector('.pp-overlay')) === '{MAGENTA}'")
    two.get_by_role("button", name=ABOUT).click()
    two.get_by_role("button", name="Move up").click()
    two.wait_for_function(f"({COLORS})(document.querySelector('.pp-overlay')) === '{LIME}'")
    two.get_by_label("Hide its masks").check()
    two.wait_for_function(f"({COLORS})(document.querySelector('.pp-overlay')) === '{MAGENTA}'")
    assert most(two) == MAGENTA


def test_after_a_set_is_opened_again_every_thing_has_its_masks(two, server):
    asked = len(server.requests)
    two.evaluate("openAnother({ session: 'next' })")
    answered(two)
    two.wait_for_function(f"({COLORS})(document.querySelector('.pp-overlay')) !== ''")
    two.wait_for_function("document.querySelector('.pp-workspace').dataset.edged === '2'")
    clicks = {tuple(c.image for c in one.clicks if c.positive) for one in server.requests[asked:]}
    assert clicks >= {(0,), (1,)}
    assert np.array(server.requests[-1].clicks).size > 0
