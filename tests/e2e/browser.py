"""The page as a person uses it: found, clicked and looked at in a real browser."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Locator, Playwright
from playwright.sync_api import Page as Tab

from pointprompt.server.session import Session
from pointprompt.server.sessions import SessionStore

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = (
    "The tests of the page need Chromium. Install it with 'apt-get install chromium', or with "
    "'python -m playwright install chromium'."
)
ANALYSIS_MS = 180_000
# Longer than a slow and shared machine needs for anything: only what never comes fails.
PATIENCE_MS = 120_000
# The clicks of the page, as it keeps them for a reload.
CLICKS = "JSON.parse(sessionStorage['pointprompt-kept']).history.present.clicks"


def launch_chromium(playwright: Playwright) -> Browser:
    """Chromium from the system, else Playwright's own.

    Raises:
        RuntimeError: There is neither.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    path = path or shutil.which("google-chrome")
    if path is None and not Path(playwright.chromium.executable_path).exists():
        raise RuntimeError(MISSING)
    return playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A visitor's browser, 1280 pixels wide where nothing else is said."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(PATIENCE_MS)
    return context


class Page:
    """One tab with the page in it.

    Attributes:
        tab: Playwright's page.
        problems: What the browser complained about.
    """

    def __init__(self, tab: Tab, url: str) -> None:
        self.tab = tab
        self.problems: list[str] = []
        self._url = url
        tab.on("pageerror", lambda error: self.problems.append(str(error)))
        tab.on("console", self._note_console)

    def open(self) -> None:
        self.tab.goto(self._url)
        self.tab.wait_for_selector(".pp-workspace[data-set]")

    def unfold(self) -> None:
        """Show the choice of images, as the page does by itself where it begins with none."""
        if not self.tab.locator("#pp-setup > button.open").count():
            self.tab.click("#pp-setup > button")

    def choose_files(self, files: Sequence[Path]) -> None:
        self.unfold()
        self.tab.set_input_files("#pp-files input[type=file]", [str(file) for file in files])
        self.tab.wait_for_function("!document.querySelector('#pp-analyze').disabled")

    def analyze_files(self, files: Sequence[Path]) -> None:
        self.choose_files(files)
        with self.another_set():
            self.tab.click("#pp-analyze")
        self.tab.wait_for_selector(".pp-workspace[data-set=own]", timeout=ANALYSIS_MS)
        self.wait_for_tiles()

    def analyze_example(self, key: str) -> None:
        if not self.tab.locator("#pp-examples").is_visible():
            self.unfold()
        with self.another_set():
            self.tab.click(f"#pp-example-{key}")
        self.wait_for_tiles()

    @contextmanager
    def another_set(self) -> Iterator[None]:
        """Until the page shows another set than it did before what is done in the block."""
        ticket = "JSON.parse(sessionStorage.pointprompt ?? '{}').ticket"
        before = self.tab.evaluate(ticket)
        yield
        self.tab.wait_for_function(
            f"(before) => ({ticket} ?? null) !== before", arg=before, timeout=ANALYSIS_MS
        )

    def wait_for_tiles(self) -> None:
        self.tab.wait_for_selector(".pp-workspace[data-state=open]", timeout=ANALYSIS_MS)
        self.tab.wait_for_function(
            "[...document.querySelectorAll('.pp-photo')].some((photo) => photo.naturalWidth > 0)"
        )
        self.wait_for_masks()

    def wait_for_masks(self) -> None:
        """Until the masks on the screen are the answer to the newest change."""
        self.tab.wait_for_function(
            "(({asked, shown}) => asked !== undefined && asked === shown)"
            "(document.querySelector('.pp-workspace').dataset)"
        )

    def wait_for_edges(self) -> None:
        """Until the masks on the screen follow the edges too, if the settings want that."""
        self.tab.wait_for_function(
            """() => {
                const root = document.querySelector('.pp-workspace');
                const { asked, shown, edged, settled } = root.dataset;
                if (asked === undefined || asked !== shown || settled !== 'true') return false;
                if (root.querySelector('[data-setting=outline]').value === 'tokens') return true;
                const isMasked = (element) => element.dataset.seen === 'true'
                  && element.querySelector('.pp-share').textContent !== '';
                const tiles = [...root.querySelectorAll('.pp-tile')];
                return Number(edged) >= tiles.filter(isMasked).length;
            }"""
        )

    @property
    def tile_count(self) -> int:
        return self.tab.locator(".pp-tile").count()

    def overlay(self, index: int) -> Locator:
        return self.tab.locator(".pp-tile .pp-overlay").nth(index)

    def click(self, index: int, x: float, y: float, *, positive: bool = True) -> None:
        """Click a tile at x, y from 0 to 1 with the left or the right button."""
        overlay = self.overlay(index)
        overlay.scroll_into_view_if_needed()
        box = overlay.bounding_box()
        assert box is not None
        overlay.click(
            button="left" if positive else "right",
            position={"x": x * box["width"], "y": y * box["height"]},
        )

    def pixels(self, index: int) -> np.ndarray:
        """What is painted over a photo, (height, width, 4) uint8."""
        overlay = self.overlay(index)
        overlay.scroll_into_view_if_needed()
        self.next_frame()
        self.wait_for_edges()
        # As text: a list of a million numbers takes seconds on its way.
        width, height, text = overlay.evaluate(
            """(canvas) => {
                const {width, height} = canvas;
                const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
                let letters = '';
                for (let at = 0; at < data.length; at += 4096) {
                  letters += String.fromCharCode(...data.subarray(at, at + 4096));
                }
                return [width, height, btoa(letters)];
            }"""
        )
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)

    def mask(self, index: int) -> np.ndarray:
        """Where something is painted over a photo, (height, width) bool."""
        return self.pixels(index)[..., 3] > 0

    def next_frame(self) -> None:
        """Until the browser has seen which tiles are on the screen, and painted them."""
        self.tab.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def open_settings(self) -> None:
        """Show all settings, as a phone does not at first and nothing does the expert's."""
        for name in ("panel", "expert"):
            details = self.tab.locator(f".pp-{name}")
            if details.get_attribute("open") is None:
                details.locator("summary").first.click()

    def use_tutorial(self) -> None:
        """Mask by the tutorial's rule, and whole tokens: two settings."""
        self.open_settings()
        self.tab.locator("[data-setting=rule]").select_option("tutorial")
        self.tab.locator("[data-setting=outline]").select_option("tokens")
        self.wait_for_masks()

    def set_slider(self, name: str, value: float) -> None:
        self.tab.locator(f"[data-setting={name}]").evaluate(
            """(slider, value) => {
                slider.value = value;
                slider.dispatchEvent(new Event('input', {bubbles: true}));
                slider.dispatchEvent(new Event('change', {bubbles: true}));
            }""",
            value,
        )

    def slider(self, name: str) -> float:
        return float(self.tab.locator(f"[data-setting={name}]").input_value())

    def fetch(self, address: str) -> dict[str, Any]:
        """Status and type of what the page gets at an address."""
        answer: dict[str, Any] = self.tab.evaluate(
            """async (address) => {
                const answer = await fetch(address);
                return { status: answer.status, type: answer.headers.get('content-type') };
            }""",
            address,
        )
        return answer

    @property
    def visitor(self) -> str:
        """The cookie that this browser is known by."""
        (cookie,) = self.tab.context.cookies(self._url)
        return str(cookie["value"])

    @property
    def ticket(self) -> str:
        """Of the session that a reload would ask for."""
        return str(self.tab.evaluate("JSON.parse(sessionStorage.pointprompt).ticket"))

    def session(self, store: SessionStore) -> Session:
        """The session that the page shows."""
        return store.of_ticket(self.ticket, self.visitor)

    def action(self, name: str) -> Locator:
        return self.tab.locator(f"[data-action={name}]")

    @property
    def status(self) -> str:
        return self.tab.locator(".pp-status").inner_text()

    def _note_console(self, message: object) -> None:
        if message.type == "error":  # type: ignore[attr-defined]
            self.problems.append(message.text)  # type: ignore[attr-defined]
