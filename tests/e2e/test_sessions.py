"""Several visitors, slow servers, lost sessions: nothing is mixed up and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pointprompt.server.service import Service
from tests.e2e.browser import CLICKS, Page
from tests.e2e.test_main_job import BALL, TABLE, is_masked


class Gate:
    """Holds back the server's answers until it is opened, and counts the questions."""

    def __init__(self, service: Service) -> None:
        self._predict = service.predict
        self._open = threading.Event()
        self._open.set()
        self.messages: list[dict] = []

    def predict(self, message: dict, visitor: str) -> dict:
        self.messages.append(message)
        self._open.wait()
        return self._predict(message, visitor)

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(service)
    monkeypatch.setattr(service, "predict", gate.predict)
    yield gate
    gate.open()


def test_two_visitors_never_see_each_others_images_clicks_or_masks(new_page, photos: list[Path]):
    mine, theirs = new_page(), new_page()
    mine.analyze_files(photos[:2])
    theirs.analyze_example("cat")
    assert mine.tile_count == 2
    assert theirs.tile_count == 6
    mine.click(0, *BALL[0])
    mine.wait_for_masks()
    assert mine.mask(1).any()
    assert not any(theirs.mask(i).any() for i in range(6))
    theirs.click(0, 0.5, 0.5)
    theirs.wait_for_masks()
    before = mine.mask(1)
    theirs.action("clear").click()
    theirs.wait_for_masks()
    assert (mine.mask(1) == before).all()


def test_five_quick_clicks_on_a_slow_server_end_with_all_five(
    page: Page, photos: list[Path], gate: Gate
):
    page.analyze_files(photos)
    page.use_tutorial()  # By which every click is found in all images, whatever was clicked first.
    gate.messages.clear()
    gate.close()
    places = [(0.2, 0.2), (0.4, 0.2), (0.6, 0.2), (0.8, 0.2), BALL[0]]
    for place in places:
        page.click(0, *place)
    page.tab.wait_for_function(f"{CLICKS}.length === 5")
    gate.open()
    page.wait_for_masks()
    assert len(gate.messages[-1]["clicks"]) == 5
    assert len(gate.messages) < 5
    assert is_masked(page, 1, BALL[1])


def test_dragging_a_slider_ends_at_its_last_value_and_is_one_step_of_undo(
    page: Page, photos: list[Path], gate: Gate
):
    page.analyze_files(photos)
    page.click(0, *BALL[0])
    page.wait_for_masks()
    page.open_settings()
    slider = page.tab.locator("[data-setting=threshold]")
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.tab.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.tab.mouse.down()
    for step in range(20):
        page.tab.mouse.move(box["x"] + box["width"] * (0.5 - 0.02 * step), y)
    page.tab.mouse.up()
    page.wait_for_masks()
    value = page.slider("threshold")
    assert value < 0.2
    assert gate.messages[-1]["settings"]["rule"]["threshold"] == pytest.approx(value)
    page.action("undo").click()
    page.wait_for_masks()
    assert page.slider("threshold") == 0.5
    assert gate.messages[-1]["settings"]["rule"]["threshold"] == 0.5
    assert len(gate.messages[-1]["clicks"]) == 1


def test_a_session_that_was_freed_says_so_and_the_clicks_fit_the_next_analysis(
    page: Page, photos: list[Path], service: Service
):
    page.analyze_files(photos)
    page.click(0, *BALL[0])
    page.wait_for_masks()
    service.store.drop(page.session(service.store).token)
    page.click(0, *TABLE[0], positive=False)
    notice = page.tab.locator(".pp-notice")
    expect(notice).to_contain_text("no longer in the server's memory")
    page.unfold()
    page.tab.click("#pp-analyze")
    expect(notice).to_be_hidden(timeout=120_000)
    page.wait_for_masks()
    assert is_masked(page, 1, BALL[1])
    assert page.action("clear").is_enabled()


def test_a_reload_finds_the_session_and_the_clicks_again(page: Page, photos: list[Path]):
    page.analyze_files(photos)
    page.click(0, *BALL[0])
    page.wait_for_masks()
    before = page.mask(1)
    page.tab.reload()
    page.wait_for_tiles()
    assert (page.mask(1) == before).all()


def test_images_that_join_the_set_leave_masks_clicks_and_undo_as_they_were(
    page: Page, photos: list[Path]
):
    page.analyze_files(photos[:2])
    # One at which all of them stand in one row, so that one more makes no tile another one.
    page.tab.locator("[data-tile-size]").fill("150")
    page.click(0, *BALL[0])
    page.wait_for_masks()
    page.click(0, *TABLE[0], positive=False)
    page.wait_for_masks()
    before = page.mask(1)
    page.choose_files(photos[1:])
    page.tab.click("#pp-add")
    page.tab.wait_for_selector(".pp-tile >> nth=2", timeout=120_000)
    page.wait_for_masks()
    # Two were chosen, and one of them was in the set already.
    expect(page.tab.locator("#pp-status")).to_contain_text("1 image added: the set has 3 now")
    assert page.tile_count == 3
    assert (page.mask(1) == before).all()
    assert is_masked(page, 2, BALL[2])
    page.action("undo").click()
    page.action("undo").click()
    page.wait_for_masks()
    assert not page.mask(0).any()
    page.action("redo").click()
    page.wait_for_masks()
    assert is_masked(page, 2, BALL[2])


def test_a_removed_image_takes_its_clicks_along_and_leaves_the_others_as_they_were(
    page: Page, photos: list[Path]
):
    page.analyze_files(photos)
    page.tab.locator("[data-tile-size]").fill("150")
    page.click(0, *BALL[0])
    page.click(1, *TABLE[1], positive=False)
    page.wait_for_masks()
    page.tab.locator(".pp-enlarge").nth(1).click()
    page.tab.locator("[data-stage=remove]").click()
    ask = page.tab.get_by_role("dialog", name="Is that meant?")
    expect(ask).to_contain_text("1 click on this image would go with it.")
    ask.get_by_role("button", name="Remove the image").click()
    page.tab.wait_for_function("document.querySelectorAll('.pp-tile').length === 2")
    expect(page.tab.locator("#pp-status")).to_contain_text("Removed: the set has 2 images now.")
    page.wait_for_masks()
    assert len(page.tab.evaluate(CLICKS)) == 1
    assert is_masked(page, 0, BALL[0])
    assert is_masked(page, 1, BALL[2])
    page.action("undo").click()
    page.action("undo").click()
    page.wait_for_masks()
    assert not page.mask(0).any()


def test_before_there_is_a_set_nothing_can_be_added_to_it(page: Page, photos: list[Path]):
    page.choose_files(photos[:1])
    expect(page.tab.locator("#pp-analyze")).to_be_visible()
    expect(page.tab.locator("#pp-add")).to_have_count(0)


def test_closing_the_page_lets_its_session_go(new_page, photos: list[Path], service: Service):
    page = new_page()
    page.analyze_files(photos)
    session = page.session(service.store)
    closed = threading.Event()
    close_page = service.store.close_page

    def note_closing(name: str) -> None:
        close_page(name)
        if name in session.pages:
            closed.set()

    service.store.close_page = note_closing  # type: ignore[method-assign]
    try:
        page.tab.close()
        assert closed.wait(60)
    finally:
        service.store.close_page = close_page  # type: ignore[method-assign]
    assert session.closed_at is not None


def test_an_analysis_can_be_cancelled_and_run_again(
    page: Page, photos: list[Path], service: Service, monkeypatch: pytest.MonkeyPatch
):
    started = threading.Event()
    analyze = service.analyze

    def slow(fetch, choice, page_id, progress, visitor, **options):
        def slow_progress(step):
            started.set()
            progress(step)
            if step.stage == "features":
                # As slow as it takes for the cancellation to come.
                while True:
                    progress(step)
                    threading.Event().wait(0.05)

        return analyze(fetch, choice, page_id, slow_progress, visitor, **options)

    monkeypatch.setattr(service, "analyze", slow)
    page.choose_files(photos)
    page.tab.click("#pp-analyze")
    assert started.wait(60)
    page.tab.get_by_role("button", name="Cancel").click()
    expect(page.tab.locator("#pp-status")).to_contain_text("Cancelled", timeout=60_000)
    monkeypatch.setattr(service, "analyze", analyze)
    page.tab.click("#pp-analyze")
    page.wait_for_tiles()
    # The cancelled work winds down by itself.
    deadline = time.monotonic() + 60
    while _folders_of_nobody(service) and time.monotonic() < deadline:
        page.next_frame()
    assert _folders_of_nobody(service) == set()


def _folders_of_nobody(service: Service) -> set[Path]:
    """Folders that belong to no session."""
    sessions = list(service.store._sessions.values())
    return set(service.store.root.iterdir()) - {session.folder for session in sessions}


def test_a_dataset_that_cannot_be_reached_says_so_and_loses_nothing(
    page: Page, photos: list[Path], monkeypatch: pytest.MonkeyPatch
):
    from pointprompt.sources.hub import fetch

    def unreachable(*_: object, **__: object) -> list[Path]:
        raise fetch.DatasetError("The Hugging Face Hub cannot be reached.")

    monkeypatch.setattr("pointprompt.ui.choices.fetch_dataset", unreachable)
    page.analyze_files(photos)
    page.click(0, *BALL[0])
    page.wait_for_masks()
    page.unfold()
    page.tab.get_by_role("button", name="From a Hugging Face dataset").click()
    page.tab.click("#pp-load-dataset")
    # The clicks on the set that is open are not given up for nothing.
    page.tab.get_by_role("button", name="Open the new set").click()
    failure = page.tab.locator(".pp-failed")
    expect(failure).to_contain_text("cannot be reached", timeout=60_000)
    assert page.tile_count == len(photos)
    assert is_masked(page, 1, BALL[1])
