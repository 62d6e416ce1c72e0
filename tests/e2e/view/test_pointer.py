from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.e2e.browser import new_context
from tests.e2e.modules import ORIGIN, open_tab, serve


@pytest.fixture(scope="module")
def still_tab(browser: Browser) -> Iterator[Tab]:
    """A tab whose time stands still, but for what a test lets pass."""
    context = new_context(browser)
    context.route(f"{ORIGIN}/**", serve)
    context.clock.install(time=0)
    context.clock.pause_at(24 * 3600)
    yield open_tab(context)
    context.close()


@pytest.fixture
def pointer(still_tab: Tab) -> Tab:
    """A tile of 200 x 100 pixels at (10, 20) that notes what was pressed."""
    still_tab.goto(ORIGIN)
    still_tab.evaluate("""async () => {
        const { listen } = await import('/view/pointer.js');
        const tile = document.createElement('div');
        tile.style.cssText = 'position: fixed; left: 10px; top: 20px; width: 200px; height: 100px';
        document.body.append(tile);
        window.presses = [];
        window.hovers = [];
        listen(tile, {
          pressed: (press) => presses.push(press), hovered: (place) => hovers.push(place),
        });
        window.send = (type, x, y, options = {}) => tile.dispatchEvent(new PointerEvent(type, {
          clientX: 10 + x, clientY: 20 + y, pointerId: 1, isPrimary: true, button: 0,
          pointerType: 'mouse', bubbles: true, cancelable: true, ...options }));
    }""")
    return still_tab


def presses(tab: Tab) -> list[dict[str, Any]]:
    return tab.evaluate("presses")


def test_a_press_tells_its_place_on_the_element(pointer):
    pointer.evaluate("send('pointerdown', 50, 25), send('pointerup', 50, 25)")
    assert presses(pointer) == [{"x": 0.25, "y": 0.25, "other": False, "touch": False}]


@pytest.mark.parametrize(
    ("options", "other"),
    [({}, False), ({"button": 2}, True), ({"shiftKey": True}, True), ({"ctrlKey": True}, True)],
)
def test_the_right_button_and_shift_are_the_other_kind(pointer, options, other):
    pointer.evaluate(
        "(o) => { send('pointerdown', 5, 5, o); send('pointerup', 5, 5, o); }", options
    )
    assert [press["other"] for press in presses(pointer)] == [other]


@pytest.mark.parametrize("options", [{"button": 1}, {"isPrimary": False}])
def test_the_middle_button_and_a_second_finger_press_nothing(pointer, options):
    pointer.evaluate(
        "(o) => { send('pointerdown', 5, 5, o); send('pointerup', 5, 5, o); }", options
    )
    assert presses(pointer) == []


def test_a_drag_is_no_press_and_a_trembling_hand_is_none_the_less_one(pointer):
    pointer.evaluate("""() => {
        send('pointerdown', 50, 50); send('pointermove', 57, 50); send('pointerup', 57, 50);
        send('pointerdown', 50, 50); send('pointermove', 59, 50); send('pointerup', 50, 50);
    }""")
    assert [press["x"] for press in presses(pointer)] == [57 / 200]


@pytest.mark.parametrize("end", ["pointercancel", "pointerleave"])
def test_a_scroll_or_leaving_the_element_is_no_press(pointer, end):
    pointer.evaluate(
        "(end) => { send('pointerdown', 5, 5); send(end, 5, 5); send('pointerup', 5, 5); }", end
    )
    assert presses(pointer) == []


TOUCH = "{ pointerType: 'touch' }"


def test_a_tap_is_the_first_kind(pointer):
    pointer.evaluate(f"send('pointerdown', 20, 20, {TOUCH}), send('pointerup', 20, 20, {TOUCH})")
    pointer.clock.run_for(2000)
    assert presses(pointer) == [{"x": 0.1, "y": 0.2, "other": False, "touch": True}]


def test_a_long_press_is_the_other_kind_and_lifting_the_finger_adds_nothing(pointer):
    pointer.evaluate(f"send('pointerdown', 20, 20, {TOUCH})")
    pointer.clock.run_for(499)
    assert presses(pointer) == []
    pointer.clock.run_for(1)
    assert presses(pointer) == [{"x": 0.1, "y": 0.2, "other": True, "touch": True}]
    pointer.evaluate(f"send('pointerup', 20, 20, {TOUCH})")
    pointer.clock.run_for(2000)
    assert len(presses(pointer)) == 1


def test_a_held_mouse_button_is_no_long_press(pointer):
    pointer.evaluate("send('pointerdown', 20, 20)")
    pointer.clock.run_for(2000)
    assert presses(pointer) == []


@pytest.mark.parametrize(
    "then",
    [
        f"send('pointermove', 40, 20, {TOUCH})",
        f"send('pointercancel', 20, 20, {TOUCH})",
        "send('pointerdown', 90, 90, { pointerType: 'touch', pointerId: 2, isPrimary: false })",
    ],
)
def test_a_finger_that_scrolls_or_is_joined_by_another_presses_nothing(pointer, then):
    pointer.evaluate(f"send('pointerdown', 20, 20, {TOUCH}), {then}")
    pointer.clock.run_for(2000)
    pointer.evaluate(f"send('pointerup', 20, 20, {TOUCH})")
    assert presses(pointer) == []


def test_the_browsers_own_menu_stays_away(pointer):
    assert pointer.evaluate("send('contextmenu', 5, 5, { button: 2 })") is False


def test_a_double_click_is_one_press(pointer):
    x, y = 60, 70
    pointer.mouse.dblclick(x, y)
    assert len(presses(pointer)) == 1
    # Another place is another press, however quick.
    pointer.mouse.click(x + 60, y)
    assert len(presses(pointer)) == 2


def hovers(tab: Tab) -> list[dict[str, Any] | None]:
    """Where a press would be, after each move; taken, so that the next ones are told alone."""
    return tab.evaluate("hovers.splice(0)")


def test_where_a_press_would_be_is_told_as_the_mouse_moves_and_when_it_has_gone(pointer):
    pointer.evaluate("""() => {
        send('pointermove', 50, 25);
        send('pointermove', 100, 50, { shiftKey: true });
        send('pointerleave', 300, 50);
    }""")
    assert hovers(pointer) == [
        {"x": 0.25, "y": 0.25, "other": False, "touch": False},
        {"x": 0.5, "y": 0.5, "other": True, "touch": False},
        None,
    ]


def test_shift_turns_what_a_press_would_say_without_a_move(pointer):
    pointer.evaluate("send('pointermove', 50, 25)")
    hovers(pointer)
    pointer.keyboard.down("Shift")
    pointer.keyboard.up("Shift")
    assert [place["other"] for place in hovers(pointer)] == [True, False]
    pointer.evaluate("send('pointerleave', 300, 25)")
    hovers(pointer)
    pointer.keyboard.press("Shift")
    assert hovers(pointer) == []


@pytest.mark.parametrize("options", [{"buttons": 1}, {"buttons": 2}])
def test_nothing_would_be_pressed_while_something_is_dragged(pointer, options):
    pointer.evaluate("(o) => send('pointermove', 50, 25, o)", options)
    assert set(hovers(pointer)) == {None}


def test_a_finger_hovers_nowhere(pointer):
    pointer.evaluate("send('pointermove', 50, 25, { pointerType: 'touch' })")
    assert hovers(pointer) == []


def test_after_a_press_the_pointer_must_go_elsewhere_first(pointer):
    pointer.evaluate("""() => {
        send('pointermove', 50, 25);
        send('pointerdown', 50, 25);
        send('pointerup', 50, 25);
        send('pointermove', 53, 26);
    }""")
    assert hovers(pointer)[-1] is None
    pointer.evaluate("send('pointermove', 70, 25)")
    assert hovers(pointer) == [{"x": 0.35, "y": 0.25, "other": False, "touch": False}]
