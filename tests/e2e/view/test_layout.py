"""Where things stand, at each width of the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.e2e.browser import new_context
from tests.e2e.modules import ORIGIN, serve
from tests.e2e.workspace import MANY, Server, answered, box, open_workspace, visible

Open = Callable[..., Tab]


@pytest.fixture
def open_at(browser: Browser, many: Server) -> Iterator[Open]:
    """Opens the set of many images on a screen of this size."""
    contexts = []

    def open_tab(
        width: int, height: int, sizes: list[tuple[int, int]] | None = None, **options: Any
    ) -> Tab:
        context = new_context(browser, viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.route(f"{ORIGIN}/**", serve)
        tab = open_workspace(context, many, [f"{i}.jpg" for i in range(MANY)], sizes=sizes)
        visible(tab)
        return tab

    yield open_tab
    for context in contexts:
        context.close()


def boxes(tab: Tab, selector: str) -> list[dict[str, float]]:
    """Of the elements that take room."""
    return tab.evaluate(
        """(selector) => [...document.querySelectorAll(selector)].map((element) => {
            const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
            return { left, top, right, bottom, width, height };
        }).filter(({ width }) => width > 0)""",
        selector,
    )


def rows(tab: Tab) -> list[list[dict[str, float]]]:
    """The places of the photos, row by row."""
    found: list[list[dict[str, float]]] = []
    for place in boxes(tab, ".pp-place"):
        if not found or abs(found[-1][0]["top"] - place["top"]) > 1:
            found.append([])
        found[-1].append(place)
    return found


def resize_tiles(tab: Tab, size: int) -> None:
    tab.locator("[data-tile-size]").fill(str(size))


@pytest.mark.parametrize("size", [60, 90, 120, 190])
def test_captions_never_run_into_each_other_and_no_tile_is_under_the_settings(open_at, size):
    shapes = [(50, 70), (70, 50), (50, 50), (20, 200), (200, 20)] * (MANY // 5)
    tab = open_at(1280, 900, shapes)
    tab.locator(".pp-overlay").nth(0).press("Enter")
    answered(tab)
    resize_tiles(tab, size)
    panel = box(tab, ".pp-panel")
    assert all(tile["right"] <= panel["left"] for tile in boxes(tab, ".pp-tile"))
    texts = tab.evaluate("""() => [...document.querySelectorAll('.pp-tile')].map((tile) => {
        const { left, right } = tile.getBoundingClientRect();
        const parts = [...tile.querySelectorAll('figcaption > *, .pp-share > *')]
          .map((part) => part.getBoundingClientRect()).filter(({ width }) => width > 0);
        return { left, right, parts: parts.map((part) => [part.left, part.right]) };
    })""")
    for tile in texts:
        assert tile["parts"]
        for left, right in tile["parts"]:
            assert tile["left"] <= left
            assert right <= tile["right"] + 0.5
    shown = tab.evaluate("""() => [...document.querySelectorAll('.pp-tile')].map((tile) => [
        tile.dataset.room, tile.getBoundingClientRect().width,
        ...['.pp-name', '.pp-covered', '.pp-presence'].map(
          (part) => tile.querySelector(part).getClientRects().length > 0)])""")
    for room, width, name, covered, presence in shown:
        assert covered
        assert name == (room == "name") == (width >= 140)
        assert presence == (room != "share")


def test_a_panorama_and_a_tower_break_no_row_and_are_clicked_where_they_are(open_at, many):
    sizes = [(50, 70)] * MANY
    sizes[2], sizes[5] = (30, 321), (321, 30)
    tab = open_at(1280, 900, sizes)
    for row in rows(tab):
        assert max(place["height"] for place in row) - min(p["height"] for p in row) < 1
        assert 100 < row[0]["height"] < 320
    for index in (2, 5):
        height, width = sizes[index]
        photo = box(tab, ".pp-frame", index)
        place = box(tab, ".pp-place", index)
        assert photo["width"] / photo["height"] == pytest.approx(width / height, rel=0.01)
        # In the middle of its place.
        for near, far in (("left", "right"), ("top", "bottom")):
            assert photo[near] - place[near] == pytest.approx(place[far] - photo[far], abs=0.1)
            assert photo[near] >= place[near] - 0.1
        before = len(many.requests[-1].clicks)
        tab.mouse.click(
            photo["left"] + 0.9 * photo["width"] - 0.25 * (index == 5),
            photo["top"] + 0.1 * photo["height"],
        )
        answered(tab)
        click = many.requests[-1].clicks[-1]
        assert click.image == index
        assert click.x == pytest.approx(0.9, abs=1 / photo["width"])
        assert click.y == pytest.approx(0.1, abs=1 / photo["height"])
        # Beside the photo there is nothing to click.
        tab.mouse.click(place["left"] + 3, place["bottom"] - 3)
        assert len(many.requests[-1].clicks) == before + 1


@pytest.mark.parametrize(
    ("width", "height", "least"), [(390, 844, 2), (820, 1180, 2), (1440, 900, 3)]
)
def test_rows_hold_several_photos_at_every_width_and_are_nearly_equal(
    open_at, width, height, least
):
    tab = open_at(width, height, has_touch=width < 1000)
    found = rows(tab)[:-1]
    assert {len(row) for row in found} == {len(found[0])}
    assert len(found[0]) >= least
    heights = [row[0]["height"] for row in found]
    assert max(heights) - min(heights) < 1
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180)])
def test_on_a_narrow_screen_a_slider_moves_while_the_masks_are_seen(open_at, many, width, height):
    tab = open_at(width, height, has_touch=True)
    tab.locator(".pp-overlay").nth(0).tap()
    answered(tab)
    tab.evaluate("scrollTo(0, 1500)")
    # One tap away, wherever the page is.
    tab.locator(".pp-panel > summary").tap()
    threshold = box(tab, "[data-setting=threshold]")
    assert threshold["bottom"] < height
    panel = box(tab, ".pp-panel")
    assert panel["bottom"] <= height
    assert panel["top"] - box(tab, ".pp-top")["bottom"] > 0.35 * height
    before = tab.evaluate("scrollY")
    tab.touchscreen.tap(
        threshold["left"] + 0.8 * threshold["width"], threshold["top"] + threshold["height"] / 2
    )
    answered(tab)
    assert many.requests[-1].settings.rule.threshold == pytest.approx(0.8, abs=0.05)
    assert tab.evaluate("scrollY") == before
    tab.locator(".pp-panel > summary").tap()
    assert box(tab, ".pp-panel")["height"] < 60


def test_for_fingers_everything_is_at_least_40_pixels_high_and_wide(open_at):
    tab = open_at(390, 844, has_touch=True)
    tab.locator(".pp-panel > summary").tap()
    tab.locator(".pp-expert > summary").tap()
    small = tab.evaluate("""() => [...document.querySelectorAll(
        '.pp-workspace :is(button, select, summary, input[type=range], .pp-check)')]
        .filter((element) => element.checkVisibility() && !element.closest('dialog'))
        .filter((element) => !element.closest('.pp-on-tile'))
        .map((element) => [element.outerHTML.slice(0, 90), element.getBoundingClientRect()])
        .filter(([, { width, height }]) => width < 40 || height < 40)
        .map(([html]) => html)""")
    assert small == []
    # A small one, so that it hides little of a photo, is pressed around it as well.
    reach = tab.evaluate("""() => {
        const button = document.querySelector('.pp-enlarge');
        button.scrollIntoView({ block: 'center' });
        const { left, top, width, height } = button.getBoundingClientRect();
        return [[left - 5, top - 5], [left + width + 5, top + height + 5]].map(
          ([x, y]) => document.elementFromPoint(x, y) === button);
    }""")
    assert reach == [True, True]


@pytest.mark.parametrize("focus", [None, 33])
def test_the_size_of_the_tiles_keeps_the_place(open_at, focus):
    tab = open_at(1280, 900)
    tab.locator(".pp-tile").nth(30).evaluate("(tile) => tile.scrollIntoView()")
    toolbar = box(tab, ".pp-top")["bottom"]
    # The first whole one.
    at = next(i for i, tile in enumerate(boxes(tab, ".pp-tile")) if tile["top"] >= toolbar)
    if focus:
        tab.locator(".pp-overlay").nth(focus).evaluate("(e) => e.focus({ preventScroll: true })")
        at = focus
    before = box(tab, ".pp-tile", at)
    # By the slider's own event: a person's pointer is on it, and the focus stays where it is.
    # Among them one at which the page is too short to scroll as far.
    for size in (300, 310, 60, 190):
        tab.locator("[data-tile-size]").evaluate(
            "(slider, size) => { slider.value = size; slider.dispatchEvent(new Event('input')); }",
            size,
        )
        visible(tab)
        after = box(tab, ".pp-tile", at)
        assert size == 60 or after["top"] == pytest.approx(before["top"], abs=1.5)


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_no_sentence_of_the_status_moves_the_tiles(open_at, width):
    tab = open_at(width, 900)
    tops = set()
    for name in ("negative", "positive"):
        tab.locator(f"[data-mode={name}]").click()
        tops.add(box(tab, ".pp-grid")["top"])
        tab.locator(".pp-overlay").nth(0).press("Enter")
        answered(tab)
        tops.add(box(tab, ".pp-grid")["top"])
        tab.locator(".pp-overlay").nth(0).press("Enter")
        answered(tab)
    assert len(tops) == 1


def test_the_toolbar_and_the_settings_stay_in_view(open_at):
    tab = open_at(1280, 900)
    tab.evaluate("scrollTo(0, 2000)")
    assert box(tab, ".pp-top")["top"] == 0
    panel = box(tab, ".pp-panel")
    assert panel["top"] >= box(tab, ".pp-top")["bottom"]
    assert panel["bottom"] <= 900


def test_two_taps_near_each_other_on_a_small_tile_are_two_clicks(open_at, many):
    tab = open_at(390, 844, has_touch=True)
    photo = box(tab, ".pp-overlay")
    assert photo["height"] < 150
    x, y = photo["left"] + photo["width"] / 2, photo["top"] + photo["height"] / 2
    for taps, at in ((1, x), (2, x + 14), (3, x - 14)):
        tab.touchscreen.tap(at, y)
        answered(tab)
        assert len(many.requests[-1].clicks) == taps
    # On a mark it is the mark that is hit.
    tab.touchscreen.tap(x + 3, y + 3)
    answered(tab)
    assert len(many.requests[-1].clicks) == 2
