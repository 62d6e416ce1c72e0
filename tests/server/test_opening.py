"""The example that pages open with: computed once, and a session of its own for everybody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointprompt.analysis.analysis import Computed
from pointprompt.server.fetching import link_files
from pointprompt.server.jobs import Cancelled, Job
from pointprompt.server.service import Service
from pointprompt.server.session import SessionGone
from pointprompt.server.sessions import GIB, Lifetimes, SessionStore
from pointprompt.sources.examples import ExampleImage, ExampleSet
from pointprompt.sources.photos import Limits
from tests.server.test_service import (
    ON_RED,
    PATIENCE,
    REQUEST,
    ColorEngine,
    message,
    no_tsne,
    photo,
    silent,
    token_masks,
)

__all__ = ["no_tsne"]


def picture(seed: int) -> np.ndarray:
    """Grey with a red corner, and as much noise as tells one from another."""
    pixels = np.full((128, 128, 3), 128, np.uint8)
    pixels[:32, :32] = (220, 30, 30)
    pixels[96:, 96:] = (30, 30, 220)
    noise = np.random.default_rng(seed).integers(0, 9, pixels.shape, np.uint8)
    return pixels + noise


EXAMPLE = ExampleSet(
    key="corners",
    title="Corners",
    description="Click the red corner.",
    credits="Ours.",
    images=tuple(
        ExampleImage(f"{name}.png", lambda seed=seed: picture(seed))
        for seed, name in enumerate("ab")
    ),
)


class CountingEngine(ColorEngine):
    """Counts what it computes, and can be held up or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.error: Exception | None = None

    def compute(self, *args: Any, **options: Any) -> Computed:
        self.count += 1
        assert self.goes_on.wait(PATIENCE)
        if self.error:
            raise self.error
        return super().compute(*args, **options)


@pytest.fixture
def engine() -> Iterator[CountingEngine]:
    engine = CountingEngine()
    yield engine
    engine.goes_on.set()


@pytest.fixture
def service(tmp_path: Path) -> Service:
    # Fewer images than the example has are for people alone; and so is its engine.
    forbidden = CountingEngine()
    forbidden.error = AssertionError("The example is not computed where visitors' images are.")
    return Service(
        SessionStore(tmp_path / "sessions"), Limits(max_images=1), forbidden, opening=EXAMPLE
    )


def test_it_is_computed_once_and_everybody_has_a_session_of_their_own(service, engine):
    service.prepare_opening(REQUEST, engine)
    mine = service.open_example("mine", silent, "me")
    theirs = service.open_example("theirs", silent, "they")
    assert engine.count == 1
    assert mine.analysis is theirs.analysis
    assert mine.predictor is theirs.predictor
    assert len({mine.token, theirs.token}) == len({mine.folder, theirs.folder}) == 2
    with pytest.raises(SessionGone):
        service.store.get(mine.token, "they")
    click = message(mine, ON_RED)
    mask = token_masks(service.predict(click, "me"), 2)
    assert mask[1, :4, :4].all()
    assert not mask[1, 8:, :8].any()
    assert service.predict(click, "they")["error"] == "gone"


def test_the_page_is_told_that_it_is_an_example_and_what_to_try(service, engine):
    service.prepare_opening(REQUEST, engine)
    manifest = service.manifest(service.open_example("page", silent, "me"))
    assert manifest["example"] == "Click the red corner."
    assert manifest["opening"] is True
    assert [image["name"] for image in manifest["images"]] == ["a.png", "b.png"]


def test_a_session_that_ends_leaves_the_pictures_of_the_others(service, engine):
    service.prepare_opening(REQUEST, engine)
    mine, theirs = (service.open_example(page, silent, page) for page in ("mine", "theirs"))
    service.store.drop(mine.token)
    assert not mine.folder.exists()
    for index in range(2):
        assert service.tile(theirs.picture_key, index, "theirs").read_bytes()
    assert service.colors(theirs.picture_key, "theirs").read_bytes()
    assert theirs.analysis.photos[0].source.exists()


def test_a_download_of_one_is_in_no_folder_of_another(service, engine):
    service.prepare_opening(REQUEST, engine)
    mine, theirs = (service.open_example(page, silent, page) for page in ("mine", "theirs"))
    path = service.export(message(mine, ON_RED), silent, "mine")
    assert path.is_relative_to(mine.folder)
    later = service.open_example("later", silent, "later")
    assert not list(theirs.folder.rglob("*.zip"))
    assert not list(later.folder.rglob("*.zip"))


def test_its_bytes_take_no_room_from_the_sets_of_others(tmp_path, engine):
    store = SessionStore(tmp_path / "sessions", Lifetimes(max_bytes=GIB // 1000))
    service = Service(store, Limits(), ColorEngine(), opening=EXAMPLE)
    service.prepare_opening(REQUEST, engine)
    sessions = [service.open_example(str(number), silent, "me") for number in range(3)]
    assert sessions[0].analysis.nbytes + sessions[0].predictor.max_bytes > GIB // 1000
    store.sweep()
    assert len(store) == 3
    # They are not free either: whoever asks again and again ends their own.
    assert all(session.nbytes > 0 for session in sessions)


def test_who_comes_early_gets_it_as_soon_as_it_is_ready(service, engine):
    engine.goes_on.clear()
    waiting = Job(lambda progress: service.open_example("page", progress, "me"))
    assert next(waiting.progress()).stage == "start"
    assert len(service.store) == 0
    preparing = threading.Thread(target=service.prepare_opening, args=(REQUEST, engine))
    preparing.start()
    engine.goes_on.set()
    preparing.join(PATIENCE)
    assert service.store.get(waiting.result().token, "me").example


def test_who_goes_away_before_leaves_nothing_behind(service, engine):
    waiting = Job(lambda progress: service.open_example("page", progress, "me"))
    next(waiting.progress())
    waiting.cancel()
    with pytest.raises(Cancelled):
        waiting.result()
    service.prepare_opening(REQUEST, engine)
    assert len(service.store) == 0


def test_a_page_that_has_got_a_set_meanwhile_keeps_it(tmp_path, engine):
    service = Service(SessionStore(tmp_path / "s"), Limits(), ColorEngine(), opening=EXAMPLE)
    service.prepare_opening(REQUEST, engine)
    own = [photo(tmp_path / f"{name}.png", (0, 0), (3, 2)) for name in "xy"]
    opened = service.analyze(link_files(own), REQUEST, "page", silent, "me")
    folders = set(service.store.root.iterdir())
    assert service.open_example("page", silent, "me") is None
    assert service.store.of_page("page", "me") is opened.session
    assert set(service.store.root.iterdir()) == folders
    assert opened.session.example == ""


def test_images_that_join_it_make_a_set_of_ones_own(tmp_path, engine):
    service = Service(SessionStore(tmp_path / "s"), Limits(), ColorEngine(), opening=EXAMPLE)
    service.prepare_opening(REQUEST, engine)
    example = service.open_example("page", silent, "me")
    own = [photo(tmp_path / "x.png", (0, 0), (3, 2))]
    opened = service.extend(link_files(own), "page", silent, "me")
    assert opened.added == 1
    assert opened.session.joins == example.token
    assert service.manifest(opened.session)["example"] == ""
    assert opened.session.nbytes > example.nbytes
    assert opened.session.analysis.photos[0].source.is_relative_to(opened.session.folder)


def test_where_it_cannot_be_prepared_that_is_said_to_who_waits_and_nobody_waits_again(
    service, engine, caplog
):
    engine.error = OSError("The disk is full.")
    assert service.has_opening
    service.prepare_opening(REQUEST, engine)
    with pytest.raises(LookupError, match="could not be prepared"):
        service.open_example("page", silent, "me")
    assert not service.has_opening
    assert "The disk is full." in caplog.text
    assert list(service.store.root.iterdir()) == []


def test_without_one_nothing_is_prepared(tmp_path, engine):
    service = Service(SessionStore(tmp_path / "s"), Limits())
    service.prepare_opening(REQUEST, engine)
    assert engine.count == 0
    assert not service.has_opening
    with pytest.raises(LookupError):
        service.open_example("page", silent, "me")
