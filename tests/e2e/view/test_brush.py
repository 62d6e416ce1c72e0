"""Brush, eraser, lock and skip: in the workspace, with a pointer and by keys."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.e2e.workspace import Server, answered

SENT = "triggered.filter(([name]) => name === 'export').at(-1)[1]"


def brush(tab: Tab, image: int, *way: tuple[float, float], button: str = "left") -> None:
    """Draw from place to place of a tile."""
    box = tab.locator(".pp-tile .pp-overlay").nth(image).bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in way]
    tab.mouse.move(*places[0])
    tab.mouse.down(button=button)
    for place in places[1:]:
        tab.mouse.move(*place, steps=4)
    tab.mouse.up(button=button)


def exported(tab: Tab) -> dict:
    """What a download of now asks for."""
    before = tab.evaluate("triggered.length")
    tab.locator("[data-action=export]").click()
    tab.wait_for_function("(before) => triggered.length > before", arg=before)
    return tab.evaluate(SENT)


def painted(tab: Tab, image: int) -> np.ndarray:
    """Where something is painted over a photo, (height, width) bool."""
    overlay = tab.locator(".pp-tile .pp-overlay").nth(image)
    width, height, pixels = overlay.evaluate(
        """(canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
            return [width, height, [...data.filter((_, at) => at % 4 === 3)]];
        }"""
    )
    return np.reshape(pixels, (height, width)) > 0


def test_a_stroke_adds_to_one_image_alone_and_an_eraser_takes_from_it(
    workspace: Tab, server: Server
):
    workspace.keyboard.press("b")
    expect(workspace.locator("[data-mode=brush]")).to_have_attribute("aria-checked", "true")
    brush(workspace, 0, (0.2, 0.8), (0.8, 0.8))
    before = painted(workspace, 0)
    height, width = before.shape
    assert before[int(0.8 * height), int(0.2 * width) : int(0.8 * width)].all()
    assert not before[: height // 2].any()
    assert not painted(workspace, 1).any()
    assert server.requests[-1].clicks == ()
    workspace.keyboard.press("e")
    brush(workspace, 0, (0.5, 0.6), (0.5, 1.1))
    after = painted(workspace, 0)
    assert not after[int(0.8 * height), width // 2]
    assert after[int(0.8 * height), int(0.25 * width)]
    things = exported(workspace)["things"]
    assert [stroke["adds"] for stroke in things[0]["strokes"]] == [True, False]
    assert {stroke["image"] for stroke in things[0]["strokes"]} == {0}


def test_a_stroke_lies_over_what_clicks_make_and_a_later_click_leaves_it(
    workspace: Tab, server: Server
):
    workspace.locator(".pp-overlay").nth(1).press("Enter")
    answered(workspace)
    workspace.keyboard.press("b")
    brush(workspace, 0, (0.9, 0.9))
    height, width = painted(workspace, 0).shape
    assert painted(workspace, 0)[int(0.9 * height), int(0.9 * width)]
    workspace.keyboard.press("Escape")
    workspace.locator(".pp-overlay").nth(1).click(position={"x": 20, "y": 30})
    answered(workspace)
    assert len(server.requests[-1].clicks) == 2
    now = painted(workspace, 0)
    assert now[int(0.9 * height), int(0.9 * width)]
    assert now[int(0.5 * height), int(0.45 * width)]  # Of the server's mask.
    expect(workspace.locator(".pp-tile").nth(0)).to_have_class(re.compile(r"\bpp-edited\b"))


def test_the_right_button_does_the_opposite_and_no_click_is_made(workspace: Tab):
    workspace.keyboard.press("b")
    brush(workspace, 0, (0.5, 0.5), (0.6, 0.5))
    brush(workspace, 0, (0.5, 0.5), button="right")
    (thing,) = exported(workspace)["things"]
    assert [stroke["adds"] for stroke in thing["strokes"]] == [True, False]
    assert thing["clicks"] == []


def test_strokes_are_undone_one_by_one_and_ask_nothing_of_the_server(
    workspace: Tab, server: Server
):
    answered(workspace)
    asked = len(server.requests)
    workspace.keyboard.press("b")
    for x in (0.2, 0.5, 0.8):
        brush(workspace, 0, (x, 0.5))
    height, width = painted(workspace, 0).shape
    row = height // 2
    assert painted(workspace, 0)[row, int(0.8 * width)]
    workspace.keyboard.press("Control+z")
    found = painted(workspace, 0)
    assert not found[row, int(0.8 * width)]
    assert found[row, int(0.5 * width)]
    workspace.keyboard.press("Control+Shift+z")
    assert painted(workspace, 0)[row, int(0.8 * width)]
    answered(workspace)
    assert len(server.requests) == asked


def test_the_brush_grows_and_shrinks_by_keys_and_on_its_slider(workspace: Tab):
    workspace.keyboard.press("b")
    slider = workspace.locator(".pp-brush input")
    expect(slider).to_be_visible()
    before = int(slider.input_value())
    workspace.keyboard.press("]")
    workspace.keyboard.press("]")
    assert int(slider.input_value()) > before
    for _ in range(3):
        workspace.keyboard.press("[")
    assert int(slider.input_value()) < before
    slider.fill("100")
    workspace.locator("[data-mode=brush]").focus()
    brush(workspace, 0, (0.5, 0.5))
    assert painted(workspace, 0).mean() > 0.2
    workspace.keyboard.press("Escape")
    expect(slider).to_be_hidden()
    expect(workspace.locator("[data-mode=positive]")).to_have_attribute("aria-checked", "true")


def test_the_keyboard_paints_a_dot_where_its_cross_is(workspace: Tab):
    workspace.keyboard.press("b")
    overlay = workspace.locator(".pp-tile .pp-overlay").nth(0)
    overlay.press("ArrowRight")
    overlay.press("Enter")
    overlay.press("Shift+Enter")
    (thing,) = exported(workspace)["things"]
    assert [(stroke["adds"], len(stroke["points"])) for stroke in thing["strokes"]] == [
        (True, 1),
        (False, 1),
    ]


def test_a_locked_mask_is_sent_with_what_made_it_and_later_clicks_leave_it(
    workspace: Tab, server: Server
):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    workspace.locator(".pp-overlay").nth(1).hover()
    workspace.keyboard.press("l")
    answered(workspace)
    lock = workspace.locator(".pp-tile .pp-lock").nth(1)
    expect(lock).to_have_attribute("aria-pressed", "true")
    (made,) = server.requests[-1].locks
    assert made.images == (1,)
    first = server.requests[-1].clicks
    assert made.clicks == first
    workspace.locator(".pp-overlay").nth(0).click(position={"x": 20, "y": 30})
    answered(workspace)
    assert len(server.requests[-1].clicks) == 2
    assert server.requests[-1].locks == (made,)
    # And in a download, and no more once it is unlocked.
    (thing,) = exported(workspace)["things"]
    assert [one["images"] for one in thing["locks"]] == [[1]]
    workspace.locator(".pp-tile").nth(1).hover()
    lock.click()
    answered(workspace)
    assert server.requests[-1].locks == ()


def test_edges_of_a_locked_image_are_not_asked_for_again(workspace: Tab, server: Server):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    workspace.wait_for_function("document.querySelector('.pp-workspace').dataset.edged === '2'")
    workspace.locator(".pp-overlay").nth(1).hover()
    workspace.keyboard.press("l")
    answered(workspace)
    asked = len(server.edged_images)
    workspace.locator(".pp-overlay").nth(0).click(position={"x": 20, "y": 30})
    answered(workspace)
    workspace.wait_for_function("document.querySelector('.pp-workspace').dataset.edged === '2'")
    assert server.edged_images[asked:] == [0]


def test_a_skipped_image_is_left_out_and_can_be_filtered(workspace: Tab):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    workspace.locator(".pp-overlay").nth(1).hover()
    workspace.keyboard.press("s")
    tile = workspace.locator(".pp-tile").nth(1)
    expect(tile).to_have_class(re.compile(r"\bpp-skipped\b"))
    assert exported(workspace)["skipped"] == [1]
    workspace.locator("[data-filter]").select_option("skipped")
    shown = workspace.locator(".pp-tile:not([hidden]) .pp-name")
    assert shown.all_inner_texts() == ["<b>.jpg"]
    workspace.locator("[data-filter]").select_option("open")
    assert shown.all_inner_texts() == ["a.jpg"]
    workspace.keyboard.press("Control+z")
    assert exported(workspace)["skipped"] == []


@pytest.mark.parametrize("name", ["locked", "edited"])
def test_the_filters_of_edits_show_those_images(workspace: Tab, name: str):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    workspace.locator(".pp-overlay").nth(0).hover()
    if name == "locked":
        workspace.keyboard.press("l")
    else:
        workspace.keyboard.press("b")
        brush(workspace, 0, (0.5, 0.5))
        workspace.keyboard.press("Escape")
    workspace.locator("[data-filter]").select_option(name)
    assert workspace.locator(".pp-tile:not([hidden]) .pp-name").all_inner_texts() == ["a.jpg"]


def test_where_it_is_large_the_brush_paints_where_it_is(workspace: Tab):
    workspace.locator(".pp-overlay").nth(0).hover()
    workspace.keyboard.press("f")
    workspace.keyboard.press("b")
    large = workspace.locator(".pp-large .pp-overlay")
    box = large.bounding_box()
    assert box is not None
    workspace.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    workspace.mouse.wheel(0, -600)
    workspace.mouse.down()
    workspace.mouse.move(box["x"] + box["width"] / 2 + 30, box["y"] + box["height"] / 2)
    workspace.mouse.up()
    workspace.locator("[data-stage=lock]").click()
    expect(workspace.locator(".pp-notice")).to_have_text(
        "There is no mask to lock yet: click the thing first."
    )
    workspace.locator("[data-stage=skip]").click()
    sent = exported(workspace)
    (stroke,) = sent["things"][0]["strokes"]
    assert stroke["image"] == 0
    assert stroke["points"][0] == pytest.approx([0.5, 0.5], abs=0.02)
    assert sent["things"][0]["locks"] == []
    assert sent["skipped"] == [0]


def test_the_bin_takes_clicks_first_and_edits_then(workspace: Tab):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    workspace.keyboard.press("b")
    brush(workspace, 0, (0.5, 0.5))
    workspace.keyboard.press("Escape")
    bin_ = workspace.locator("[data-action=clear]")
    bin_.click()
    (thing,) = exported(workspace)["things"]
    assert (len(thing["clicks"]), len(thing["strokes"])) == (0, 1)
    bin_.click()
    expect(bin_).to_be_disabled()
    expect(workspace.locator("[data-action=export]")).to_be_disabled()
