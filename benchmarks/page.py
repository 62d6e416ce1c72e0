"""The app as its user waits for it: the start of its server, and clicks in a real browser.

Knows `app.py` as a program, and the page as the tests of the page drive it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from playwright.sync_api import Browser, Request, ViewportSize
from playwright.sync_api import Page as Tab
from playwright.sync_api import TimeoutError as WaitedTooLong

from tests.e2e.browser import Page
from tests.serving import Server, serving

VIEWPORT: ViewportSize = {"width": 1280, "height": 900}

_LONGEST_ANALYSIS_SECONDS = 900
# Four prompts of five clicks, the last of them negative, each on another tile.
_PROMPTS = 4
_CLICKS_A_PROMPT = 5

# No request for so long means that nothing more comes of a click.
_QUIET_MS = 200

# Notes for each press on a tile the milliseconds until the first and the last answer to it were
# painted: a message posted in an animation frame arrives after that frame.
_PROBE = """() => {
    const root = document.querySelector('.pp-workspace');
    window.presses = [];
    document.addEventListener('pointerup', ({target, timeStamp}) => {
        if (target.matches('.pp-overlay')) window.presses.push({start: timeStamp});
    }, {capture: true});
    new MutationObserver(() => {
        const press = window.presses.at(-1);
        if (!press || root.dataset.asked !== root.dataset.shown) return;
        requestAnimationFrame(() => {
            const {port1, port2} = new MessageChannel();
            port1.onmessage = () => {
                press.settled = performance.now() - press.start;
                press.painted ??= press.settled;
            };
            port2.postMessage(null);
        });
    }).observe(root, {attributeFilter: ['data-asked', 'data-shown', 'data-edged']});
}"""
_LOAD_ALL_PHOTOS = """() => {
    const photos = [...document.querySelectorAll('.pp-tile .pp-photo')];
    for (const photo of photos) photo.loading = 'eager';
    return Promise.all(photos.map((photo) => photo.decode()));
}"""
_PAINTED_TILES = """() => {
    const tiles = [...document.querySelectorAll('.pp-tile .pp-overlay')];
    return tiles.filter((canvas) => {
        if (!canvas.width || !canvas.height) return false;
        const image = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return image.data.some((value, index) => index % 4 === 3 && value > 0);
    }).length;
}"""


@dataclass(frozen=True)
class App:
    """A served page.

    Attributes:
        server: Where it is served.
        start: Seconds from the start of its process to its first answer.
    """

    server: Server
    start: float


@dataclass(frozen=True)
class Click:
    """What one click took.

    Attributes:
        painted: Seconds from the release of the mouse to the painted masks.
        settled: Seconds until their edges were painted too, on all tiles that are seen.
        up: Bytes sent, the headers included.
        down: Bytes received, the headers included.
    """

    painted: float
    settled: float
    up: int
    down: int


@dataclass(frozen=True)
class PageCost:
    """What a page with a set of photos took.

    Attributes:
        ready: Seconds from the choice of the files to tiles on the screen, in a new process.
        clicks: In the order they were made.
        heap: Bytes of JavaScript objects after the last click.
        server: GB (1e9 bytes) of memory that the server holds after the last click.
    """

    ready: float
    clicks: tuple[Click, ...]
    heap: int
    server: float


@contextmanager
def starting() -> Iterator[App]:
    """`app.py`, served by a process of its own until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / "tmp"
        temporary.mkdir()
        began = time.perf_counter()
        with serving(temporary) as server:
            httpx.get(server.url).raise_for_status()
            yield App(server, time.perf_counter() - began)


def measure_page(browser: Browser, photos: Sequence[Path]) -> PageCost:
    """Upload the photos to a new server, click on their tiles, and note what that takes."""
    with starting() as app:
        context = browser.new_context(viewport=VIEWPORT)
        page = Page(context.new_page(), app.server.url)
        page.open()
        began = time.perf_counter()
        page.choose_files(photos)
        page.tab.click("#pp-analyze")
        wait_for_analysis(page)
        ready = time.perf_counter() - began
        clicks = _measure_clicks(page)
        if page.tab.evaluate(_PAINTED_TILES) <= _CLICKS_A_PROMPT:
            raise RuntimeError("No mask is painted on other tiles than those that were clicked.")
        cost = PageCost(
            ready=ready,
            clicks=tuple(clicks),
            heap=_heap_bytes(page),
            server=psutil.Process(app.server.pid).memory_info().rss / 1e9,
        )
        context.close()
    return cost


def wait_for_analysis(page: Page) -> None:
    """Wait longer than the tests would: a hundred photos on a busy computer take their time."""
    try:
        page.tab.wait_for_selector(
            ".pp-workspace[data-set=own]", timeout=1000 * _LONGEST_ANALYSIS_SECONDS
        )
    except WaitedTooLong as error:
        status = page.tab.locator("#pp-status").inner_text()
        raise RuntimeError(f"The photos were not analysed; the page says: {status}") from error
    page.wait_for_tiles()


def fit_tiles(page: Page, count: int, height: int = 0) -> None:
    """Make tiles as large as they can be with all of them in sight, or of the height."""
    if not height:
        width, room = 0.72 * VIEWPORT["width"], 0.62 * VIEWPORT["height"]
        height = int(min((width * room / count / (4 / 3)) ** 0.5, 400))
    page.tab.locator("[data-tile-size]").fill(str(max(60, height // 10 * 10)))
    page.tab.locator(".pp-toolbar").evaluate("(bar) => bar.scrollIntoView()")
    page.next_frame()


def _measure_clicks(page: Page) -> list[Click]:
    page.tab.evaluate(_LOAD_ALL_PHOTOS)
    page.tab.evaluate(_PROBE)
    traffic = _Traffic(page.tab)
    clicks = []
    for number in range(_PROMPTS * _CLICKS_A_PROMPT):
        in_prompt = number % _CLICKS_A_PROMPT
        if number and in_prompt == 0:
            page.action("clear").click()
            page.wait_for_masks()
        tile = 7 * number % page.tile_count
        page.overlay(tile).scroll_into_view_if_needed()
        page.next_frame()
        traffic.wait_until_quiet()
        traffic.finished.clear()
        # Spread over the tiles, and never on another click's marker, which would remove that.
        x, y = 0.1 + 0.8 * (0.618 * number % 1), 0.1 + 0.8 * (0.414 * number % 1)
        page.click(tile, x, y, positive=in_prompt < _CLICKS_A_PROMPT - 1)
        page.tab.wait_for_function(
            "(count) => window.presses.length === count && window.presses.at(-1).painted",
            arg=number + 1,
        )
        traffic.wait_until_quiet()
        press = page.tab.evaluate("window.presses.at(-1)")
        sizes = [request.sizes() for request in traffic.finished]
        clicks.append(
            Click(
                painted=press["painted"] / 1000,
                settled=press["settled"] / 1000,
                up=sum(size["requestHeadersSize"] + size["requestBodySize"] for size in sizes),
                down=sum(size["responseHeadersSize"] + size["responseBodySize"] for size in sizes),
            )
        )
    return clicks


class _Traffic:
    """The requests of a tab.

    Attributes:
        finished: Those that have their answers.
    """

    def __init__(self, tab: Tab) -> None:
        self.finished: list[Request] = []
        self._tab = tab
        self._running = 0
        tab.on("request", self._begin)
        tab.on("requestfinished", self._finish)
        tab.on("requestfailed", self._fail)

    def wait_until_quiet(self) -> None:
        """Until there was no request for `_QUIET_MS`."""
        before = -1
        while self._running or before != len(self.finished):
            before = len(self.finished)
            self._tab.wait_for_timeout(_QUIET_MS)

    def _begin(self, _: Request) -> None:
        self._running += 1

    def _finish(self, request: Request) -> None:
        self._running -= 1
        self.finished.append(request)

    def _fail(self, _: Request) -> None:
        self._running -= 1


def _heap_bytes(page: Page) -> int:
    devtools = page.tab.context.new_cdp_session(page.tab)
    devtools.send("HeapProfiler.collectGarbage")
    usage = devtools.send("Runtime.getHeapUsage")
    return int(usage["usedSize"])
