"""A video as a set, in a real browser: chosen, thinned out, analysed, clicked and downloaded."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from pointprompt.sources.examples import example_set
from tests.e2e.browser import Page
from tests.e2e.test_accessible import violations
from tests.videos import write_video

FRAMES = 60
# A window of this size moves over the first image of the example "still-life" by so much a frame.
WIDTH, HEIGHT, STEP = 480, 360, 2
# The red ball in that image, and the table, from 0 to 1.
BALL = (0.31, 0.42)
TABLE_ROW = 0.9


def scene() -> np.ndarray:
    """The image that the window moves over, (H, W, 3) uint8."""
    image = Image.fromarray(example_set("still-life").images[0].load())
    return np.array(image.resize((WIDTH + STEP * FRAMES, HEIGHT)))


def ball_in(number: int) -> tuple[float, float]:
    """Where the ball is in a frame, from 0 to 1."""
    width = WIDTH + STEP * FRAMES
    return (BALL[0] * width - STEP * number) / WIDTH, BALL[1]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    picture = scene()
    frames = [picture[:, STEP * n : STEP * n + WIDTH] for n in range(FRAMES)]
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", frames)


def slide_to(page: Page, every: int) -> None:
    page.tab.locator("#pp-every input[type=number]").fill(str(every))
    page.tab.locator("#pp-every input[type=number]").press("Tab")


def test_a_video_is_thinned_out_analysed_clicked_and_downloaded(page: Page, clip: Path):
    slider, button = page.tab.locator("#pp-every"), page.tab.locator("#pp-analyze")
    page.unfold()
    expect(slider).to_be_hidden()
    page.choose_files([clip])
    expect(slider).to_contain_text("20 of 60 frames of clip.mp4: every 3rd")
    expect(button).to_have_text("Analyse 20 frames")
    slider.locator("input[type=range]").focus()
    page.tab.keyboard.press("ArrowRight")
    expect(slider).to_contain_text("15 of 60 frames of clip.mp4: every 4th")
    expect(button).to_have_text("Analyse 15 frames")
    slide_to(page, 12)
    expect(slider).to_contain_text("5 of 60 frames of clip.mp4: every 12th")
    expect(button).to_have_text("Analyse 5 frames")
    assert [broken for broken in violations(page) if "pp-every" in broken] == []
    # It shows its first frame.
    expect(page.tab.locator(".pp-chosen li[data-video] canvas")).to_be_visible()

    with page.another_set():
        button.click()
    page.wait_for_tiles()
    numbers = [0, 12, 24, 36, 48]
    assert page.tab.locator(".pp-name").all_inner_texts() == [f"clip-{n:04d}.jpg" for n in numbers]

    page.click(0, *ball_in(0))
    page.wait_for_masks()
    for index, number in enumerate(numbers):
        mask = page.mask(index)
        x, y = ball_in(number)
        assert mask[int(y * mask.shape[0]), int(x * mask.shape[1])]
        assert not mask[int(TABLE_ROW * mask.shape[0]), int(0.1 * mask.shape[1])]

    with page.tab.expect_download() as waiting:
        page.action("export").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        names = set(archive.namelist())
        document = json.loads(archive.read("prompt.json"))
    assert {f"masks/clip-{n:04d}.png" for n in numbers} <= names
    assert [image["name"] for image in document["images"]] == [f"clip-{n:04d}.jpg" for n in numbers]
    assert page.problems == []


def test_photos_and_a_video_are_one_set_and_more_frames_join_it(
    page: Page, clip: Path, photos: list[Path]
):
    page.choose_files([*photos[:2], clip])
    button = page.tab.locator("#pp-analyze")
    expect(button).to_have_text("Analyse 2 images and 20 frames")
    slide_to(page, 30)
    expect(button).to_have_text("Analyse 2 images and 2 frames")
    with page.another_set():
        button.click()
    page.wait_for_tiles()
    own = [photo.name for photo in photos[:2]]
    names = page.tab.locator(".pp-name")
    assert names.all_inner_texts() == [*own, "clip-0000.jpg", "clip-0030.jpg"]

    page.unfold()
    slide_to(page, 20)
    expect(button).to_have_text("Analyse 2 images and 3 frames")
    with page.another_set():
        page.tab.click("#pp-add")
    page.wait_for_tiles()
    # What was in it already, byte for byte, is not there twice.
    added = ["clip-0020.jpg", "clip-0040.jpg"]
    assert names.all_inner_texts() == [*own, "clip-0000.jpg", "clip-0030.jpg", *added]
    assert page.problems == []


def test_what_is_named_like_a_video_and_lists_files_is_refused_with_a_sentence(
    page: Page, tmp_path: Path
):
    path = tmp_path / "clip.mp4"
    path.write_text("#EXTM3U\n#EXTINF:10,\n/etc/passwd\n")
    page.choose_files([path])
    expect(page.tab.locator("#pp-every")).to_be_hidden()
    expect(page.tab.locator("#pp-analyze")).to_have_text("Analyse 1 file")
    page.tab.click("#pp-analyze")
    failed = page.tab.locator("#pp-status .pp-failed")
    expect(failed).to_contain_text("clip.mp4: The file is not a video in a format that can be read")
