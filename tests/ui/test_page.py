"""What the page's handlers say and do; how it looks and feels is tested in a browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.examples import opening_example
from pointprompt.sources.photos import Limits
from pointprompt.types import Progress, ProgressFn
from pointprompt.ui.page import _Page
from tests.videos import write_sound, write_video

# Seconds, far more than anything here takes; reached only by a test that fails.
PATIENCE = 60


class Gate:
    """Work that is held up in the middle until it is opened, then fails with a sentence."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self, folder: Path, progress: ProgressFn) -> list[Path]:
        progress(Progress("fetch", 0, 1))
        self.reached.set()
        assert self.opened.wait(PATIENCE)
        raise ValueError("There is nothing to fetch.")


@pytest.fixture
def gates() -> Iterator[list[Gate]]:
    gates = [Gate(), Gate()]
    yield gates
    for gate in gates:
        gate.opened.set()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> _Page:
    return _Page(Service(SessionStore(tmp_path_factory.mktemp("sessions")), Limits()))


REQUEST = SimpleNamespace(session_hash="page")
CHOICE = ["efficientnet_lite0", "", "", "", False]


class Follower:
    """Takes what a handler yields, as gradio does, in a thread of its own."""

    def __init__(self, page: _Page, updates: Iterator[dict[Any, Any]]) -> None:
        self.page = page
        self.cancel_shown: list[bool] = []
        self.said: list[str] = []
        self._updates = updates
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        for update in self._updates:
            text, cancel = update.get(self.page.status), update.get(self.page.cancel)
            if isinstance(text, str):
                self.said.append(text)
            if isinstance(cancel, gr.Button):
                self.cancel_shown.append(bool(cancel.visible))

    def ends(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def test_the_end_of_a_job_leaves_status_and_cancel_to_the_job_that_came_after_it(page, gates):
    """A4: the first of two analyses hid the Cancel button of the second."""
    first = Follower(page, page._analyze(REQUEST, gates[0], CHOICE))
    assert gates[0].reached.wait(PATIENCE)
    second = Follower(page, page._analyze(REQUEST, gates[1], CHOICE))
    assert gates[1].reached.wait(PATIENCE)
    first.ends()
    assert first.cancel_shown == [True]
    assert not any("Cancelled" in text for text in first.said)
    gates[1].opened.set()
    second.ends()
    assert second.cancel_shown == [True, False]
    assert "There is nothing to fetch." in second.said[-1]


def test_cancel_is_said_at_once_though_the_work_is_in_the_middle_of_a_step(page, gates):
    follower = Follower(page, page._analyze(REQUEST, gates[0], CHOICE))
    assert gates[0].reached.wait(PATIENCE)
    page._cancel(REQUEST)
    follower.ends()
    assert not gates[0].opened.is_set()
    assert "Cancelled. Your images are still here." in follower.said[-1]
    assert follower.cancel_shown == [True, False]


def test_a_page_that_is_closed_ends_its_job(page, gates):
    follower = Follower(page, page._analyze(REQUEST, gates[0], CHOICE))
    assert gates[0].reached.wait(PATIENCE)
    page._unload(REQUEST)
    follower.ends()


@pytest.mark.parametrize("name", [None, 5, ["efficientnet_lite0"], {}, 1.5, "x" * 1000])
def test_a_backbone_that_is_no_name_is_a_sentence_and_not_a_mistake_of_the_program(
    page, tmp_path, name
):
    def fetch(folder: Path, progress: ProgressFn) -> list[Path]:
        return [tmp_path / "none.png"]

    follower = Follower(page, page._analyze(REQUEST, fetch, [name, "", "", "", False]))
    follower.ends()
    assert "pp-failed" in follower.said[-1]
    assert "is asked for by its name" in follower.said[-1]
    assert len(follower.said[-1]) < 300


@pytest.mark.parametrize(
    "fields",
    [
        (None, "", "", "", 3),
        ("a/b", 5, "", "", 3),
        ("a/b", "", "", [], 3),
        ("a/b", "", "", "", None),
        ("a/b", "", "", "", float("nan")),
        ("a/b", "", "", "", float("inf")),
        ("a/b", "", "", "", "3"),
        ("a/b", "", "", "", 0),
    ],
)
def test_fields_of_a_dataset_that_are_of_no_kind_are_a_sentence_on_the_page(page, fields):
    follower = Follower(page, page._analyze_dataset(REQUEST, *CHOICE, *fields))
    follower.ends()
    assert "pp-failed" in follower.said[-1]
    assert "mistake" not in follower.said[-1]


def test_the_button_that_adds_files_cannot_be_pressed_before_there_are_any(page):
    assert page.upload.add.interactive is False


class Opening(Service):
    """Pages open with an example, which comes when it is let."""

    def __init__(self, folder: Path) -> None:
        super().__init__(SessionStore(folder), Limits(), opening=opening_example())
        self.asked, self.goes_on = threading.Event(), threading.Event()
        self.error: Exception | None = None

    def open_example(self, page: str, progress: ProgressFn, visitor: str = "") -> Any:
        self.asked.set()
        while not self.goes_on.wait(0.01):
            progress(Progress("start", 0, 1))
        progress(Progress("start", 0, 1))
        if self.error:
            raise self.error
        return SimpleNamespace(page=page)

    def manifest(self, session: Any) -> Any:
        return {"page": session.page}


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[_Page]:
    page = _Page(Opening(tmp_path))
    yield page
    page.service.goes_on.set()


def opened(page: _Page) -> dict[Any, Any]:
    """What the page is told in the end, of an example that it asks for."""
    # In a thread: a browser of other tests has a loop of its own in this one.
    with ThreadPoolExecutor() as threads:
        return threads.submit(asyncio.run, page._open_example(REQUEST)).result(PATIENCE)


def is_none(page: _Page, told: dict[Any, Any]) -> bool:
    """Whether the page is told that no example comes, and nothing else."""
    return told == {page.canvas: gr.update(opening=False)}


def test_a_page_is_told_of_the_example_when_it_is_ready(opening):
    opening.service.goes_on.set()
    assert opened(opening) == {opening.canvas: {"page": "page"}}


def test_whatever_a_page_starts_takes_the_examples_place(opening, gates):
    """The example comes late: it must not replace what somebody has started meanwhile."""
    with ThreadPoolExecutor() as threads:
        told = threads.submit(opened, opening)
        assert opening.service.asked.wait(PATIENCE)
        follower = Follower(opening, opening._analyze(REQUEST, gates[0], CHOICE))
        assert is_none(opening, told.result(PATIENCE))
        assert gates[0].reached.wait(PATIENCE)
        # Nor does it come while that goes on.
        opening.service.goes_on.set()
        assert is_none(opening, opened(opening))
        gates[0].opened.set()
        follower.ends()


def test_a_page_that_goes_away_waits_for_no_example(opening):
    with ThreadPoolExecutor() as threads:
        told = threads.submit(opened, opening)
        assert opening.service.asked.wait(PATIENCE)
        opening._unload(REQUEST)
        assert is_none(opening, told.result(PATIENCE))


def test_where_there_is_no_example_after_all_the_choice_of_images_is_shown(opening):
    opening.service.error = LookupError("The example could not be prepared.")
    opening.service.goes_on.set()
    told = opened(opening)
    assert told[opening.canvas]["opening"] is False
    assert told[opening.setup].open is True


def test_the_choice_of_images_is_folded_away_only_where_an_example_is_to_come(page, opening):
    assert page.setup.open is True
    assert opening.setup.open is False
    assert page.canvas.props["opening"] is False
    assert opening.canvas.props["opening"] is True


def test_what_is_chosen_sets_the_slider_and_says_what_will_be_analysed(page, tmp_path):
    clip = write_video(tmp_path / "clip.mp4", 60)
    slider, analyze, add = page._choose_files([str(clip), str(tmp_path / "a.png")])
    assert (slider["visible"], slider["maximum"], slider["value"]) == (True, 30, 3)
    assert (analyze.value, analyze.interactive, add.interactive) == (
        "Analyse 1 image and 20 frames",
        True,
        True,
    )
    slider, analyze, _ = page._choose_every([str(clip)], 12.0)
    # The place stays what the person makes it.
    assert "value" not in slider
    assert slider["info"] == "5 of 60 frames of clip.mp4: every 12th"
    assert analyze.value == "Analyse 5 frames"
    slider, analyze, _ = page._choose_files(None)
    assert slider["visible"] is False
    assert analyze.interactive is False


@pytest.mark.parametrize("every", [None, "3", 0, float("nan"), [], True])
def test_a_crafted_slider_is_a_sentence_on_the_page(page, tmp_path, every):
    clip = write_video(tmp_path / "clip.mp4", 3)
    follower = Follower(page, page._analyze_files(REQUEST, *CHOICE, [str(clip)], every))
    follower.ends()
    assert "must be a number from 1 on." in follower.said[-1]


def test_a_video_that_cannot_be_used_says_why(page, tmp_path):
    song = write_sound(tmp_path / "song.mp4")
    follower = Follower(page, page._analyze_files(REQUEST, *CHOICE, [str(song)], 1.0))
    follower.ends()
    assert "song.mp4: There are no pictures in the file" in follower.said[-1]
