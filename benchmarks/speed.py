"""How fast pointprompt is, and how much memory and traffic it takes, beside what was aimed at.

    python -m benchmarks.speed
    python -m benchmarks.speed --images 1 8 --tiles

Prints tables and judges nothing else: on a busy computer every second is longer.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright
from scipy.ndimage import gaussian_filter

from benchmarks import report
from benchmarks.page import PageCost, measure_page, starting
from benchmarks.photos import SIZE, make_photos
from benchmarks.stages import BACKBONE, analyze_in_new_process
from benchmarks.table import Figure, Table, print_row, printed
from pointprompt.masks.photo_edges import SIDE, PhotoEdges
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import read_set
from tests.e2e.browser import launch_chromium

# The aims hold for two CPU cores and the built-in backbone; the numbers are of images.
READY_SECONDS = {8: 3, 100: 10}
COLORS_SECONDS = 3
PEAK_GB = {100: 2.0}
PAINTED_MS = {12: 120, 100: 250}
DOWN_KB = 40
START_SECONDS = 8
PREPARED_MS, DRAWN_MS = 200, 60

STARTS = 3
# Photos whose outlines are drawn, and the longest side of the masks.
_OUTLINED, _MASK_SIDE = 12, 1024
# Analyses of up to so many images are cheap enough to be repeated.
_FEW_IMAGES = 8
_REPEATS = 3


def main() -> None:
    """Measure what the command line asks for."""
    parser = _parser()
    options = parser.parse_args()
    print(f"{BACKBONE}, JPEG photos of {SIZE[0]} x {SIZE[1]} pixels. {report.machine()}.")
    print("What was aimed at stands after a stroke.")
    with tempfile.TemporaryDirectory() as folder:
        photos = make_photos(Path(folder), max([*options.images, *options.tiles], default=0))
        _print_starts()
        if photos:
            outlines = _print_outlines(photos[:_OUTLINED])
            if options.docs:
                report.publish("outlines", outlines, parser.prog)
        if options.images:
            analyses = _print_analyses(photos, options.images)
            if options.docs:
                report.publish("analyses", analyses, parser.prog)
        if options.tiles:
            clicks = _print_pages(photos, options.tiles)
            if options.docs:
                report.publish("clicks", clicks, parser.prog)
    print(f"\n{report.machine()}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for name, numbers, what in (
        ("--images", [1, 8, 32, 100], "how many images to analyse; none leaves that out"),
        ("--tiles", [12, 100], "how many tiles to click on; none leaves the browser out"),
    ):
        parser.add_argument(name, type=int, nargs="*", default=numbers, metavar="N", help=what)
    report.add_option(parser)
    return parser


def _print_starts() -> None:
    print(f"\nStart of app.py to serving, {STARTS} times:")
    print_row(["median s", "worst s"])
    starts = []
    for _ in range(STARTS):
        with starting() as app:
            starts.append(app.start)
    print_row([Figure(statistics.median(starts), aim=START_SECONDS), Figure(max(starts))])


def _print_outlines(photos: Sequence[Path]) -> Table:
    print("\nAn image's mask along its edges, median milliseconds of a core:")
    prepared: list[float] = []
    drawn: list[float] = []
    for photo in read_set(photos, Framing(SIDE)).photos:
        noise = np.random.default_rng(len(drawn)).normal(size=(64, 64)).astype(np.float32)
        margins = np.clip(6 * gaussian_filter(noise, 4), -0.9, 0.9)
        scale = _MASK_SIDE / max(photo.height, photo.width)
        size = round(scale * photo.height), round(scale * photo.width)
        times = [time.process_time()]
        for _ in range(2):  # The first one prepares the photo.
            PhotoEdges.of(photo).mask(margins, size)
            times.append(time.process_time())
        first, second = np.diff(times)
        prepared.append(1000 * (first - second))
        drawn.append(1000 * second)
    row = [
        len(drawn),
        Figure(statistics.median(prepared), 0, PREPARED_MS),
        Figure(statistics.median(drawn), 0, DRAWN_MS),
    ]
    return printed(["images", "once ms", "drawn ms"], [row])


def _print_analyses(photos: Sequence[Path], counts: Sequence[int]) -> Table:
    print("\nAnalysis from the start of a new process, in seconds:")
    return printed(
        ["images", "load", "read", "features", "cut", "colours", "ready", "cpu time", "peak GB"],
        (_analysis_row(photos[:count]) for count in counts),
    )


def _analysis_row(photos: Sequence[Path]) -> list[object]:
    count = len(photos)
    repeats = _REPEATS if count <= _FEW_IMAGES else 1
    costs = [analyze_in_new_process(photos) for _ in range(repeats)]

    def median(name: str, aim: float | None = None) -> Figure:
        return Figure(statistics.median(getattr(cost, name) for cost in costs), 2, aim)

    return [
        count,
        median("load"),
        median("read"),
        median("features"),
        median("cut"),
        median("colors", COLORS_SECONDS),
        median("ready", READY_SECONDS.get(count)),
        median("cpu"),
        Figure(max(cost.peak for cost in costs), 2, PEAK_GB.get(count)),
    ]


def _print_pages(photos: Sequence[Path], counts: Sequence[int]) -> Table:
    print("\n20 clicks in headless Chromium, from the mouse's release to the painted masks, and")
    print("until the edges of the tiles on the screen are there too:")
    # fmt: off
    columns = [
        "tiles", "ready s", "masks ms", "worst", "edges ms", "worst", "up kB", "worst", "down kB",
        "worst", "JS heap MB", "server GB",
    ]
    # fmt: on
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        table = printed(
            columns, (_page_row(count, measure_page(browser, photos[:count])) for count in counts)
        )
        browser.close()
    return table


def _page_row(count: int, cost: PageCost) -> list[object]:
    painted = [1000 * click.painted for click in cost.clicks]
    settled = [1000 * click.settled for click in cost.clicks]
    up = [click.up / 1000 for click in cost.clicks]
    down = [click.down / 1000 for click in cost.clicks]
    return [
        count,
        Figure(cost.ready),
        Figure(statistics.median(painted), 0, PAINTED_MS.get(count)),
        Figure(max(painted), 0),
        Figure(statistics.median(settled), 0),
        Figure(max(settled), 0),
        Figure(statistics.median(up)),
        Figure(max(up)),
        Figure(statistics.median(down)),
        Figure(max(down), aim=DOWN_KB),
        Figure(cost.heap / 1e6),
        Figure(cost.server, 2),
    ]


if __name__ == "__main__":
    main()
