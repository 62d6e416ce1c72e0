"""How fast the page follows: under the pointer, after a click, along a slider; with several things.

In a real browser with the real app, as it is and without what the browser finds by itself: then
each change goes to the server and back.

    python -m benchmarks.live
    python -m benchmarks.live --tiles 12 --height 120 --things
    python -m benchmarks.live --tiles --things 1 5 20

Prints tables and judges nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Request, Route, sync_playwright

from benchmarks import report
from benchmarks.page import VIEWPORT, fit_tiles, starting, wait_for_analysis
from benchmarks.photos import make_photos
from benchmarks.table import Figure, Table, printed
from tests.e2e.browser import Page, launch_chromium

# The aims, in milliseconds, hold for two shared cores and a browser without a GPU.
HOVER_MS = {12: 16, 40: 40, 100: 40}
PAINTED_MS = {12: 30, 40: 70, 100: 70}

# Of the tab's own memory, a while after it was used.
TAB_MB = 300

FIRST_MASK_SECONDS = {"just started": 10, "warm": 5}

# The cat's forehead in the first image of the example that a page opens with.
CAT = (0.5, 0.35)

_HOVERS, _CLICKS, _FRAMES = 40, 12, 60
_REST_MS = 20_000
# Between clicks of a person with several things, who waits for nothing but the masks.
_PAUSE_MS = 1_000
_LONGEST_EDGES_MS = 900_000
_THINGS = (
    "things",
    "by",
    "seen ms",
    "click ms",
    "worst",
    "confirmed",
    "worst",
    "all edges s",
)

# Notes when the worker was asked and answered; when the pointer moved or was let go, and when what
# came of that was painted: a message posted in an animation frame arrives after that frame.
_PROBE = """() => {
    window.computed = [];
    const RealWorker = window.Worker;
    window.Worker = class extends RealWorker {
        constructor(...given) {
            super(...given);
            this.addEventListener('message', ({data}) => {
                if (data.kind !== 'answer') return;
                window.answered = performance.now();
                window.computed.push(window.answered - this.asked);
            });
        }
        postMessage(message, ...rest) {
            if (message.kind === 'ask') this.asked = performance.now();
            super.postMessage(message, ...rest);
        }
    };
    window.afterFrame = (done) => requestAnimationFrame(() => {
        const {port1, port2} = new MessageChannel();
        port1.onmessage = done;
        port2.postMessage(null);
    });
    window.watch = () => {
        const root = document.querySelector('.pp-workspace');
        window.moves = [];
        window.presses = [];
        document.addEventListener('pointermove', ({target, timeStamp}) => {
            if (target.matches('.pp-overlay')) window.moves.push({start: timeStamp});
        }, {capture: true});
        document.addEventListener('pointerup', ({target, timeStamp}) => {
            if (target.matches('.pp-overlay')) window.presses.push({start: timeStamp});
        }, {capture: true});
        new MutationObserver((changes) => {
            const {asked, shown, live} = root.dataset;
            const move = window.moves.at(-1);
            if (move && changes.some(({attributeName}) => attributeName === 'data-previews')) {
                move.drawn ??= performance.now() - window.answered;
                window.afterFrame(() => { move.painted ??= performance.now() - move.start; });
            }
            const press = window.presses.at(-1);
            if (!press) return;
            if (live === asked || shown === asked) {
                window.afterFrame(() => { press.painted ??= performance.now() - press.start; });
            }
            if (shown === asked) press.confirmed ??= performance.now() - press.start;
        }).observe(root, {attributeFilter: ['data-previews', 'data-live', 'data-shown']});
    };
}"""

# Moves the threshold once a frame for so many frames, and counts the repaints of what is clicked.
_DRAG = """async (frames) => {
    const root = document.querySelector('.pp-workspace');
    const slider = root.querySelector('[data-setting=threshold]');
    let paints = 0;
    const counting = new MutationObserver(() => { paints += 1; });
    counting.observe(root, {attributeFilter: ['data-live', 'data-shown']});
    const began = performance.now();
    for (let frame = 0; frame < frames; frame += 1) {
        slider.value = 0.35 + 0.3 * frame / frames;
        slider.dispatchEvent(new Event('input'));
        await new Promise((done) => window.afterFrame(done));
    }
    const seconds = (performance.now() - began) / 1000;
    slider.dispatchEvent(new Event('change'));
    counting.disconnect();
    return paints / seconds;
}"""


# Tiles for several things, where no others are asked for.
MANY = 100


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--tiles", type=int, nargs="*", default=[12, 40, 100], metavar="N")
    parser.add_argument(
        "--height", type=int, default=0, help="of a row of tiles; as many as fit where not given"
    )
    parser.add_argument(
        "--things", type=int, nargs="*", default=[1, 5, 20], metavar="N", help="so many; or none"
    )
    report.add_option(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        photos = make_photos(Path(folder), max(options.tiles, default=MANY))
        browser = launch_chromium(playwright)
        if options.tiles:
            print(
                "A first visit, from the page's address to the first mask of the example, in "
                "seconds:"
            )
            first = printed(["server", "tiles s", "mask s"], _first_visits(browser))
            print(f"\nAll tiles in sight of {VIEWPORT['width']} x {VIEWPORT['height']} pixels.")
            table = _measured(browser, photos, options.tiles, options.height)
        if options.things:
            print(f"\nSeveral things, {len(photos)} tiles:")
            rows = _rows_of_things(browser, photos, options.things, options.height)
            things = printed(_THINGS, rows)
        browser.close()
    if options.docs:
        if options.tiles:
            report.publish("first", first, parser.prog)
            report.publish("live", table, parser.prog)
        if options.things:
            report.publish("live things", things, parser.prog)


def _first_visits(browser: Browser) -> Iterator[list[object]]:
    """On a server that has just begun to listen, and on the same one afterwards."""
    with starting() as app:
        for server, aim in FIRST_MASK_SECONDS.items():
            context = browser.new_context(viewport=VIEWPORT)
            page = Page(context.new_page(), app.server.url)
            began = time.perf_counter()
            page.open()
            page.wait_for_tiles()
            opened = time.perf_counter() - began
            page.click(0, *CAT)
            page.tab.wait_for_function(
                "(({asked, live, shown}) => asked > 1 && (live === asked || shown === asked))"
                "(document.querySelector('.pp-workspace').dataset)"
            )
            yield [server, Figure(opened), Figure(time.perf_counter() - began, aim=aim)]
            context.close()


def _measured(
    browser: Browser, photos: Sequence[Path], counts: Sequence[int], height: int
) -> Table:
    # fmt: off
    columns = [
        "tiles", "in sight", "by", "hover ms", "of it rule", "seen ms", "click ms", "confirmed",
        "slider fps", "loaded MB", "tab MB", "at rest",
    ]
    # fmt: on
    rows = (
        _row(browser, photos[:count], height, is_live=is_live)
        for count in counts
        for is_live in (True, False)
    )
    return printed(columns, rows)


def _row(browser: Browser, photos: Sequence[Path], height: int, *, is_live: bool) -> list[object]:
    with _watched(browser, photos, height, is_live=is_live) as (page, loaded):
        moves, computed = _hover(page) if is_live else ([], [])
        clicks = _click(page, page.wait_for_edges, is_live=is_live)
        fps = page.tab.evaluate(_DRAG, _FRAMES)
        seen = page.tab.locator(".pp-tile[data-seen=true]").count()
        row: list[object] = [
            len(photos),
            seen,
            "browser" if is_live else "server",
            *_hover_cells(moves, computed, HOVER_MS.get(len(photos))),
            Figure(
                _median([click["painted"] for click in clicks]),
                0,
                PAINTED_MS.get(len(photos)) if is_live else None,
            ),
            Figure(_median([click["confirmed"] for click in clicks]), 0),
            Figure(fps, 0),
            Figure(sum(request.sizes()["responseBodySize"] for request in loaded) / 1e6),
            Figure(_tab_bytes() / 1e6, 0),
        ]
        # By then a browser has given back what it needs no more.
        page.tab.wait_for_timeout(_REST_MS)
        row.append(Figure(_tab_bytes() / 1e6, 0, TAB_MB if is_live else None))
    return row


def _rows_of_things(
    browser: Browser, photos: Sequence[Path], counts: Sequence[int], height: int
) -> Iterator[list[object]]:
    """Clicks on the last of so many things; each of the others has some on tiles of its own."""
    for is_live in (True, False):
        with _watched(browser, photos, height, is_live=is_live) as (page, _):
            made = 1
            for count in sorted(counts):
                _add_things(page, range(made, count))
                made = max(made, count)
                page.tab.evaluate("window.presses.length = window.moves.length = 0")
                clicks = _click(page, _pause_of(page), is_live=is_live)
                moves = page.tab.evaluate("window.moves.flatMap(({painted}) => painted ?? [])")
                painted = [click["painted"] for click in clicks]
                confirmed = [click["confirmed"] for click in clicks]
                yield [
                    count,
                    "browser" if is_live else "server",
                    Figure(_median(moves), 0) if moves else "",
                    Figure(_median(painted), 0, PAINTED_MS.get(len(photos)) if is_live else None),
                    Figure(max(painted), 0),
                    Figure(_median(confirmed), 0),
                    Figure(max(confirmed), 0),
                    Figure(_edges_seconds(page)),
                ]


def _add_things(page: Page, numbers: range) -> None:
    """So many more; each but the last gets a click, on a tile that is not clicked otherwise."""
    for number in numbers:
        if number > numbers.start:
            _, x, y = _places(number, page.tile_count)[-1]
            page.click((7 * number + 3) % page.tile_count, x, y)
            page.wait_for_masks()
        page.tab.keyboard.press("a")


def _pause_of(page: Page) -> Callable[[], None]:
    return lambda: page.tab.wait_for_timeout(_PAUSE_MS)


def _edges_seconds(page: Page) -> float:
    """From one more click until the masks of all things have edges on all tiles."""
    tile, x, y = _places(_CLICKS + 1, page.tile_count)[-1]
    began = time.perf_counter()
    page.click(tile, x, y)
    page.wait_for_edges()
    return time.perf_counter() - began


@contextmanager
def _watched(
    browser: Browser, photos: Sequence[Path], height: int, *, is_live: bool
) -> Iterator[tuple[Page, list[Request]]]:
    """A page of a new server with all photos in sight, and the requests that have been answered."""
    with starting() as app:
        context = browser.new_context(viewport=VIEWPORT)
        context.set_default_timeout(_LONGEST_EDGES_MS)
        context.add_init_script(f"({_PROBE})()")
        if not is_live:
            context.route("**/*.codes", _refuse)
        page = Page(context.new_page(), app.server.url)
        loaded: list[Request] = []
        page.tab.on("requestfinished", lambda request: loaded.append(request))  # noqa: PLW0108
        page.open()
        page.choose_files(photos)
        page.tab.click("#pp-analyze")
        wait_for_analysis(page)
        fit_tiles(page, len(photos), height)
        page.tab.evaluate("window.watch()")
        _await_codes(page, loaded, len(photos) if is_live else 0)
        yield page, loaded
        context.close()


def _await_codes(page: Page, loaded: Sequence[Request], count: int) -> None:
    """Until the codes of so many tiles have come."""
    while sum(request.url.endswith(".codes") for request in loaded) < count:
        page.tab.wait_for_timeout(100)


def _refuse(route: Route) -> None:
    route.abort()


def _places(count: int, tiles: int) -> list[tuple[int, float, float]]:
    """Tile, x and y of so many places, spread over all tiles."""
    return [
        (7 * k % tiles, 0.1 + 0.8 * (0.618 * k % 1), 0.3 + 0.6 * (0.414 * k % 1))
        for k in range(count)
    ]


def _hover_cells(
    moves: Sequence[dict[str, float]], computed: Sequence[float], aim: float | None
) -> list[object]:
    """What a move of the pointer takes to compute and to draw, to compute, and until it is seen."""
    if not moves:
        return ["", "", ""]
    rule = _median(computed)
    return [
        Figure(rule + _median([move["drawn"] for move in moves]), 0, aim),
        Figure(rule, 0),
        Figure(_median([move["painted"] for move in moves]), 0),
    ]


def _hover(page: Page) -> tuple[list[dict[str, float]], list[float]]:
    """For each move of the pointer what became of it, and the milliseconds of the rule."""
    seen = page.tab.locator(".pp-tile[data-seen=true]").count()
    page.tab.evaluate("window.computed.length = 0")
    for tile, x, y in _places(_HOVERS, min(seen, page.tile_count)):
        box = page.overlay(tile).bounding_box()
        if box is None or not 0 < box["y"] < VIEWPORT["height"] - box["height"]:
            continue
        page.tab.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.tab.wait_for_function("window.moves.at(-1)?.painted")
    moves = page.tab.evaluate("window.moves.filter(({painted}) => painted)")
    computed = page.tab.evaluate("window.computed")
    return moves[5:], computed[5:]


def _click(page: Page, rest: Callable[[], None], *, is_live: bool) -> list[dict[str, Any]]:
    """What became of each click; as a person clicks, on what the pointer has rested on.

    Args:
        page: With all tiles in sight.
        rest: Waits after a click.
        is_live: Whether the browser finds by itself what it can.
    """
    for number, (tile, x, y) in enumerate(_places(_CLICKS, page.tile_count)):
        if number % 4 == 0 and number:
            page.action("clear").click()
            page.wait_for_masks()
        box = page.overlay(tile).bounding_box()
        if box is None or not 0 < box["y"] < VIEWPORT["height"] - box["height"]:
            continue
        before = page.tab.evaluate("window.presses.length")
        page.tab.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if is_live:
            page.tab.wait_for_function("window.moves.at(-1)?.painted")
        page.tab.mouse.down()
        page.tab.mouse.up()
        page.tab.wait_for_function(
            "(before) => window.presses.length > before"
            " && window.presses.at(-1).painted && window.presses.at(-1).confirmed",
            arg=before,
        )
        rest()
    return page.tab.evaluate("window.presses")


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else float("nan")


def _tab_bytes() -> int:
    """What the largest process of a page holds for itself alone."""
    sizes = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                sizes.append(process.memory_full_info().uss)
        except psutil.Error:
            continue
    return max(sizes, default=0)


if __name__ == "__main__":
    main()
