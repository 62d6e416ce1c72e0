"""What comes out of the page, in a real browser, with analyses that take no time."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from pointprompt.ui.launch import launch
from tests.e2e.browser import Page, new_context
from tests.e2e.tiny_server import grey_colors, tiny_service
from tests.fake_hub import FakeHub, hub
from tests.fake_hub_writing import held
from tests.formats.made import iou, opened
from tests.server.test_service import RED, is_color, photo

__all__ = ["hub"]

TOKEN = "hf_" + "t0ken" * 6
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


def push(page: Page, name: str, token: str) -> None:
    page.tab.get_by_role("button", name="What to download").click()
    if page.tab.locator(".pp-push").get_attribute("open") is None:
        page.tab.get_by_text("Push to the Hugging Face Hub").click()
    page.tab.get_by_label("Data set", exact=True).fill(name)
    page.tab.get_by_label("Your access token").fill(token)
    page.tab.get_by_role("button", name="Push", exact=True).click()


def test_photos_and_masks_are_pushed_to_the_hub_with_the_visitors_token(
    page: Page, upright: list[Path], hub: FakeHub, tmp_path: Path
) -> None:
    hub.writing.add_user(TOKEN, "me")
    clicked(page, upright)
    masks = [opened(downloaded(page)[f"masks/{path.stem}.png"]) for path in upright]
    status = page.tab.locator("#pp-status")

    push(page, "masks", "")
    expect(page.tab.locator(".pp-push [role=alert]")).to_contain_text("Paste an access token")
    page.tab.keyboard.press("Escape")
    push(page, "masks", "hf_wrong")
    expect(status).to_contain_text("does not know this token")
    push(page, "no/such/name", TOKEN)
    expect(status).to_contain_text("has the form owner/name")
    assert hub.datasets == {}

    push(page, "masks", TOKEN)
    link = status.get_by_role("link", name="me/masks")
    expect(link).to_have_attribute("href", f"{hub.endpoint}/datasets/me/masks")
    assert hub.datasets["me/masks"]["private"] is True
    files = held(hub, "me/masks")
    rows = pq.read_table(io.BytesIO(files["data/train-00000-of-00001.parquet"])).to_pylist()
    for row, path, mask in zip(rows, upright, masks, strict=True):
        assert row["image"]["bytes"] == path.read_bytes()
        assert np.array_equal(opened(row["things"][0]["mask"]["bytes"]), mask)
    assert json.loads(files["prompt.json"])["things"][0]["name"] == "Thing 1"

    # The token is nowhere any more, and the server's own was not asked for.
    expect(page.tab.get_by_label("Your access token")).to_have_value("")
    kept = page.tab.evaluate(
        """() => [document.documentElement.outerHTML, location.href, JSON.stringify(history.state),
                  ...Object.values(sessionStorage), ...Object.values(localStorage)].join()"""
    )
    assert TOKEN not in kept
    on_disk = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not any(TOKEN.encode() in file.read_bytes() for file in on_disk)
    sent = {headers.get("authorization") for headers in hub.headers}
    assert sent <= {f"Bearer {TOKEN}", "Bearer hf_wrong", None}
    # What was on its way there lies nowhere any more; downloads go on as before.
    assert not any(file.suffix == ".parquet" for file in on_disk)
    assert "masks/a.png" in downloaded(page)
    assert page.problems == []


def test_nothing_can_be_pushed_before_something_was_clicked(
    page: Page, upright: list[Path]
) -> None:
    page.analyze_files(upright)
    page.tab.get_by_role("button", name="What to download").click()
    page.tab.get_by_text("Push to the Hugging Face Hub").click()
    expect(page.tab.get_by_role("button", name="Push", exact=True)).to_be_disabled()


def test_what_was_left_in_the_field_of_the_token_is_gone_when_it_is_closed(
    page: Page, upright: list[Path]
) -> None:
    clicked(page, upright)
    page.tab.get_by_role("button", name="What to download").click()
    page.tab.get_by_text("Push to the Hugging Face Hub").click()
    page.tab.get_by_label("Your access token").fill(TOKEN)
    page.tab.keyboard.press("Escape")
    expect(page.tab.get_by_label("Your access token")).to_have_value("")
