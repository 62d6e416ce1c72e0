"""Make the pictures that the project shows: thumbnails of the examples, the README's screenshot.

    python assets/make.py thumbnails
    python assets/make.py screenshot

Run it again when the examples or the page change, and look at what it made.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from pointprompt.sources.examples import example_sets

ROOT = Path(__file__).parent.parent
THUMBNAILS = ROOT / "pointprompt" / "ui" / "static" / "examples"
THUMBNAIL_SIZE = (180, 180)
GAP = 4
SCREENSHOT = ROOT / "assets" / "screenshot.png"


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


def make_screenshot() -> None:
    """The page with one example set, a few clicks and their masks."""
    sys.path.insert(0, str(ROOT))
    from playwright.sync_api import sync_playwright

    from pointprompt.server.service import Service
    from pointprompt.server.sessions import SessionStore
    from pointprompt.sources.photos import Limits
    from pointprompt.ui.launch import launch
    from tests.e2e.browser import Page, launch_chromium

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        demo = launch(Service(SessionStore(root), Limits()), quiet=True)
        browser = launch_chromium(playwright)
        tab = browser.new_page(viewport={"width": 1280, "height": 820})
        page = Page(tab, demo.local_url)
        page.open()
        page.analyze_example("cat-or-not")
        page.click(0, 0.5, 0.5)
        page.wait_for_masks()
        page.wait_for_edges()
        tab.screenshot(path=SCREENSHOT)
        browser.close()
        demo.close()


if __name__ == "__main__":
    {"thumbnails": make_thumbnails, "screenshot": make_screenshot}[sys.argv[1]]()
