from __future__ import annotations

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.e2e.modules import ORIGIN
from tests.e2e.workspace import answered


def chosen(tab: Tab, name: str) -> str:
    """Of the radio buttons of this name."""
    return str(tab.locator(f"[data-{name}][aria-checked=true]").get_attribute(f"data-{name}"))


@pytest.mark.parametrize(
    ("keys", "mode"),
    [("x", "negative"), ("-", "negative"), ("xx", "positive"), ("-+", "positive")],
)
def test_keys_say_what_clicks_say(workspace, server, keys, mode):
    for key in keys:
        workspace.keyboard.press(key)
    assert chosen(workspace, "mode") == mode
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    assert server.requests[-1].clicks[-1].positive == (mode == "positive")


def test_each_view_has_a_key(workspace):
    keys = {"photo": "p", "both": "o", "colors": "c", "heat": "h"}
    views = workspace.locator("[data-view][role=radio]")
    values = views.evaluate_all("(buttons) => buttons.map((button) => button.dataset.view)")
    assert values == list(keys)
    for value in reversed(values):
        workspace.keyboard.press(keys[value])
        assert chosen(workspace, "view") == value
        view = workspace.locator(f"[data-view={value}][role=radio]")
        assert view.get_attribute("aria-keyshortcuts") == keys[value].upper()


@pytest.mark.parametrize("modifier", ["Control", "Meta", "Alt"])
def test_with_another_key_they_are_the_browsers(workspace, modifier):
    for key in "2cn":
        workspace.keyboard.press(f"{modifier}+{key}")
    assert (chosen(workspace, "mode"), chosen(workspace, "view")) == ("positive", "photo")
    assert workspace.evaluate("document.activeElement === document.body")


@pytest.mark.parametrize(
    "field",
    ["<input>", "<input type='number'>", "<textarea></textarea>", "<div contenteditable></div>"],
)
def test_what_is_typed_in_a_field_stays_there(workspace, field):
    workspace.evaluate(
        "(field) => { document.body.insertAdjacentHTML('beforeend', field);"
        "document.body.lastElementChild.focus(); }",
        field,
    )
    for key in ("2", "c", "n", "?", "-"):
        workspace.keyboard.press(key)
    assert (chosen(workspace, "mode"), chosen(workspace, "view")) == ("positive", "photo")
    expect(workspace.locator(".pp-help")).to_be_hidden()


def test_letters_in_a_list_of_choices_are_the_lists_and_undo_is_not(workspace, server):
    outline = workspace.locator("[data-setting=outline]")
    outline.select_option("tokens")
    outline.press("c")
    assert chosen(workspace, "view") == "photo"
    outline.press("Control+z")
    answered(workspace)
    assert server.requests[-1].settings.outline == "photo"


def test_a_question_mark_opens_the_list_of_keys_and_escape_closes_it(workspace):
    help_ = workspace.get_by_role("dialog", name="Gestures and keys")
    tile = workspace.locator(".pp-overlay").nth(0)
    tile.focus()
    workspace.keyboard.press("?")
    expect(help_).to_be_visible()
    # What stands below the dialog hears no keys.
    workspace.keyboard.press("2")
    workspace.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    expect(tile).to_be_focused()
    assert chosen(workspace, "mode") == "positive"
    workspace.get_by_role("button", name="Gestures and keys").click()
    workspace.get_by_role("button", name="Close").click()
    expect(help_).to_be_hidden()
    workspace.keyboard.press("?")
    workspace.mouse.click(5, 5)
    expect(help_).to_be_hidden()


def test_the_list_names_every_key_of_the_toolbar(workspace):
    named = workspace.locator("[aria-keyshortcuts]").evaluate_all(
        "(buttons) => buttons.flatMap((button) => button.getAttribute('aria-keyshortcuts')"
        ".split(' '))"
    )
    keys = workspace.locator(".pp-help kbd").all_text_contents()
    assert set(named) >= {"1", "A", "X", "+", "-", "P", "B", "C", "?"}
    assert set(named) <= set(keys)


def test_single_keys_can_be_turned_off_and_stay_off(workspace):
    workspace.keyboard.press("?")
    workspace.get_by_label("Single keys work").uncheck()
    workspace.keyboard.press("Escape")
    for key in ("x", "c", "?"):
        workspace.keyboard.press(key)
    assert (chosen(workspace, "mode"), chosen(workspace, "view")) == ("positive", "photo")
    expect(workspace.locator(".pp-help")).to_be_hidden()
    workspace.evaluate("() => window.dispatchEvent(new Event('pagehide'))")
    kept = workspace.evaluate("JSON.parse(sessionStorage['pointprompt-kept']).look.keys")
    assert kept is False
    assert workspace.url.startswith(ORIGIN)


def test_photos_are_seen_without_masks_while_a_key_is_held(workspace):
    seen = "getComputedStyle(document.querySelector('.pp-overlay')).opacity"
    workspace.keyboard.down("m")
    assert workspace.evaluate(seen) == "0"
    workspace.keyboard.up("m")
    assert workspace.evaluate(seen) == "1"
    # A window that was left hears no key let go.
    workspace.keyboard.down("m")
    workspace.evaluate("window.dispatchEvent(new Event('blur'))")
    assert workspace.evaluate(seen) == "1"


def test_all_clicks_are_removed_by_keys_and_come_back(workspace, server):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    workspace.keyboard.press("Control+Backspace")
    answered(workspace)
    assert server.requests[-1].clicks == ()
    workspace.keyboard.press("Control+z")
    answered(workspace)
    assert len(server.requests[-1].clicks) == 1
