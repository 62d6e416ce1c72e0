"""A first visit: the example that is there already, and the way to one's own images."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from pointprompt.analysis.analysis import Computed
from pointprompt.engines.engine import ThisProcess
from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.codecs.signatures import SUFFIXES
from pointprompt.sources.examples import opening_example
from pointprompt.sources.photos import Limits
from pointprompt.types import BackboneRequest
from pointprompt.ui.launch import launch
from tests.e2e.browser import CLICKS, Page, new_context
from tests.e2e.test_main_job import CAT
from tests.e2e.tiny_server import TinyEngine, grey_colors
from tests.server.test_service import photo
from tests.serving import ROOT

BUILTIN = BackboneRequest("efficientnet_lite0")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# Where each picture is red.
RED = (0.12, 0.12)
EXAMPLE_NAMES = [image.name for image in opening_example().images]

Open = Callable[..., Page]


@dataclass(frozen=True)
class Counting(ThisProcess):
    """Computes here, and counts how often."""

    device: str | None = "cpu"
    counted: tuple[list[int], ...] = ([],)

    def compute(self, *args: Any, **options: Any) -> Computed:
        self.counted[0].append(1)
        return super().compute(*args, **options)


@contextmanager
def pages(browser: Browser, service: Service) -> Iterator[Open]:
    """Opens pages of a service, each of a visitor of its own."""
    demo = launch(service, quiet=True)
    contexts = []

    def open_page(**options: object) -> Page:
        context = new_context(browser, **options)
        contexts.append(context)
        page = Page(context.new_page(), demo.local_url)
        page.open()
        return page

    yield open_page
    for context in contexts:
        context.close()
    demo.close()


@pytest.fixture(scope="module")
def engine() -> Counting:
    return Counting()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, engine: Counting) -> Service:
    """With the example that it really opens with, by the real backbone."""
    store = SessionStore(tmp_path_factory.mktemp("sessions"))
    service = Service(store, Limits(), opening=opening_example())
    service.prepare_opening(BUILTIN, engine)
    return service


@pytest.fixture(scope="module")
def new_page(browser: Browser, service: Service) -> Iterator[Open]:
    with pages(browser, service) as open_page:
        yield open_page


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """Whose example is not ready, and whose analyses take no time."""
    monkeypatch.setattr("pointprompt.analysis.compute.tsne_colors", grey_colors)
    store = SessionStore(tmp_path / "sessions")
    return Service(store, Limits(), TinyEngine(), opening=opening_example())


@pytest.fixture
def tiny_page(browser: Browser, tiny: Service) -> Iterator[Open]:
    with pages(browser, tiny) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    return [
        photo(folder / f"{name}.png", (0, 0), (3, row), 256)
        for row, name in enumerate(("one", "two", "three"))
    ]


def prepare(service: Service) -> None:
    service.prepare_opening(BUILTIN, TinyEngine())


def names(page: Page) -> list[str]:
    return page.tab.locator(".pp-name").all_inner_texts()


def open_own(page: Page, paths: list[Path]) -> None:
    """In the place of the example, until the choice of images has folded itself away."""
    page.analyze_files(paths)
    assert page.tile_count == len(paths)
    expect(page.tab.locator("#pp-setup > button.open")).to_have_count(0)


def waits(page: Page) -> Locator:
    """What says that the example is not ready yet."""
    return page.tab.locator(".pp-awaited")


def cards(page: Page) -> Locator:
    return page.tab.locator(".pp-chosen li")


def dialog(page: Page) -> Locator:
    return page.tab.get_by_role("dialog", name="Is that meant?")


def count_clicks(page: Page) -> int:
    return page.tab.evaluate(f"{CLICKS}.length")


# --- The example that is there -------------------------------------------------------------------


def test_one_click_after_the_page_came_the_cat_is_masked_where_it_is(new_page: Open):
    page = new_page()
    page.wait_for_tiles()
    expect(page.tab.locator(".pp-try")).to_have_text(opening_example().description)
    page.click(0, *CAT)
    page.wait_for_masks()
    assert page.status == "Found in 2 of 5"
    assert [page.mask(i).any() for i in range(5)] == [True, False, True, False, False]
    assert page.problems == []


def test_two_visitors_share_what_was_computed_and_nothing_else(
    new_page: Open, service: Service, engine: Counting
):
    mine, theirs = new_page(), new_page()
    mine.wait_for_tiles()
    theirs.wait_for_tiles()
    mine.click(0, *CAT)
    mine.wait_for_masks()
    assert mine.mask(2).any()
    theirs.tab.reload()
    theirs.wait_for_tiles()
    assert count_clicks(theirs) == 0
    assert not theirs.mask(2).any()
    one, other = mine.session(service.store), theirs.session(service.store)
    assert one.analysis is other.analysis
    assert len(engine.counted[0]) == 1
    assert one.token != other.token
    assert one.folder != other.folder
    # Neither browser gets the other's pictures.
    tile = mine.tab.locator(".pp-photo").first.get_attribute("src")
    assert mine.fetch(tile)["status"] == 200
    assert theirs.fetch(tile)["status"] == 404


@pytest.mark.parametrize(
    ("options", "highest"), [({}, 240), (PHONE, 390)], ids=["computer", "phone"]
)
def test_the_tiles_begin_high_on_the_screen(new_page: Open, options: dict, highest: int):
    """They began at 249 and 416."""
    page = new_page(**options)
    page.wait_for_tiles()
    assert page.overlay(0).bounding_box()["y"] < highest
    # Examples and one's own images are in sight all the same.
    for place in ("#pp-setup > button", "#pp-example-still-life"):
        expect(page.tab.locator(place)).to_be_in_viewport()


@pytest.mark.parametrize("width", [320, 390, 820])
def test_nothing_is_wider_than_the_screen(new_page: Open, width: int):
    page = new_page(viewport={"width": width, "height": 800})
    page.wait_for_tiles()
    wide = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.tab.evaluate(wide) <= 0
    page.unfold()
    expect(page.tab.locator("#pp-analyze")).to_be_visible()
    assert page.tab.evaluate(wide) <= 0


def test_a_reload_keeps_the_clicks_on_it(new_page: Open, service: Service):
    page = new_page()
    page.wait_for_tiles()
    page.click(0, *CAT)
    page.wait_for_masks()
    before = page.session(service.store).token
    page.tab.reload()
    page.wait_for_tiles()
    assert page.mask(2).any()
    assert page.session(service.store).token == before


def test_one_that_was_freed_comes_again_by_itself_with_the_clicks_on_it(
    new_page: Open, service: Service
):
    """As after a night in which the computer slept: its images need nobody to choose them."""
    page = new_page()
    page.wait_for_tiles()
    page.click(0, *CAT)
    page.wait_for_masks()
    service.store.drop(page.session(service.store).token)
    page.click(1, 0.1, 0.1, positive=False)
    page.tab.wait_for_function(f"{CLICKS}.length === 2")
    page.wait_for_masks()
    expect(page.tab.locator(".pp-notice")).to_be_hidden()
    assert page.mask(2).any()
    service.store.drop(page.session(service.store).token)
    page.tab.reload()
    page.wait_for_tiles()
    assert count_clicks(page) == 2
    assert page.mask(2).any()
    expect(page.tab.locator(".pp-notice")).to_be_hidden()


def test_a_reload_finds_ones_own_set_and_not_the_example(new_page: Open, photos: list[Path]):
    page = new_page()
    page.wait_for_tiles()
    page.choose_files(photos[:2])
    page.tab.click("#pp-analyze")
    page.tab.wait_for_function("document.querySelectorAll('.pp-tile').length === 2")
    expect(page.tab.locator(".pp-try")).to_be_hidden()
    page.tab.reload()
    page.wait_for_tiles()
    assert names(page) == [path.name for path in photos[:2]]


def test_the_page_names_no_place_of_the_server(new_page: Open, service: Service):
    """A16: it told where its files lie."""
    page = new_page()
    page.wait_for_tiles()
    shown = page.tab.content() + page.tab.evaluate("JSON.stringify(window.gradio_config)")
    assert str(ROOT) not in shown
    assert str(service.store.root) not in shown


# --- One that is not ready yet -------------------------------------------------------------------


def test_who_comes_early_is_told_so_and_gets_it_when_it_is_ready(tiny_page: Open, tiny: Service):
    page = tiny_page()
    expect(waits(page)).to_contain_text("Preparing an example")
    assert page.tile_count == 0
    prepare(tiny)
    page.wait_for_tiles()
    assert names(page) == EXAMPLE_NAMES
    expect(waits(page)).to_be_hidden()


def test_one_that_comes_late_does_not_replace_what_was_opened(
    tiny_page: Open, tiny: Service, pictures: list[Path]
):
    page = tiny_page()
    expect(waits(page)).to_be_visible()
    page.analyze_files(pictures)
    page.click(0, *RED)
    page.wait_for_masks()
    prepare(tiny)
    # Who comes after that is told that there is one.
    other = tiny_page()
    other.wait_for_tiles()
    assert names(other) == EXAMPLE_NAMES
    assert names(page) == [path.name for path in pictures]
    assert count_clicks(page) == 1
    assert page.session(tiny.store).example == ""


def test_one_that_comes_late_does_not_replace_what_was_started(
    tiny_page: Open, tiny: Service, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
):
    started, goes_on = threading.Event(), threading.Event()
    analyze = tiny.analyze

    def slow(fetch, request, page, progress, visitor, **options):
        started.set()
        while not goes_on.wait(0.05):
            progress_now(progress)
        return analyze(fetch, request, page, progress, visitor, **options)

    monkeypatch.setattr(tiny, "analyze", slow)
    page = tiny_page()
    expect(waits(page)).to_be_visible()
    page.choose_files(pictures)
    page.tab.click("#pp-analyze")
    assert started.wait(60)
    prepare(tiny)
    other = tiny_page()
    other.wait_for_tiles()
    assert page.tile_count == 0
    goes_on.set()
    page.wait_for_tiles()
    assert names(page) == [path.name for path in pictures]


def progress_now(progress) -> None:
    from pointprompt.types import Progress

    progress(Progress("features", 0, 1))


def test_after_an_analysis_that_came_to_nothing_no_example_is_waited_for(
    tiny_page: Open, tiny: Service, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tiny._engine, "stuck", True)
    page = tiny_page()
    page.choose_files(pictures)
    expect(waits(page)).to_be_visible()
    page.tab.click("#pp-analyze")
    expect(page.tab.locator("#pp-status")).to_contain_text("Computing features")
    page.tab.click("#pp-cancel")
    expect(page.tab.locator("#pp-status")).to_contain_text("Cancelled")
    expect(waits(page)).to_be_hidden()
    expect(page.tab.locator("#pp-analyze")).to_be_visible()
    prepare(tiny)
    monkeypatch.setattr(tiny._engine, "stuck", False)
    page.tab.click("#pp-analyze")
    page.wait_for_tiles()
    assert names(page) == [path.name for path in pictures]


def test_files_that_were_chosen_meanwhile_stay_chosen(
    tiny_page: Open, tiny: Service, pictures: list[Path]
):
    page = tiny_page()
    page.choose_files(pictures)
    prepare(tiny)
    page.wait_for_tiles()
    assert names(page) == EXAMPLE_NAMES
    expect(cards(page)).to_have_count(3)
    expect(page.tab.get_by_role("button", name="Analyse 3 images")).to_be_in_viewport()


def test_where_it_cannot_be_prepared_the_choice_of_images_is_shown(
    tiny_page: Open, tiny: Service, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object, **__: object) -> Computed:
        raise ValueError("It cannot be.")

    monkeypatch.setattr(TinyEngine, "compute", fail)
    page = tiny_page()
    expect(waits(page)).to_be_visible()
    expect(page.tab.locator("#pp-analyze")).to_be_hidden()
    prepare(tiny)
    expect(page.tab.locator("#pp-analyze")).to_be_visible()
    expect(waits(page)).to_be_hidden()
    expect(page.tab.locator(".pp-failed")).to_have_count(0)


# --- One's own images ----------------------------------------------------------------------------

DRAG = """({ files, type, selector }) => {
    const transfer = new DataTransfer();
    for (const { name, data } of files) {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type: 'image/png' }));
    }
    const event = { dataTransfer: transfer, bubbles: true, cancelable: true };
    document.querySelector(selector).dispatchEvent(new DragEvent(type, event));
}"""


def drag(page: Page, type_: str, paths: list[Path], selector: str = "body") -> None:
    """Hold files over the page, or drop them."""
    files = [
        {"name": path.name, "data": base64.b64encode(path.read_bytes()).decode()} for path in paths
    ]
    page.tab.evaluate(DRAG, {"files": files, "type": type_, "selector": selector})


@pytest.mark.parametrize("selector", ["body", ".pp-overlay", "#pp-head"])
def test_images_can_be_dropped_anywhere(new_page: Open, pictures: list[Path], selector: str):
    page = new_page()
    page.wait_for_tiles()
    veil = page.tab.get_by_text("Drop images here")
    expect(veil).to_be_hidden()
    drag(page, "dragenter", pictures, selector)
    expect(veil).to_be_visible()
    drag(page, "dragover", pictures, selector)
    drag(page, "drop", pictures, selector)
    expect(veil).to_be_hidden()
    expect(page.tab.get_by_role("button", name="Analyse 3 images")).to_be_in_viewport()
    expect(cards(page)).to_have_count(3)
    # More of them come to these.
    drag(page, "drop", pictures[:1], "#pp-files")
    expect(cards(page)).to_have_count(4)
    assert page.problems == []


def test_files_that_are_taken_away_again_leave_the_page_as_it_was(
    new_page: Open, pictures: list[Path]
):
    page = new_page()
    page.wait_for_tiles()
    drag(page, "dragenter", pictures)
    drag(page, "dragleave", pictures)
    expect(page.tab.get_by_text("Drop images here")).to_be_hidden()
    expect(page.tab.locator("#pp-analyze")).to_be_hidden()


def test_what_is_dropped_on_ones_own_set_can_be_added_to_it_or_be_the_next(
    tiny_page: Open, tiny: Service, pictures: list[Path]
):
    prepare(tiny)
    page = tiny_page()
    page.wait_for_tiles()
    open_own(page, pictures[:2])
    drag(page, "drop", pictures[2:], ".pp-overlay")
    # Those of the set are not meant again.
    expect(cards(page)).to_have_count(1)
    expect(page.tab.get_by_role("button", name="Analyse 1 image")).to_be_visible()
    page.tab.get_by_role("button", name="Add to the set").click()
    page.tab.wait_for_function("document.querySelectorAll('.pp-tile').length === 3")


def test_what_was_chosen_is_seen(new_page: Open, pictures: list[Path], tmp_path: Path):
    page = new_page()
    notes = tmp_path / "notes.txt"
    notes.write_text("no image")
    page.choose_files([*pictures, notes])
    expect(page.tab.locator(".pp-chosen canvas")).to_have_count(3)
    red = page.tab.locator(".pp-chosen canvas").first.evaluate(
        "(c) => [...c.getContext('2d').getImageData(4, 4, 1, 1).data]"
    )
    assert red[0] > 180 > 90 > red[1]
    card = cards(page).nth(3)
    expect(card).to_contain_text("notes.txt")
    expect(card.locator("canvas")).to_have_count(0)
    expect(page.tab.get_by_role("button", name="Analyse 4 files")).to_be_enabled()
    page.tab.get_by_role("button", name="Remove notes.txt").click()
    expect(page.tab.get_by_role("button", name="Analyse 3 images")).to_be_enabled()
    expect(cards(page)).to_have_count(3)


def test_many_are_not_all_shown_and_counted(new_page: Open, pictures: list[Path], tmp_path: Path):
    page = new_page()
    paths = [tmp_path / f"{number}.png" for number in range(30)]
    for path in paths:
        path.write_bytes(pictures[0].read_bytes())
    page.choose_files(paths)
    expect(page.tab.locator(".pp-chosen canvas")).to_have_count(24)
    expect(page.tab.locator(".pp-more")).to_have_text("and 6 more")
    expect(page.tab.get_by_role("button", name="Analyse 30 images")).to_be_visible()


def test_the_system_offers_what_can_be_read(new_page: Open, pictures: list[Path]):
    """A16: a phone offered all files, and not its photos."""
    page = new_page()
    page.unfold()
    field = page.tab.locator("#pp-files input[type=file]")
    expect(field).to_have_attribute("accept", re.compile(r"^image/\*,"))
    kinds = field.get_attribute("accept").split(",")
    assert set(SUFFIXES.values()) <= set(kinds)
    page.choose_files(pictures)
    # That more are chosen with is another one.
    expect(field).to_have_attribute("accept", ",".join(kinds))


def test_after_a_reload_nothing_can_be_added_before_it_is_chosen(
    tiny_page: Open, tiny: Service, pictures: list[Path]
):
    """A9."""
    prepare(tiny)
    page = tiny_page()
    page.wait_for_tiles()
    open_own(page, pictures)
    page.tab.reload()
    page.wait_for_tiles()
    page.unfold()
    add = page.tab.get_by_role("button", name="Add to the set")
    expect(add).to_be_disabled()
    page.choose_files(pictures[:1])
    expect(add).to_be_enabled()


# --- What the server is doing --------------------------------------------------------------------


def test_on_a_phone_it_is_seen_that_an_analysis_goes_on(
    tiny_page: Open, tiny: Service, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
):
    """A6: the progress was below the screen."""
    monkeypatch.setattr(tiny._engine, "stuck", True)
    page = tiny_page(**PHONE)
    page.choose_files(pictures)
    page.tab.locator("#pp-analyze").tap()
    expect(page.tab.locator("#pp-status")).to_contain_text("Computing features")
    for place in ("#pp-status .pp-line", "#pp-status .pp-bar", "#pp-cancel"):
        expect(page.tab.locator(place)).to_be_in_viewport(ratio=1)
    page.tab.locator("#pp-cancel").tap()
    expect(page.tab.locator("#pp-status .pp-line")).to_contain_text("Cancelled")
    expect(page.tab.locator("#pp-status .pp-line")).to_be_in_viewport(ratio=1)


def test_a_download_moves_nothing_on_the_page(
    tiny_page: Open, tiny: Service, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
):
    """A13: all tiles moved down and up again."""
    started, goes_on = threading.Event(), threading.Event()
    export = tiny.export

    def slow(message, progress, visitor):
        started.set()
        while not goes_on.wait(0.05):
            progress_now(progress)
        return export(message, progress, visitor)

    monkeypatch.setattr(tiny, "export", slow)
    page = tiny_page()
    page.analyze_files(pictures)
    page.click(0, *RED)
    page.wait_for_masks()
    places = [page.overlay(0).bounding_box()]
    with page.tab.expect_download():
        page.action("export").click()
        assert started.wait(60)
        expect(page.tab.locator(".pp-busy")).to_be_visible()
        places.append(page.overlay(0).bounding_box())
        goes_on.set()
    expect(page.tab.locator("#pp-status")).to_contain_text("are in your downloads")
    places.append(page.overlay(0).bounding_box())
    assert places[0] == places[1] == places[2]


def test_what_was_read_can_be_put_away_and_what_comes_next_is_seen(
    tiny_page: Open, pictures: list[Path], tmp_path: Path
):
    page = tiny_page()
    notes = tmp_path / "notes.txt"
    notes.write_text("no image")
    page.analyze_files([*pictures, notes])
    card = page.tab.locator("#pp-progress")
    expect(card).to_contain_text("1 image could not be used")
    page.tab.get_by_role("button", name="Close", exact=True).click()
    expect(card).to_be_hidden()
    page.click(0, *RED)
    page.wait_for_masks()
    with page.tab.expect_download():
        page.action("export").click()
    expect(page.tab.get_by_text("are in your downloads")).to_be_visible()


def test_a_click_on_a_tile_below_the_card_reaches_the_tile(tiny_page: Open, pictures: list[Path]):
    page = tiny_page(viewport={"width": 1280, "height": 330})
    page.analyze_files(pictures)
    expect(page.tab.locator("#pp-progress")).to_contain_text("3 images ready")
    card, tile = (
        page.tab.locator(place).bounding_box() for place in ("#pp-progress", ".pp-overlay >> nth=2")
    )
    x, y = tile["x"] + tile["width"] / 2, card["y"] + 8
    assert card["x"] < x < card["x"] + card["width"]
    assert y < tile["y"] + tile["height"]
    page.tab.mouse.click(x, y)
    page.tab.wait_for_function(f"{CLICKS}.length === 1")


# --- Before clicks are dropped -------------------------------------------------------------------


@pytest.fixture
def clicked(tiny_page: Open, tiny: Service, pictures: list[Path]) -> Page:
    """A page with a set of the visitor's own, and a click on it."""
    prepare(tiny)
    page = tiny_page()
    page.wait_for_tiles()
    open_own(page, pictures)
    page.click(0, *RED)
    page.wait_for_masks()
    page.unfold()
    return page


@pytest.mark.parametrize("answer", ["Keep working", "Escape"])
def test_clicks_on_ones_own_set_are_not_dropped_without_a_question(clicked: Page, answer: str):
    """A7."""
    page = clicked
    page.tab.click("#pp-example-cat")
    expect(dialog(page)).to_contain_text("Your click belongs to the set that is open.")
    expect(page.tab.get_by_role("button", name="Keep working")).to_be_focused()
    if answer == "Escape":
        page.tab.keyboard.press("Escape")
    else:
        page.tab.get_by_role("button", name=answer).click()
    expect(dialog(page)).to_be_hidden()
    expect(page.tab.locator("#pp-example-cat")).to_be_focused()
    assert page.tile_count == 3
    assert count_clicks(page) == 1
    # It is asked each time.
    page.tab.click("#pp-example-cat")
    expect(dialog(page)).to_be_visible()


def test_who_means_it_gets_the_new_set(clicked: Page):
    page = clicked
    page.tab.click("#pp-example-cat")
    page.tab.get_by_role("button", name="Open the new set").click()
    page.tab.wait_for_function("document.querySelectorAll('.pp-tile').length === 6")
    page.wait_for_masks()
    assert count_clicks(page) == 0
    # Clicks on an example are nobody's loss.
    page.click(0, 0.5, 0.5)
    page.wait_for_masks()
    page.tab.click("#pp-example-tissue")
    page.tab.wait_for_function(
        "document.querySelector('.pp-name')?.textContent.startsWith('tissue')"
    )
    expect(dialog(page)).to_be_hidden()


def test_it_is_asked_before_other_files_are_analysed_and_not_before_the_same_are(
    clicked: Page, pictures: list[Path]
):
    page = clicked
    token = page.ticket
    page.tab.click("#pp-analyze")
    page.tab.wait_for_function(f"JSON.parse(sessionStorage.pointprompt).ticket !== '{token}'")
    expect(dialog(page)).to_be_hidden()
    page.wait_for_masks()
    assert count_clicks(page) == 1
    page.unfold()
    page.tab.get_by_role("button", name="Remove one.png").click()
    expect(page.tab.get_by_role("button", name="Analyse 2 images")).to_be_enabled()
    page.tab.click("#pp-analyze")
    expect(dialog(page)).to_be_visible()
