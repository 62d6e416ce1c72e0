"""Requests that are lost, a server that goes away and comes back: nothing is lost for good."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Route, expect

from pointprompt.server.service import Service
from pointprompt.ui.launch import launch
from tests.e2e.browser import CLICKS, Page, new_context
from tests.e2e.tiny_server import grey_colors, tiny_service
from tests.server.test_service import photo

# Where the photos have their red and their blue square.
RED, BLUE = (0.12, 0.12), (0.88, 0.62)
REQUESTS = "**/component_server/**"
AWAY = "The server does not answer. Trying again; your clicks are kept."


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three photos with a red and a blue square."""
    folder = tmp_path_factory.mktemp("pictures")
    return [photo(folder / f"{name}.png", (0, 0), (3, 2), 256) for name in ("one", "two", "three")]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pointprompt.analysis.compute.tsne_colors", grey_colors)
        yield tiny_service(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def tiny_url(tiny: Service) -> Iterator[str]:
    demo = launch(tiny, quiet=True)
    yield demo.local_url
    demo.close()


@pytest.fixture
def page(browser: Browser, tiny_url: str, pictures: list[Path]) -> Iterator[Page]:
    """A page with the three photos, one click and its masks."""
    context = new_context(browser)
    page = Page(context.new_page(), tiny_url)
    page.open()
    page.analyze_files(pictures)
    page.click(0, *RED)
    page.wait_for_edges()
    yield page
    context.close()


def notice(page: Page):
    return page.tab.locator(".pp-notice")


def count_clicks(page: Page) -> int:
    """The clicks that are drawn, as every tile tells a screen reader."""
    labels = page.tab.locator(".pp-tile .pp-overlay").evaluate_all(
        "(all) => all.map((overlay) => overlay.getAttribute('aria-label'))"
    )
    return sum(int(label.split(". ")[-2].split()[0]) for label in labels)


def downloaded(page: Page, press: Callable[[], object]) -> zipfile.ZipFile:
    with page.tab.expect_download() as download:
        press()
    return zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))


def clicks_in(archive: zipfile.ZipFile) -> int:
    name = next(name for name in archive.namelist() if name.endswith("prompt.json"))
    return len(json.loads(archive.read(name))["things"][0]["clicks"])


def share_in(archive: zipfile.ZipFile, stem: str) -> float:
    """How much of an image its mask covers, in percent."""
    name = next(n for n in archive.namelist() if "mask" in n and stem in n and n.endswith(".png"))
    return 100 * float((np.array(Image.open(io.BytesIO(archive.read(name)))) > 0).mean())


def share_on_screen(page: Page, index: int) -> float:
    return float(page.tab.locator(".pp-share").nth(index).inner_text().split("%")[0])


def lose(route: Route) -> None:
    route.abort("connectionfailed")


def refuse(route: Route) -> None:
    route.fulfill(status=502, body="Bad gateway")


def break_off(route: Route) -> None:
    route.fulfill(status=200, body='{"se', content_type="application/json")


@pytest.mark.parametrize("fault", [lose, refuse, break_off])
def test_one_lost_request_is_sent_again_without_a_word(page: Page, fault):
    said = watch_notice(page)
    page.tab.route(REQUESTS, fault, times=1)
    page.click(1, *BLUE)
    page.wait_for_masks()
    assert said() == []
    assert share_on_screen(page, 2) == pytest.approx(12, abs=3)


def watch_notice(page: Page) -> Callable[[], list[str]]:
    """Gives what the notice has said since then."""
    page.tab.evaluate(
        """() => {
            window.said = [];
            const notice = document.querySelector('.pp-notice');
            new MutationObserver(() => {
              if (!notice.hidden) window.said.push(notice.textContent);
            }).observe(notice, { childList: true, attributes: true, characterData: true });
        }"""
    )
    return lambda: page.tab.evaluate("window.said")


@pytest.mark.parametrize("fault", [lose, refuse])
def test_a_server_that_stays_away_is_said_and_asked_until_it_is_back(page: Page, fault):
    page.tab.route(REQUESTS, fault)
    page.click(1, *BLUE)
    expect(notice(page)).to_have_text(AWAY)
    expect(page.tab.locator(".pp-status")).to_have_text("Waiting for the server")
    assert count_clicks(page) == 2
    page.tab.unroute(REQUESTS)
    page.wait_for_masks()
    expect(notice(page)).to_be_hidden()
    expect(page.tab.locator(".pp-status")).to_have_text("Found in 3 of 3")


def test_what_is_downloaded_after_an_outage_is_what_the_screen_shows(page: Page):
    page.tab.context.set_offline(True)
    page.click(1, *BLUE)
    expect(notice(page)).to_have_text(AWAY)
    page.action("export").click()
    expect(page.tab.locator(".pp-status")).to_have_text("The download waits for the server")
    assert page.action("export").is_disabled()

    archive = downloaded(page, lambda: page.tab.context.set_offline(False))
    page.wait_for_edges()
    expect(notice(page)).to_be_hidden()
    assert clicks_in(archive) == count_clicks(page) == 2
    for index, name in enumerate(("one", "two", "three")):
        assert share_in(archive, name) == pytest.approx(share_on_screen(page, index), abs=1)
    expect(page.tab.locator("#pp-status")).to_contain_text("The masks of 2 clicks are in your")
    assert page.action("export").is_enabled()


def test_a_download_pressed_while_nobody_knows_of_the_outage_comes_when_it_is_over(page: Page):
    page.tab.context.set_offline(True)
    page.action("export").click()
    expect(notice(page)).to_have_text(AWAY)
    # gradio has nothing to say that it would say by loading the page again.
    assert page.tab.locator(".toast-body").count() == 0
    archive = downloaded(page, lambda: page.tab.context.set_offline(False))
    assert clicks_in(archive) == 1
    expect(notice(page)).to_be_hidden()
    # The masks are the same, so that the screen keeps its edges.
    page.wait_for_edges()


def test_a_click_while_a_download_waits_is_in_it(page: Page):
    page.tab.route(REQUESTS, lose)
    page.action("export").click()
    expect(notice(page)).to_have_text(AWAY)
    page.click(2, *BLUE)
    archive = downloaded(page, lambda: page.tab.unroute(REQUESTS))
    assert clicks_in(archive) == count_clicks(page) == 2


def test_lost_edges_come_when_the_server_is_back(page: Page):
    page.tab.route(
        REQUESTS,
        lambda route: (lose if '"edges"' in route.request.post_data else Route.continue_)(route),
    )
    page.click(1, *BLUE)
    expect(notice(page)).to_have_text(AWAY)
    page.tab.unroute(REQUESTS)
    page.wait_for_edges()
    expect(notice(page)).to_be_hidden()


def test_a_request_that_hangs_is_said_to_be_awaited(
    page: Page, tiny: Service, monkeypatch: pytest.MonkeyPatch
):
    predict, goes_on = tiny.predict, threading.Event()

    def slow_predict(*message: object) -> dict:
        assert goes_on.wait(120)
        return predict(*message)

    monkeypatch.setattr(tiny, "predict", slow_predict)
    page.click(1, *BLUE)
    expect(page.tab.locator(".pp-status")).to_have_text("Waiting for the server")
    goes_on.set()
    page.wait_for_masks()
    expect(page.tab.locator(".pp-status")).to_have_text("Found in 3 of 3")


def test_photos_that_were_lost_on_their_way_are_fetched_again(page: Page):
    # As when they come onto the screen while there is no network.
    page.tab.context.set_offline(True)
    page.tab.evaluate("""() => {
        const photos = [...document.querySelectorAll('.pp-tile .pp-photo')];
        window.addresses = photos.map((photo) => photo.src);
        photos.forEach((photo) => { photo.src += '?lost'; });
    }""")
    page.tab.wait_for_function(
        """() => [...document.querySelectorAll('.pp-tile .pp-photo')].every(
            (photo) => photo.complete && photo.naturalWidth === 0)"""
    )
    page.tab.context.set_offline(False)
    page.tab.wait_for_function(
        """() => [...document.querySelectorAll('.pp-tile .pp-photo')].every(
            (photo, index) => photo.naturalWidth > 0 && photo.src === addresses[index])"""
    )


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (lambda route: route.fulfill(status=507, body="The disk is full."), "The disk is full."),
        (lambda route: route.fulfill(status=500, body="Internal"), "The server could not take"),
        (lose, "The server could not be reached."),
    ],
    ids=["said", "unsaid", "lost"],
)
def test_why_an_upload_failed_is_said_in_words_and_the_next_one_works(
    browser: Browser, tiny_url: str, pictures: list[Path], fault, text
):
    with new_context(browser) as context:
        page = Page(context.new_page(), tiny_url)
        page.open()
        page.tab.route("**/upload?**", fault, times=1)
        files = [str(picture) for picture in pictures]
        page.tab.set_input_files("#pp-files input[type=file]", files)
        toast = page.tab.get_by_test_id("toast-text")
        expect(toast).to_contain_text(text)
        # The page's words take the place of gradio's.
        expect(toast).not_to_contain_text("HTTP")
        page.analyze_files(pictures)
        assert page.tile_count == 3


def test_after_a_reload_the_clicks_their_history_and_the_view_are_as_they_were(page: Page):
    page.click(1, *BLUE)
    page.wait_for_masks()
    page.action("undo").click()
    page.wait_for_masks()
    page.tab.get_by_role("radio", name="Colours").click()
    page.tab.get_by_role("radio", name="Best first").click()
    page.tab.locator("[data-tile-size]").fill("300")
    page.tab.locator("[data-display=opacity]").fill("0.2")
    page.tab.reload()
    page.wait_for_tiles()
    assert page.tab.locator("[data-tile-size]").input_value() == "300"
    assert page.tab.locator("[data-display=opacity]").input_value() == "0.2"
    for name in ("Colours", "Best first"):
        assert page.tab.get_by_role("radio", name=name).get_attribute("aria-checked") == "true"
    assert count_clicks(page) == 1
    page.action("redo").click()
    page.wait_for_masks()
    assert count_clicks(page) == 2
    for _ in range(2):
        page.action("undo").click()
    page.wait_for_masks()
    assert count_clicks(page) == 0
    expect(notice(page)).to_be_hidden()


def test_a_reload_that_finds_no_session_says_so_and_the_clicks_fit_the_next_analysis(
    page: Page, tiny: Service, pictures: list[Path]
):
    page.click(1, *BLUE)
    page.wait_for_edges()
    before = share_on_screen(page, 2)
    for token in list(tiny.store._sessions):
        tiny.store.drop(token)
    page.tab.reload()
    expect(notice(page)).to_have_text(
        "This analysis is no longer in the server's memory. Your 2 clicks are kept. To go on, "
        "choose the same 3 images again (one.png, two.png, three.png) and analyse."
    )
    # In another order they are the same images.
    page.analyze_files([pictures[2], pictures[0], pictures[1]])
    expect(notice(page)).to_be_hidden()
    page.wait_for_edges()
    assert count_clicks(page) == 2
    labels = [page.overlay(index).get_attribute("aria-label") or "" for index in range(3)]
    assert [" 1 click." in label for label in labels] == [False, True, True]
    assert share_on_screen(page, 0) == pytest.approx(before, abs=2)
    page.action("undo").click()
    page.wait_for_masks()
    assert count_clicks(page) == 1


# A server that is killed


class TinyServer:
    """A server in a process of its own, at one address however often it is started."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, stuck: bool = False) -> None:
        """Start it, or one whose analyses never end."""
        command = [sys.executable, "-m", "tests.e2e.tiny_server", str(self.port), str(self._folder)]
        command += ["stuck"] if stuck else []
        environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(command, env=environment)
        while not self._answers():
            assert self._process.poll() is None, "The server did not start."
            threading.Event().wait(0.1)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        try:
            return urlopen(self.url, timeout=10).status == 200
        except (URLError, OSError):
            return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TinyServer]:
    server = TinyServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def open_page(browser: Browser, server: TinyServer) -> Iterator[Page]:
    context = new_context(browser)
    page = Page(context.new_page(), server.url)
    page.open()
    yield page
    context.close()


def click_in(page: Page, pictures: Sequence[Path]) -> None:
    """Analyse the three photos, and click once."""
    page.analyze_files(pictures)
    page.click(0, *RED)
    page.wait_for_masks()


def expect_lost_connection(page: Page) -> None:
    """What gradio says when it could not send an event."""
    expect(page.tab.locator(".toast-body")).to_contain_text("Connection to the server was lost")


def restarted(clicks: str) -> str:
    return (
        f"The server was restarted. {clicks} To go on, choose the same 3 images again (one.png, "
        "two.png, three.png) and analyse."
    )


def analyze_again(page: Page, pictures: Sequence[Path], clicks: int) -> None:
    page.analyze_files(pictures)
    page.wait_for_edges()
    assert count_clicks(page) == clicks
    expect(notice(page)).to_be_hidden()
    assert page.mask(2).any()


def test_a_restart_is_said_and_the_clicks_fit_the_images_when_they_are_analysed_again(
    open_page: Page, server: TinyServer, pictures: list[Path]
):
    page = open_page
    click_in(page, pictures)
    server.kill()
    page.click(1, *BLUE)
    expect(notice(page)).to_have_text(AWAY)
    server.start()
    expect(notice(page)).to_have_text(restarted("Your 2 clicks are kept."), timeout=60_000)
    analyze_again(page, pictures, 2)
    archive = downloaded(page, lambda: page.action("export").click())
    assert clicks_in(archive) == 2


def test_analyse_while_the_server_is_down_is_said_and_works_after(
    open_page: Page, server: TinyServer, pictures: list[Path]
):
    page = open_page
    click_in(page, pictures)
    page.unfold()
    server.kill()
    page.tab.click("#pp-analyze")
    expect_lost_connection(page)
    server.start()
    expect(notice(page)).to_have_text(restarted("Your click is kept."), timeout=60_000)
    analyze_again(page, pictures, 1)


def test_an_analysis_that_was_cut_off_by_a_restart_is_said_and_loses_no_click(
    open_page: Page, server: TinyServer, pictures: list[Path]
):
    page = open_page
    click_in(page, pictures)
    server.kill()
    server.start(stuck=True)
    page.tab.reload()
    expect(notice(page)).to_have_text(restarted("Your click is kept."), timeout=60_000)
    page.choose_files(pictures)
    page.tab.click("#pp-analyze")
    expect(page.tab.locator("#pp-status")).to_contain_text("Computing features", timeout=60_000)
    server.kill()
    expect_lost_connection(page)
    server.start()
    page.tab.wait_for_event("load", timeout=60_000)
    expect(notice(page)).to_have_text(restarted("Your click is kept."), timeout=60_000)
    analyze_again(page, pictures, 1)


def test_analyse_of_a_first_set_while_the_server_is_down_is_said_after_it_is_back(
    open_page: Page, server: TinyServer, pictures: list[Path]
):
    page = open_page
    page.choose_files(pictures)
    server.kill()
    page.tab.click("#pp-analyze")
    expect_lost_connection(page)
    server.start()
    expect(notice(page)).to_contain_text("what was under way: start it again", timeout=60_000)
    page.analyze_files(pictures)
    expect(notice(page)).to_be_hidden()


def test_with_300_ms_of_delay_masks_are_there_at_once_and_nothing_is_lost(page: Page):
    devtools = page.tab.context.new_cdp_session(page.tab)
    devtools.send("Network.enable")
    devtools.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 300, "downloadThroughput": -1, "uploadThroughput": -1},
    )
    # What was on the screen while the server's answer was still to come.
    page.tab.evaluate("""() => {
        window.early = [];
        const root = document.querySelector('.pp-workspace');
        new MutationObserver(() => {
            const { asked, live, shown } = root.dataset;
            if (live === asked && shown !== asked) window.early.push(asked);
        }).observe(root, { attributeFilter: ['data-live', 'data-asked', 'data-shown'] });
    }""")
    for index, place in enumerate([BLUE, (0.5, 0.95), (0.1, 0.9)]):
        before = page.tab.evaluate("early.length")
        page.click(index, *place, positive=index == 0)
        page.tab.wait_for_function("(before) => early.length > before", arg=before)
    page.set_slider("threshold", 0.45)
    page.wait_for_masks()
    page.wait_for_edges()
    assert count_clicks(page) == 4
    assert page.tab.evaluate(f"{CLICKS}.length") == 4
    expect(notice(page)).to_be_hidden()
    with page.tab.expect_download() as waiting:
        page.action("export").click()
    archive = zipfile.ZipFile(waiting.value.path())
    assert len(json.loads(archive.read("prompt.json"))["things"][0]["clicks"]) == 4
