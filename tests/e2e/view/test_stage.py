"""One image large: clicks land exactly, at any size and on any screen, and the others stay live."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Page as Tab

from tests.e2e.browser import new_context
from tests.e2e.modules import ORIGIN, serve
from tests.e2e.workspace import Server, answered, open_workspace

SIZES = [(300, 400), (200, 900), (800, 300)]
NAMES = ["a.jpg", "b.jpg", "c.jpg"]


@pytest.fixture
def server() -> Server:
    masks = np.zeros((3, 5, 7), bool)
    masks[:, 1:4, 2:5] = True
    return Server(masks, [0.9, 0.5, 0.1])


@pytest.fixture(params=[1, 1.5, 2])
def screen(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = new_context(
        browser, viewport={"width": 1100, "height": 800}, device_scale_factor=request.param
    )
    context.route(f"{ORIGIN}/**", serve)
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext, server: Server) -> Iterator[Tab]:
    tab = open_workspace(context, server, NAMES, sizes=SIZES)
    yield tab
    tab.close()


def enlarge(tab: Tab, image: int) -> None:
    tab.locator(".pp-overlay").nth(image).hover()
    tab.keyboard.press("f")
    tab.wait_for_selector(".pp-stage:not([hidden])")


def photo_box(tab: Tab) -> dict[str, float]:
    """Where on the screen the photo is, beyond the edges of its place too."""
    return tab.locator(".pp-large .pp-photo").evaluate(
        """(photo) => {
            const { left, top, width, height } = photo.getBoundingClientRect();
            return { x: left, y: top, width, height };
        }"""
    )


def place(tab: Tab) -> dict[str, float]:
    box = tab.locator(".pp-large").bounding_box()
    assert box is not None
    return box


def settled(tab: Tab) -> None:
    """Until the photo has stood in one place for some frames."""
    tab.evaluate(
        """async () => {
            const photo = document.querySelector('.pp-large .pp-photo');
            let before = '';
            for (let still = 0; still < 6; still += 1) {
              await new Promise((done) => requestAnimationFrame(done));
              if (photo.style.transform !== before) still = 0;
              before = photo.style.transform;
            }
        }"""
    )


@pytest.mark.parametrize("image", [0, 1, 2])
def test_clicks_land_exactly_at_any_size_on_any_screen(screen, server, image):
    tab = open_workspace(screen, server, NAMES, sizes=SIZES)
    enlarge(tab, image)
    room = place(tab)
    for step, (x, y) in enumerate([(0.5, 0.5), (0.41, 0.62), (0.55, 0.37), (0.5, 0.45)]):
        at = (room["x"] + x * room["width"], room["y"] + y * room["height"])
        tab.mouse.move(*at)
        for _ in range(step):
            tab.mouse.wheel(0, -150)
        settled(tab)
        box = photo_box(tab)
        tab.mouse.down()
        tab.mouse.up()
        answered(tab)
        click = server.requests[-1].clicks[-1]
        assert click.image == image
        assert click.x == pytest.approx((at[0] - box["x"]) / box["width"], abs=1e-3)
        assert click.y == pytest.approx((at[1] - box["y"]) / box["height"], abs=1e-3)
    assert len(server.requests[-1].clicks) == 4
    tab.close()


def test_a_button_in_the_corner_of_a_tile_opens_it_where_there_is_room(tab):
    tile = tab.locator(".pp-tile").first
    tile.hover()
    tile.locator(".pp-enlarge").click()
    assert tab.locator(".pp-stage h2").inner_text() == "a.jpg"
    # On a small one it would hide what is to be clicked.
    tab.keyboard.press("Escape")
    tab.locator("[data-tile-size]").fill("60")
    assert tile.locator(".pp-enlarge").is_hidden()


def test_the_wheel_enlarges_around_the_pointer(tab):
    enlarge(tab, 0)
    room, before = place(tab), photo_box(tab)
    at = (room["x"] + 0.3 * room["width"], room["y"] + 0.6 * room["height"])
    tab.mouse.move(*at)
    tab.mouse.wheel(0, -400)
    settled(tab)
    after = photo_box(tab)
    assert after["width"] > 1.4 * before["width"]
    for axis, size, point in (("x", "width", at[0]), ("y", "height", at[1])):
        was = (point - before[axis]) / before[size]
        assert (point - after[axis]) / after[size] == pytest.approx(was, abs=2e-3)


def test_space_and_a_drag_move_it_and_are_no_click(tab, server):
    enlarge(tab, 0)
    room = place(tab)
    middle = (room["x"] + room["width"] / 2, room["y"] + room["height"] / 2)
    tab.mouse.move(*middle)
    tab.mouse.wheel(0, -500)
    settled(tab)
    before = photo_box(tab)
    tab.keyboard.down(" ")
    tab.mouse.down()
    tab.mouse.move(middle[0] + 60, middle[1] - 30, steps=4)
    tab.mouse.up()
    tab.keyboard.up(" ")
    after = photo_box(tab)
    assert after["x"] - before["x"] == pytest.approx(60, abs=1)
    assert after["y"] - before["y"] == pytest.approx(-30, abs=1)
    assert server.requests[-1].clicks == ()


def test_two_fingers_enlarge_and_move_it_and_one_taps(browser, server):
    context = new_context(
        browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    context.route(f"{ORIGIN}/**", serve)
    tab = open_workspace(context, server, NAMES, sizes=SIZES)
    tab.locator(".pp-enlarge").first.tap()
    tab.wait_for_selector(".pp-stage:not([hidden])")
    room, before = place(tab), photo_box(tab)
    x, y = room["x"] + room["width"] / 2, room["y"] + room["height"] / 2
    devtools = context.new_cdp_session(tab)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", (x - 40, y))
    touch("touchStart", (x - 40, y), (x + 40, y))
    for apart in (50, 60, 70, 80):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    after = photo_box(tab)
    assert after["width"] == pytest.approx(2 * before["width"], rel=0.05)
    assert server.requests[-1].clicks == ()
    touch("touchStart", (x, y))
    touch("touchEnd")
    answered(tab)
    (click,) = server.requests[-1].clicks
    assert click.x == pytest.approx((x - after["x"]) / after["width"], abs=5e-3)
    context.close()


def test_arrow_keys_go_from_image_to_image_and_escape_back_to_where_one_was(tab):
    tab.locator(".pp-overlay").nth(1).focus()
    tab.keyboard.press("f")
    title = tab.locator(".pp-stage h2")
    assert title.inner_text() == "b.jpg"
    tab.keyboard.press("ArrowRight")
    assert title.inner_text() == "c.jpg"
    tab.keyboard.press("ArrowRight")
    assert title.inner_text() == "c.jpg"
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")
    assert (title.inner_text(), tab.locator(".pp-count").inner_text()) == ("a.jpg", "1 of 3")
    tab.keyboard.press("Escape")
    assert tab.locator(".pp-stage").is_hidden()
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')").startswith("a.jpg")


def test_a_double_click_is_one_click_and_opens_nothing(tab, server):
    tab.locator(".pp-overlay").first.dblclick(position={"x": 50, "y": 50})
    answered(tab)
    assert tab.locator(".pp-stage").is_hidden()
    assert len(server.requests[-1].clicks) == 1


def test_the_others_stay_in_sight_and_are_clicked_as_ever(tab, server):
    enlarge(tab, 0)
    strip = [tab.locator(".pp-tile").nth(index).bounding_box() for index in range(3)]
    room = place(tab)
    assert all(box and box["y"] >= room["y"] + room["height"] for box in strip)
    assert all(box and box["y"] + box["height"] <= 800 for box in strip)
    tab.locator(".pp-overlay").nth(1).click(position={"x": 30, "y": 20})
    answered(tab)
    assert server.requests[-1].clicks[0].image == 1


def test_its_mask_is_asked_for_at_the_size_that_it_is_seen_at(tab, server):
    tab.locator(".pp-overlay").first.click(position={"x": 50, "y": 50})
    answered(tab)
    enlarge(tab, 0)
    for _ in range(3):
        tab.locator("[data-stage=larger]").click()
    tab.wait_for_function("document.querySelector('.pp-workspace').dataset.edged === '3'")
    asked = list(zip(server.edged, server.sides, strict=True))
    assert max(side for (_, images), side in asked if images == (0,)) == 2048
    assert max(side for (_, images), side in asked if 1 in images) <= 1024


def test_the_photo_is_shown_whole_once_it_has_come(context, server):
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    tab = open_workspace(context, server, NAMES, sizes=SIZES)
    enlarge(tab, 2)
    tab.wait_for_function("document.querySelector('.pp-large .pp-photo').src.endsWith('/2.jpg')")
    tab.close()
    assert f"{ORIGIN}/2.jpg" in asked
