"""What the page shows before the server has answered: of clicks, of sliders, under the pointer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Route
from playwright.sync_api import Page as Tab

from pointprompt.rules.predictor import Predictor
from pointprompt.server import parsing, wire
from tests.e2e.modules import ORIGIN
from tests.e2e.rule.cases import H, W, analysis, code_files
from tests.e2e.workspace import Server, answered, open_settings, open_workspace

N = 4
SET = analysis(N)


class RuleServer(Server):
    """Answers by our own rule."""

    def __init__(self) -> None:
        super().__init__(np.zeros((N, H, W), bool), [0.0] * N)
        self.predictor = Predictor(SET)

    def predict(self, message: object) -> dict[str, Any]:
        super().predict(message)
        request = parsing.parse_predict(self.messages[-1])
        prediction = self.predictor.predict(request.clicks, request.settings)
        self.masks = prediction.masks
        return wire.encode(wire.MasksAnswer.of(request, prediction, prediction.masks))


@pytest.fixture
def server() -> RuleServer:
    return RuleServer()


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return code_files(SET)


@pytest.fixture
def tab(context: BrowserContext, server: RuleServer, files: list[bytes]) -> Iterator[Tab]:
    def send(route: Route) -> None:
        index = int(route.request.url.rsplit("/", 1)[1].removesuffix(".codes"))
        route.fulfill(body=files[index], content_type="application/octet-stream")

    context.route(f"{ORIGIN}/*.codes", send)
    tab = open_workspace(context, server, [photo.name for photo in SET.photos], analysis=SET)
    yield tab
    tab.close()
    context.unroute(f"{ORIGIN}/*.codes", send)


def hover(tab: Tab, image: int, x: float, y: float) -> None:
    box = tab.locator(".pp-overlay").nth(image).bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])


def previewed(tab: Tab) -> None:
    """Until what a click at the pointer would give is shown on all tiles."""
    tab.wait_for_function(
        "(n) => document.querySelectorAll('.pp-preview:not([hidden])').length === n", arg=N
    )


def not_previewed(tab: Tab) -> None:
    tab.wait_for_function("!document.querySelector('.pp-preview:not([hidden])')")


def painted(tab: Tab, kind: str, image: int) -> np.ndarray:
    """Where something is painted at the middles of tokens, (H, W) bool."""
    text = (
        tab.locator(f".pp-{kind}")
        .nth(image)
        .evaluate(
            """(canvas, [h, w]) => {
            const { data, width, height } = canvas.getContext('2d').getImageData(
              0, 0, canvas.width, canvas.height);
            let found = '';
            for (let row = 0; row < h; row += 1) {
              for (let column = 0; column < w; column += 1) {
                const [y, x] = [(row + 0.5) / h * height, (column + 0.5) / w * width];
                found += data[(Math.floor(y) * width + Math.floor(x)) * 4 + 3] > 0 ? '1' : '0';
              }
            }
            return found;
        }""",
            [H, W],
        )
    )
    return np.array(list(text)).reshape(H, W) == "1"


def next_frame(tab: Tab) -> None:
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")


def hold(tab: Tab) -> None:
    """From now on answers of the server are on their way for ever."""
    tab.evaluate("() => { window.predict = () => new Promise(() => {}); }")


def asked(server: RuleServer) -> int:
    return len(server.messages)


def test_the_preview_shows_on_all_tiles_what_a_click_there_then_gives(tab, server):
    hover(tab, 0, 0.4, 0.5)
    previewed(tab)
    shown = [painted(tab, "preview", image) for image in range(N)]
    before = asked(server)
    tab.mouse.down()
    tab.mouse.up()
    answered(tab)
    assert asked(server) == before + 1
    agreement = np.mean([s == m for s, m in zip(shown, server.masks, strict=True)])
    # The line is as wide as a part of a token.
    assert agreement > 0.95
    assert all(mask.any() for mask in server.masks[[0, N - 1]])


def test_the_preview_asks_the_server_nothing_and_goes_with_the_pointer(tab, server):
    before = asked(server)
    for x in (0.2, 0.4, 0.6):
        hover(tab, 1, x, 0.5)
        previewed(tab)
    assert asked(server) == before
    assert server.edged == []
    tab.mouse.move(2, 2)
    not_previewed(tab)


def test_with_shift_the_preview_takes_away(tab, server):
    tab.locator(".pp-overlay").first.click(position={"x": 80, "y": 80})
    answered(tab)
    masks = server.masks.copy()
    # A place that is masked, far from the click's own marker.
    image = 0
    row, column = np.argwhere(masks[image])[-1]
    tab.keyboard.down("Shift")
    hover(tab, image, (column + 0.5) / W, (row + 0.5) / H)
    previewed(tab)
    shown = painted(tab, "preview", image)
    tab.keyboard.up("Shift")
    assert masks[image][row, column]
    assert not shown[row, column]


def test_the_switch_turns_the_preview_off_and_on(tab):
    tab.locator("[data-display=hover]").uncheck()
    hover(tab, 0, 0.4, 0.5)
    next_frame(tab)
    not_previewed(tab)
    tab.locator("[data-display=hover]").check()
    hover(tab, 0, 0.5, 0.5)
    previewed(tab)


def test_the_keyboards_cross_previews_too(tab, server):
    tab.locator(".pp-overlay").first.focus()
    tab.keyboard.press("ArrowLeft")
    previewed(tab)
    tab.keyboard.press("Enter")
    answered(tab)
    assert server.requests[-1].clicks[0].image == 0


def test_no_preview_while_a_button_is_down_and_none_of_a_finger(tab):
    hover(tab, 0, 0.4, 0.5)
    previewed(tab)
    tab.mouse.down()
    hover(tab, 0, 0.6, 0.6)
    not_previewed(tab)
    tab.mouse.up()
    tab.locator(".pp-overlay").first.dispatch_event(
        "pointermove", {"pointerType": "touch", "clientX": 100, "clientY": 300, "isPrimary": True}
    )
    next_frame(tab)
    not_previewed(tab)


def test_a_click_is_painted_before_the_server_answers_and_is_what_it_answers(tab, server):
    ready(tab)
    expected = server.predictor
    hold(tab)
    tab.locator(".pp-overlay").first.click(position={"x": 80, "y": 80})
    tab.wait_for_function("document.querySelectorAll('.pp-share')[0].textContent !== ''")
    data = tab.locator(".pp-workspace").evaluate("(root) => ({ ...root.dataset })")
    assert data["asked"] != data["shown"]
    box = tab.locator(".pp-overlay").first.bounding_box()
    from pointprompt.settings import Settings
    from pointprompt.types import Click

    click = Click(0, 80 / box["width"], 80 / box["height"])
    masks = expected.predict([click], Settings()).masks
    tab.locator("[data-display=outline]").uncheck()
    next_frame(tab)
    for image in range(N):
        # At their middles, where no line is; the click's marker lies on some.
        agreement = (painted(tab, "overlay", image) == masks[image]).mean()
        assert agreement > (0.97 if image == 0 else 0.995)


def ready(tab: Tab) -> None:
    """Until this browser can answer by itself."""
    hover(tab, 0, 0.4, 0.5)
    previewed(tab)


def test_a_slider_repaints_without_the_server(tab, server):
    ready(tab)
    tab.locator(".pp-overlay").first.click(position={"x": 80, "y": 80})
    answered(tab)
    tab.mouse.move(2, 2)
    before = tab.locator(".pp-share").first.inner_text()
    hold(tab)
    tab.locator("[data-setting=threshold]").evaluate(
        "(slider) => { slider.value = 0.3; slider.dispatchEvent(new Event('input')); }"
    )
    tab.wait_for_function(
        "(before) => document.querySelector('.pp-share').textContent !== before", arg=before
    )
    after = tab.locator(".pp-share").first.inner_text()
    assert int(after.split("%")[0]) > int(before.split("%")[0])


def test_the_tutorials_rule_waits_for_the_server(tab, server):
    open_settings(tab)
    tab.locator("[data-setting=rule]").select_option("tutorial")
    answered(tab)
    hover(tab, 0, 0.4, 0.5)
    next_frame(tab)
    not_previewed(tab)


def test_codes_that_cannot_be_had_leave_everything_to_the_server(context, server):
    tab = open_workspace(context, server, [photo.name for photo in SET.photos], analysis=SET)
    hover(tab, 0, 0.4, 0.5)
    next_frame(tab)
    not_previewed(tab)
    tab.locator(".pp-overlay").first.click(position={"x": 80, "y": 80})
    answered(tab)
    assert painted(tab, "overlay", 0).any()
    tab.close()


def test_brackets_choose_a_part_or_more_before_the_click_and_the_pointer_says_so(tab, server):
    hover(tab, 0, 0.4, 0.5)
    previewed(tab)
    whole = painted(tab, "preview", 0).sum()
    seen = tab.locator(".pp-workspace").get_attribute("data-previews")
    tab.keyboard.press("[")
    badge = tab.locator(".pp-badge")
    assert "a part" in badge.inner_text()
    # At the pointer.
    box, tile = badge.bounding_box(), tab.locator(".pp-overlay").first.bounding_box()
    assert 0 < box["x"] - (tile["x"] + 0.4 * tile["width"]) < 40
    assert 0 < box["y"] - (tile["y"] + 0.5 * tile["height"]) < 40
    tab.wait_for_function(
        "(seen) => document.querySelector('.pp-workspace').dataset.previews !== seen", arg=seen
    )
    assert painted(tab, "preview", 0).sum() < whole
    assert tab.locator("[data-setting=size]").input_value() == "part"
    tab.mouse.down()
    tab.mouse.up()
    answered(tab)
    assert server.requests[-1].settings.rule.size == "part"
    few = server.masks[0].sum()
    tab.keyboard.press("]")
    tab.keyboard.press("]")
    tab.keyboard.press("]")
    answered(tab)
    assert server.requests[-1].settings.rule.size == "more"
    assert server.masks[0].sum() > few
    # Stepping is one change that can be undone.
    tab.locator("[data-action=undo]").click()
    answered(tab)
    assert server.requests[-1].settings.rule.size == "part"


def test_the_wheel_with_alt_moves_the_threshold_and_without_it_the_page(tab, server):
    hover(tab, 0, 0.4, 0.5)
    tab.keyboard.down("Alt")
    tab.mouse.wheel(0, -120)
    tab.wait_for_function("document.querySelector('[data-setting=threshold]').value === '0.48'")
    assert "threshold 0.48" in tab.locator(".pp-badge").inner_text()
    tab.mouse.wheel(0, 120)
    tab.wait_for_function("document.querySelector('[data-setting=threshold]').value === '0.5'")
    tab.keyboard.up("Alt")
    tab.mouse.wheel(0, 120)
    next_frame(tab)
    assert tab.locator("[data-setting=threshold]").input_value() == "0.5"


def heat_values(tab: Tab, image: int) -> int:
    """How many colours the heatmap of an image has."""
    return int(
        tab.locator(".pp-heat")
        .nth(image)
        .evaluate(
            """(canvas) => {
                const { data } = canvas.getContext('2d').getImageData(
                  0, 0, canvas.width, canvas.height);
                return new Set(new Uint32Array(data.buffer)).size;
            }"""
        )
    )


def test_the_heat_view_shows_the_heatmap_and_its_line_but_no_tint(tab, server):
    ready(tab)
    tab.locator(".pp-overlay").first.click(position={"x": 80, "y": 80})
    answered(tab)
    tab.get_by_role("radio", name="Heat").click()
    tab.wait_for_function(
        "document.querySelector('.pp-heat').checkVisibility({ visibilityProperty: true })"
    )
    tab.wait_for_function(
        "document.querySelector('.pp-heat').getContext('2d').getImageData(0, 0, 1, 1).data[3] > 0"
    )
    assert heat_values(tab, 0) > 10
    tab.locator("[data-display=outline]").uncheck()
    next_frame(tab)
    # But for the click's marker.
    assert painted(tab, "overlay", 0).mean() < 0.05


def test_by_the_tutorials_rule_the_server_sends_the_heatmaps_that_are_looked_at(tab, server):
    open_settings(tab)
    tab.locator("[data-setting=rule]").select_option("tutorial")
    tab.locator(".pp-overlay").first.click(position={"x": 80, "y": 80})
    answered(tab)
    assert not server.messages[-1]["heat"]
    tab.get_by_role("radio", name="Heat").click()
    tab.wait_for_function(
        "document.querySelector('.pp-heat').getContext('2d').getImageData(0, 0, 1, 1).data[3] > 0"
    )
    assert server.messages[-1]["heat"]


def test_the_colour_of_masks_can_be_chosen(tab):
    ready(tab)
    tab.locator(".pp-overlay").first.click(position={"x": 80, "y": 80})
    answered(tab)
    tab.get_by_role("button", name="About this thing").click()
    tab.get_by_role("button", name="cyan").click()
    next_frame(tab)
    color = tab.locator(".pp-overlay").first.evaluate(
        """(canvas) => {
            const { data } = canvas.getContext('2d').getImageData(
              0, 0, canvas.width, canvas.height);
            const counts = new Map();
            for (let at = 0; at < data.length; at += 4) {
              if (data[at + 3] === 0) continue;
              const key = [...data.slice(at, at + 3)].map((v) => Math.round(v / 8) * 8).join();
              counts.set(key, (counts.get(key) ?? 0) + 1);
            }
            return [...counts].sort((a, b) => b[1] - a[1])[0][0];
        }"""
    )
    red, green, blue = map(int, color.split(","))
    assert red < 30
    assert min(green, blue) > 200
