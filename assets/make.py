"""Make the pictures that the project shows: thumbnails of the examples, the README's animation.

    python assets/make.py thumbnails
    python assets/make.py animation

Run it again when the examples or the page change, and look at what it made.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from pointprompt.sources.examples import example_sets

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect

    from tests.e2e.browser import Page

ROOT = Path(__file__).parent.parent
THUMBNAILS = ROOT / "pointprompt" / "ui" / "static" / "examples"
THUMBNAIL_SIZE = (180, 180)
GAP = 4
ANIMATION = ROOT / "assets" / "animation.webp"
# Of the page, in CSS pixels.
_FRAME: FloatRect = {"x": 0, "y": 0, "width": 1180, "height": 640}


def make_thumbnails() -> None:
    """The first two images of each example set, small and side by side."""
    THUMBNAILS.mkdir(exist_ok=True)
    width, height = THUMBNAIL_SIZE
    for example in example_sets():
        thumbnail = Image.new("RGB", (2 * width + GAP, height), "white")
        for place, image in enumerate(example.images[:2]):
            small = ImageOps.fit(
                Image.fromarray(image.load()), THUMBNAIL_SIZE, Image.Resampling.LANCZOS
            )
            thumbnail.paste(small, (place * (width + GAP), 0))
        thumbnail.save(THUMBNAILS / f"{example.key}.jpg", quality=84, optimize=True)


# The pointer, which a browser without a screen does not draw.
_POINTER = """() => {
    const pointer = document.createElement('div');
    pointer.innerHTML = `<svg width="26" height="26" viewBox="0 0 26 26"><path fill="white"
        d="M3 2v18l5-4 3 7 4-2-3-7h7z" stroke="black" stroke-width="1.6"/></svg>`;
    pointer.style.cssText = 'position:fixed;left:0;top:0;z-index:99;pointer-events:none';
    document.body.append(pointer);
    document.addEventListener('pointermove', ({clientX, clientY}) => {
        pointer.style.transform = `translate(${clientX - 3}px, ${clientY - 2}px)`;
    }, {capture: true});
}"""


class _Film:
    """Pictures of a page, each shown for a while."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []
        self._at = (900.0, 600.0)

    def move(self, tile: int, x: float, y: float, steps: int = 6) -> None:
        """Move the pointer there, with a picture of every step."""
        box = self.page.overlay(tile).bounding_box()
        if box is None:
            raise RuntimeError(f"Tile {tile} is not on the page.")
        start, to = self._at, (box["x"] + x * box["width"], box["y"] + y * box["height"])
        for step in range(1, steps + 1):
            share = step / steps
            self.page.tab.mouse.move(*(a + share * (b - a) for a, b in zip(start, to, strict=True)))
            self.wait(120)
            self.shoot(110)
        self._at = to

    def wait(self, milliseconds: int) -> None:
        """Let what comes be painted."""
        self.page.tab.wait_for_timeout(milliseconds)

    def shoot(self, duration: int) -> None:
        """Add a picture that is shown for so many milliseconds."""
        shown = Image.open(io.BytesIO(self.page.tab.screenshot(clip=_FRAME)))
        self.frames.append(shown.convert("RGB"))
        self.durations.append(duration)

    def save(self, path: Path) -> None:
        """Write all of it."""
        first, *others = self.frames
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self.durations,
            loop=0,
            quality=72,
            method=6,
        )


def make_animation() -> None:
    """One example: the preview follows the pointer, a part and more, a click, all images."""
    sys.path.insert(0, str(ROOT))
    from playwright.sync_api import sync_playwright

    from pointprompt.server.service import Service
    from pointprompt.server.sessions import SessionStore
    from pointprompt.sources.photos import Limits
    from pointprompt.ui.launch import launch
    from tests.e2e.browser import Page, launch_chromium

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = launch(Service(SessionStore(Path(folder)), Limits()), quiet=True)
        browser = launch_chromium(playwright)
        tab = browser.new_page(viewport={"width": 1180, "height": 900})
        page = Page(tab, demo.local_url)
        page.open()
        page.analyze_example("cat-or-not")
        tab.locator("[data-tile-size]").fill("230")
        # The words of what was done fade by themselves.
        tab.wait_for_function(
            "getComputedStyle(document.querySelector('#pp-progress')).opacity < 0.1"
        )
        tab.evaluate(_POINTER)
        film = _Film(page)
        film.move(0, 0.9, 0.85, steps=1)
        film.shoot(500)
        film.move(0, 0.62, 0.62)
        film.move(0, 0.5, 0.35)
        film.shoot(900)
        for key, duration in (("[", 1100), ("]", 500), ("]", 1300)):
            tab.keyboard.press(key)
            film.wait(350)
            film.shoot(duration)
        tab.mouse.down()
        tab.mouse.up()
        page.wait_for_edges()
        film.wait(300)
        film.shoot(1600)
        film.move(2, 0.55, 0.9)
        film.shoot(400)
        film.move(1, 0.2, 0.9)
        film.shoot(1800)
        film.save(ANIMATION)
        browser.close()
        demo.close()


if __name__ == "__main__":
    {"thumbnails": make_thumbnails, "animation": make_animation}[sys.argv[1]]()
