"""What comes out of the page, in a real browser, with analyses that take no time."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from pointprompt.ui.launch import launch
from tests.e2e.browser import Page, new_context
from tests.e2e.tiny_server import grey_colors, tiny_service
from tests.formats.made import iou, opened
from tests.server.test_service import RED, is_color, photo

# Where the red square is, of the upright picture.
ON_RED = (0.12, 0.12)
# Stored lying on its left side, as phones store what they took upright.
TURNED = 6


@pytest.fixture
def page(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setattr("pointprompt.analysis.compute.tsne_colors", grey_colors)
    demo = launch(tiny_service(tmp_path / "sessions"), quiet=True)
    context = new_context(browser)
    page = Page(context.new_page(), demo.local_url)
    page.open()
    yield page
    context.close()
    demo.close()


@pytest.fixture
def upright(tmp_path: Path) -> list[Path]:
    return [photo(tmp_path / f"{name}.png", (0, 0), (3, row)) for row, name in enumerate("ab")]


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    """A photo that is 96 wide and 128 high when it is upright, and is stored turned."""
    path = photo(tmp_path / "phone.png", (0, 0), (2, 3))
    exif = Image.Exif()
    exif[0x0112] = TURNED
    stored = Image.open(path).crop((0, 0, 96, 128)).transpose(Image.Transpose.ROTATE_90)
    stored.save(path, exif=exif)
    return path


def clicked(page: Page, paths: list[Path]) -> None:
    """The red square is masked in all images."""
    page.analyze_files(paths)
    page.use_tutorial()
    page.set_slider("n_eigvecs", 3)
    page.set_slider("threshold", 0.3)
    page.click(0, *ON_RED)
    page.wait_for_masks()


def downloaded(page: Page) -> dict[str, bytes]:
    with page.tab.expect_download() as download:
        page.action("export").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_masks_are_upright_or_as_the_photo_is_stored(
    page: Page, upright: list[Path], turned: Path
) -> None:
    clicked(page, [*upright, turned])
    seen = opened(downloaded(page)["masks/phone.png"])
    assert seen.shape == (128, 96)
    # As far as tokens can tell the square from what is around it.
    assert iou(seen > 0, is_color(turned, RED)) > 0.7

    page.tab.get_by_role("button", name="What to download").click()
    page.tab.get_by_label("As stored, not turned upright").check()
    expect(page.tab.locator(".pp-formats")).to_contain_text("own size, as stored.")
    page.tab.keyboard.press("Escape")
    files = downloaded(page)
    assert Image.open(turned).size == (128, 96)
    assert np.array_equal(opened(files["masks/phone.png"]), np.rot90(seen))
    assert opened(files["overlays/phone.jpg"]).shape == (96, 128, 3)
    assert json.loads(files["prompt.json"])["orientation"] == "stored"

    # It is remembered; of photos that nobody turned it is not asked.
    page.tab.reload()
    page.wait_for_tiles()
    box = page.tab.locator("[data-stored] input")
    expect(box).to_be_checked()
    page.action("clear").click()
    page.analyze_files(upright)
    page.tab.get_by_role("button", name="What to download").click()
    expect(page.tab.locator("[data-stored]")).to_be_hidden()
    expect(page.tab.locator(".pp-formats")).to_contain_text("own size, turned upright.")
    page.tab.keyboard.press("Escape")
    page.click(0, *ON_RED)
    page.wait_for_masks()
    assert json.loads(downloaded(page)["prompt.json"])["orientation"] == "upright"
    assert page.problems == []
