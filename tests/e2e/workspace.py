"""The whole workspace against the server's side of the messages, without gradio."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page as Tab

from pointprompt.analysis.analysis import Analysis
from pointprompt.server import parsing, wire
from pointprompt.types import BackboneChoice, Photo, TokenPrediction
from pointprompt.ui.canvas import STATIC
from tests.e2e.modules import ORIGIN


class Server:
    """Answers every message that it can read, and keeps them all.

    Attributes:
        masks: (n, h, w) bool, its answer to any clicks.
        presence: (n,), likewise.
        fine: Images with edges have so many pixels a token.
    """

    fine = 4

    def __init__(self, masks: np.ndarray, presence: list[float]) -> None:
        self.masks = masks
        self.presence = np.array(presence, np.float32)
        self.messages: list[Any] = []
        self.requests: list[wire.PredictRequest] = []
        self.edged: list[tuple[wire.PredictRequest, tuple[int, ...]]] = []
        self.sides: list[int] = []

    def predict(self, message: object) -> dict[str, Any]:
        # As it arrives: through JSON.
        self.messages.append(json.loads(json.dumps(message)))
        request = parsing.parse_predict(self.messages[-1])
        self.requests.append(request)
        prediction = TokenPrediction(self.masks + 0.0, self.masks, self.masks - 0.5, self.presence)
        return wire.encode(wire.MasksAnswer.of(request, prediction, self.masks))

    def edges(self, message: object) -> dict[str, Any]:
        message = json.loads(json.dumps(message))
        request = parsing.parse_edges(message)
        parsing.require_images(request, len(self.masks))
        self.edged.append((parsing.parse_predict(message), request.images))
        self.sides.append(request.side)
        masks = {image: self.edged_mask(image) for image in request.images}
        return wire.encode(wire.EdgesAnswer.of(request.seq, masks))

    def edged_mask(self, image: int) -> np.ndarray:
        """The mask with a row less at its upper edge, so that it can be told from the other."""
        large = self.masks[image].repeat(self.fine, axis=0).repeat(self.fine, axis=1)
        return large & np.roll(large, 1, axis=0)

    @property
    def edged_images(self) -> list[int]:
        return [image for _, images in self.edged for image in images]


H, W, K = 5, 7, 20


REMARK = 'The end of the file is "missing" <b>here</b>.'


MOUNT = """async (manifest) => {
    const { mount } = await import('/workspace.js');
    window.manifest = manifest;
    window.triggered = [];
    // Answers to messages that ask for edges wait until they are let go, or are lost.
    let held = null;
    window.edgesOnTheWay = 0;
    window.holdEdges = () => { held = new Promise((done) => { window.letEdgesGo = done; }); };
    window.loseEdges = () => { held = 'lost'; };
    window.answerEdges = () => { held = null; };
    const props = { value: manifest, download: '' };
    const watchers = {};
    // As gradio does when the server sends another manifest.
    window.openAnother = (changes) => {
      props.value = { ...props.value, ...changes };
      watchers.value();
    };
    window.workspace = mount({
      element: document.body,
      props,
      server: {
        predict: (message) => window.predict(message),
        edges: async (message) => {
          const answer = await window.edges(message);
          if (held === 'lost') throw new Error('unreachable');
          window.edgesOnTheWay += 1;
          await held;
          return answer;
        },
      },
      trigger: (name, data) => triggered.push([name, data]),
      watch: (prop, callback) => { watchers[prop] = callback; },
    });
}"""


def open_workspace(
    context: BrowserContext,
    server: Server,
    names: list[str],
    *,
    sizes: list[tuple[int, int]] | None = None,
    crisp: bool = False,
    before_mount: str = "() => {}",
    analysis: Analysis | None = None,
) -> Tab:
    """The page's workspace with these images open, joined to the server without gradio.

    Args:
        context: Of the browser.
        server: What answers.
        names: Of the images.
        sizes: Height and width of each.
        crisp: Whether SAM can draw outlines.
        before_mount: JavaScript.
        analysis: Of the images, in the place of one of nothing; the context serves its codes.
    """
    pixels = np.zeros((50, 70, 3), np.uint8)
    n = len(names)
    sizes = sizes or [(50, 70)] * n
    analysis = analysis or Analysis(
        photos=tuple(
            Photo(name, height, width, b"", pixels, REMARK if name.startswith("<") else "")
            for name, (height, width) in zip(names, sizes, strict=True)
        ),
        eigvecs=np.zeros((n, H, W, K), np.float32),
        codes=np.zeros((n, H, W, 1), np.float32),
        colors=np.zeros((n, H, W, 3), np.uint8),
        terms=None,
        backbone=BackboneChoice("fake", "block", 0, 64),
        image_embeddings=np.zeros((n, 64, 64, 256), np.float16) if crisp else None,
    )
    tiles = [f"/{index}.jpg" for index in range(n)]
    codes = [f"/{index}.codes" for index in range(n)]
    manifest = wire.Manifest.of(
        "token", analysis, tiles, "/colors.png", wholes=tiles, codes=codes, same=range(n)
    )
    tab = context.new_page()
    tab.expose_function("predict", server.predict)
    tab.expose_function("edges", server.edges)
    tab.goto(ORIGIN)
    tab.set_content((STATIC / "canvas.html").read_text(encoding="utf-8"))
    tab.add_style_tag(path=STATIC / "page.css")
    tab.evaluate(before_mount)
    tab.evaluate(MOUNT, json.loads(json.dumps(wire.encode(manifest))))
    answered(tab)
    return tab


MANY = 60


def answered(tab: Tab) -> None:
    """Until the newest change was answered."""
    tab.wait_for_function(
        "(({ asked, shown }) => asked !== undefined && asked === shown)"
        "(document.querySelector('.pp-workspace').dataset)"
    )


def edged(tab: Tab, count: int) -> None:
    """Until the newest change was answered, and so many tiles have edges."""
    answered(tab)
    tab.wait_for_function(
        "(count) => document.querySelector('.pp-workspace').dataset.edged === String(count)",
        arg=count,
    )


def visible(tab: Tab) -> list[int]:
    """The tiles that are on the screen or near it, in the order they came in."""
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
    return tab.evaluate("""() => [...document.querySelectorAll('.pp-tile')].flatMap(
        (element) => element.dataset.seen === 'true'
          ? [Number.parseInt(element.querySelector('.pp-name').textContent, 10)] : [])""")


def open_settings(tab: Tab) -> None:
    tab.locator(".pp-expert summary").click()


def shares(tab: Tab) -> list[str]:
    return tab.locator(".pp-share").all_inner_texts()


def names(tab: Tab) -> list[str]:
    return tab.locator(".pp-name").all_inner_texts()


def slide(tab: Tab, name: str, place: float) -> None:
    tab.locator(f"[data-setting={name}]").evaluate(
        """(slider, value) => {
            slider.value = value;
            for (const type of ['input', 'change']) slider.dispatchEvent(new Event(type));
        }""",
        place,
    )
    answered(tab)


def box(tab: Tab, selector: str, index: int = 0) -> dict[str, float]:
    """Where an element is on the screen."""
    found: dict[str, float] = (
        tab.locator(selector)
        .nth(index)
        .evaluate(
            "(e) => (({ left, top, right, bottom, width, height }) => "
            "({ left, top, right, bottom, width, height }))(e.getBoundingClientRect())"
        )
    )
    return found


def standing(tab: Tab) -> list[str]:
    """The names of the tiles that the filter leaves, in order."""
    found: list[str] = tab.evaluate(
        "() => [...document.querySelectorAll('.pp-tile:not([hidden]) .pp-name')]"
        ".map((name) => name.textContent)"
    )
    return found
