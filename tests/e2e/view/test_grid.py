from __future__ import annotations

import json

import numpy as np
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.e2e.workspace import MANY, REMARK, answered, edged, names, standing, visible


def test_best_first_sorts_the_tiles_by_presence_when_it_is_asked_for(long_workspace, many):
    given = [f"{index}.jpg" for index in range(MANY)]
    best = [given[index] for index in np.argsort(-many.presence, kind="stable")]
    order = long_workspace.get_by_role("radio", name="Best first")
    # Without a mask nothing is better than anything.
    order.click()
    assert names(long_workspace) == given
    long_workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(long_workspace)
    assert names(long_workspace) == given
    order.click()
    assert names(long_workspace) == best
    assert order.get_attribute("aria-checked") == "true"

    # Tiles do not move under the pointer, and a click goes to the image that it is on.
    many.presence = np.zeros(MANY, np.float32)
    many.presence[7] = 1
    long_workspace.locator(".pp-overlay").nth(1).press("Enter")
    answered(long_workspace)
    assert names(long_workspace) == best
    assert many.requests[-1].clicks[-1].image == given.index(best[1])
    order.click()
    assert names(long_workspace) == [given[7], *given[:7], *given[8:]]
    long_workspace.get_by_role("radio", name="As given").click()
    assert names(long_workspace) == given


def test_a_remark_stands_beside_its_photo_for_the_eye_the_hand_and_the_ear(workspace):
    sign = workspace.locator(".pp-tile").nth(1).get_by_role("button", name=f"Remark: {REMARK}")
    assert sign.get_attribute("title") == REMARK
    assert workspace.locator(".pp-remark").count() == 1
    bubble = "(sign) => getComputedStyle(sign, '::after').content"
    assert sign.evaluate(bubble) == "none"
    sign.focus()
    assert json.loads(sign.evaluate(bubble)) == REMARK
    # Between the name and the share, which stay where they are.
    assert names(workspace) == ["a.jpg", "<b>.jpg"]
    assert workspace.locator(".pp-tile b").count() == 0


# The tiles whose canvases take memory, and those that are seen.
HELD = """() => [...document.querySelectorAll('.pp-tile')].map((tile) => ({
    seen: tile.dataset.seen === 'true',
    overlay: tile.querySelector('.pp-overlay').width * tile.querySelector('.pp-overlay').height,
    colors: tile.querySelector('.pp-colors').width,
}))"""


def drawn(tab: Tab) -> list[str]:
    """What is painted over each photo that is seen."""
    return tab.evaluate("""() => [...document.querySelectorAll('.pp-tile[data-seen=true]')].map(
        (tile) => tile.querySelector('.pp-overlay').toDataURL())""")


def test_only_tiles_in_view_take_memory_and_those_that_come_back_are_as_they_were(long_workspace):
    tab = long_workspace
    tab.locator(".pp-overlay").nth(0).press("Enter")
    edged(tab, len(visible(tab)))
    before = drawn(tab)
    near = set(visible(tab))
    tab.evaluate("scrollTo(0, document.body.scrollHeight)")
    tab.wait_for_function("document.querySelector('.pp-tile').dataset.seen === 'false'")
    far = visible(tab)
    assert MANY - 1 in far
    assert not near & set(far)
    tiles = tab.evaluate(HELD)
    assert [index for index, tile in enumerate(tiles) if tile["overlay"]] == far
    tab.evaluate("scrollTo(0, 0)")
    tab.wait_for_function("document.querySelector('.pp-tile').dataset.seen === 'true'")
    assert set(visible(tab)) == near
    assert drawn(tab) == before


def test_photos_far_below_the_screen_are_not_loaded(long_workspace):
    loaded = (
        "performance.getEntriesByType('resource').filter(({ name }) => /jpg$/.test(name)).length"
    )
    visible(long_workspace)
    assert 4 < long_workspace.evaluate(loaded) < MANY / 2


def test_colour_views_are_loaded_when_one_is_seen_and_drawn_where_they_are_seen(
    context, many, long_workspace
):
    tab = long_workspace
    atlas = (
        "performance.getEntriesByType('resource').filter(({ name }) => /png$/.test(name)).length"
    )
    assert tab.evaluate(atlas) == 0
    picture = "<svg xmlns='http://www.w3.org/2000/svg' width='7' height='300'><rect width='7' "
    picture += "height='300' fill='lime'/></svg>"
    tab.route(
        "**/colors.png", lambda route: route.fulfill(body=picture, content_type="image/svg+xml")
    )
    tab.get_by_role("radio", name="Colours").click()
    near = visible(tab)
    tab.wait_for_function("document.querySelector('.pp-colors').width === 7")
    tiles = tab.evaluate(HELD)
    assert [index for index, tile in enumerate(tiles) if tile["colors"]] == near
    pixel = tab.locator(".pp-colors").first.evaluate(
        "(canvas) => [...canvas.getContext('2d').getImageData(3, 2, 1, 1).data]"
    )
    assert pixel == [0, 255, 0, 255]


def choose(tab: Tab, name: str) -> None:
    tab.get_by_role("combobox", name="Which images").select_option(name)


def test_a_filter_leaves_its_images_until_it_is_asked_again(long_workspace, many):
    tab = long_workspace
    many.masks[3:] = False
    given = [f"{index}.jpg" for index in range(MANY)]
    again = tab.get_by_role("button", name="Arrange again")
    tab.locator(".pp-overlay").nth(5).press("Enter")
    answered(tab)
    choose(tab, "found")
    assert standing(tab) == given[:3]
    choose(tab, "empty")
    assert standing(tab) == given[3:]
    choose(tab, "clicked")
    assert standing(tab) == [given[5]]
    low, high = tab.evaluate("import('/state/arrangement.js').then(({ UNSURE }) => UNSURE)")
    choose(tab, "unsure")
    unsure = [index for index in range(MANY) if low <= many.presence[index] <= high]
    assert standing(tab) == [given[index] for index in unsure]
    assert 0 < len(unsure) < MANY / 2

    # No tile vanishes under the pointer: another answer waits until it is asked for.
    assert again.get_attribute("aria-disabled") == "true"
    many.presence = np.zeros(MANY, np.float32)
    many.presence[8] = 0.5
    tab.locator(".pp-tile:not([hidden]) .pp-overlay").nth(0).press("Enter")
    answered(tab)
    assert standing(tab) == [given[index] for index in unsure]
    expect(again).to_have_attribute("aria-disabled", "false")
    again.press("Enter")
    assert standing(tab) == [given[8]]
    expect(again).to_be_focused()
    expect(again).to_have_attribute("aria-disabled", "true")


def test_a_filter_tells_how_many_images_pass_it(long_workspace, many):
    many.masks[3:] = False
    options = long_workspace.locator("[data-filter] option")
    assert options.all_inner_texts()[:3] == [f"All ({MANY})", "With clicks (0)", "Found (0)"]
    long_workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(long_workspace)
    texts = options.all_inner_texts()
    assert texts[1:3] == ["With clicks (1)", "Found (3)"]
    assert texts[4] == f"Empty ({MANY - 3})"


def test_a_filter_that_leaves_none_says_so_and_shows_all_again(workspace, server):
    server.masks[:] = True
    none = workspace.locator(".pp-none")
    choose(workspace, "empty")
    expect(none).to_contain_text("Nothing was looked for yet: click a thing first.")
    workspace.get_by_role("button", name="Show all").click()
    assert standing(workspace) == ["a.jpg", "<b>.jpg"]
    expect(none).to_be_hidden()
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    choose(workspace, "empty")
    expect(none).to_contain_text("No image is empty.")
    assert standing(workspace) == []
    workspace.get_by_role("button", name="Show all").press("Enter")
    assert standing(workspace) == ["a.jpg", "<b>.jpg"]
    expect(workspace.get_by_role("combobox", name="Which images")).to_be_focused()


def test_another_set_begins_with_all_of_its_images(workspace):
    choose(workspace, "clicked")
    assert standing(workspace) == []
    workspace.evaluate("openAnother({ session: 'next', joins: '' })")
    workspace.wait_for_function("document.querySelectorAll('.pp-tile:not([hidden])').length === 2")
    expect(workspace.locator("[data-filter]")).to_have_value("all")
