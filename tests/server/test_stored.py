"""Sets that were analysed before: found by their images, opened again by who brought them."""

from __future__ import annotations

import logging
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointprompt.analysis.analysis import Computed
from pointprompt.analysis.store import Store
from pointprompt.server import recalls
from pointprompt.server.fetching import link_files
from pointprompt.server.recalls import NOT_YOURS, REMOVED, Recalls
from pointprompt.server.service import Service
from pointprompt.server.session import Session, SessionGone
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from pointprompt.types import BackboneRequest
from tests.server.test_service import (
    ON_RED,
    REQUEST,
    ColorEngine,
    message,
    no_tsne,
    photo,
    silent,
    token_masks,
)

__all__ = ["no_tsne"]

MINE, THEIRS = "m" * 43, "t" * 43
Make = Callable[..., Service]


class CountingEngine(ColorEngine):
    """Counts what it computes; `weights` is what its weights hold."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.weights = "old"

    def identity(self, request: BackboneRequest) -> str:
        return f"{request} {self.weights}"

    def compute(self, *args: Any, **options: Any) -> Computed:
        self.count += 1
        return super().compute(*args, **options)


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


@pytest.fixture
def make(tmp_path: Path, engine: CountingEngine) -> Make:
    """Makes a service as a server that starts does: with the one store, and sessions of its own."""

    def make(*, max_images: int = 4, store: Store | None = None) -> Service:
        sessions = SessionStore(tmp_path / f"sessions-{os.urandom(4).hex()}")
        stored = store or Store(tmp_path / "store")
        return Service(sessions, Limits(max_images=max_images), engine, stored=stored)

    return make


@pytest.fixture
def service(make: Make) -> Service:
    return make()


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return [
        photo(tmp_path / "in" / "holiday.png", (0, 0), (3, 2)),
        photo(tmp_path / "in" / "at home.png", (2, 3), (1, 0), size=192),
    ]


def opened(service: Service, files: list[Path], page: str = "p", visitor: str = MINE) -> Session:
    return service.analyze(link_files(files), REQUEST, page, silent, visitor).session


def copied(files: list[Path], folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    copies = [folder / name for name in names]
    for file, copy in zip(files, copies, strict=True):
        shutil.copyfile(file, copy)
    return copies


def names_of(session: Session) -> list[str]:
    return [one.name for one in session.analysis.photos]


def assert_works(service: Service, session: Session, visitor: str = MINE) -> None:
    """Assert that clicks, pictures and downloads of a session are there."""
    mask = token_masks(service.predict(message(session, ON_RED), visitor), 2)
    assert mask[0, :4, :4].all()
    assert not mask[0, 8:, 12:].any()
    key = session.picture_key
    assert service.tile(key, 1, visitor).read_bytes() == session.analysis.photos[1].preview
    assert service.colors(key, visitor).exists()
    assert service.export(message(session, ON_RED), silent, visitor).exists()


def entry_of(service: Service, session: Session) -> Path:
    assert service._stored is not None
    return service._stored.folder / session.stored


# --- The same images again ------------------------------------------------------------------------


def test_the_same_images_are_ready_without_the_engine_after_a_restart_too(make, photos, engine):
    first = opened(make(), photos)
    again_service = make()
    again = opened(again_service, photos)
    assert engine.count == 1
    assert again.stored == first.stored != ""
    assert again.analysis.codes.tobytes() == first.analysis.codes.tobytes()
    assert_works(again_service, again)


def test_who_brings_the_same_bytes_finds_them_under_their_own_names_only(
    service, photos, engine, tmp_path
):
    mine = opened(service, photos)
    theirs = opened(service, copied(photos, tmp_path / "x", "1.png", "2.png"), "q", THEIRS)
    assert engine.count == 1
    assert names_of(mine) == ["holiday.png", "at home.png"]
    assert names_of(theirs) == ["1.png", "2.png"]
    assert "holiday" not in str(service.manifest(theirs))
    with pytest.raises(SessionGone):
        service.store.get(mine.token, THEIRS)


def test_a_session_and_what_is_stored_hold_the_same_file(service, photos):
    session = opened(service, photos)
    source = session.analysis.photos[0].source
    assert source.samefile(entry_of(service, session) / "images" / "000.png")


def test_what_is_stored_stays_when_the_session_goes_and_a_session_when_that_goes(service, photos):
    session = opened(service, photos)
    shutil.rmtree(entry_of(service, session))
    assert_works(service, session)
    session = opened(service, photos)
    entry = entry_of(service, session)
    service.store.drop(session.token)
    assert (entry / "images" / "000.png").exists()


def test_images_that_join_a_set_are_found_too(make, photos, engine, tmp_path):
    more = photo(tmp_path / "in" / "more.png", (1, 1), (3, 3))
    keys = []
    for service in (make(), make()):
        opened(service, photos)
        added = service.extend(link_files([more]), "p", silent, MINE)
        assert added.added == 1
        assert names_of(added.session) == ["holiday.png", "at home.png", "more.png"]
        keys.append(added.session.stored)
    assert engine.count == 2
    assert keys[0] == keys[1] != ""


def test_a_damaged_entry_is_said_and_computed_again(service, photos, engine, caplog):
    session = opened(service, photos)
    (entry_of(service, session) / "codes.safetensors").write_bytes(b"")
    again = opened(service, photos)
    assert engine.count == 2
    assert "damaged" in caplog.text
    opened(service, photos)
    assert engine.count == 2
    assert_works(service, again)


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
def test_what_is_in_a_folder_that_cannot_be_written_to_is_found(make, photos, engine, tmp_path):
    opened(make(), photos)
    (tmp_path / "store").chmod(0o500)
    try:
        service = make()
        assert_works(service, opened(service, photos))
        assert engine.count == 1
        assert_works(service, opened(service, photos[::-1]))
    finally:
        (tmp_path / "store").chmod(0o700)


def read_only(*_: object, **__: object) -> None:
    raise OSError(30, "Read-only file system")


@pytest.mark.parametrize("how", ["read-only", "gone", "a file in its place"])
def test_without_a_folder_everything_goes_on_with_a_warning(
    make, photos, engine, tmp_path, monkeypatch, caplog, how
):
    service = make()
    folder = tmp_path / "store"
    if how == "read-only":
        monkeypatch.setattr(Store, "_alone", read_only)
    else:
        shutil.rmtree(folder)
        if how != "gone":
            folder.write_text("")
    session = opened(service, photos)
    assert_works(service, session)
    assert session.stored == ""
    assert service.recall(session) == ""
    assert "could not be stored" in caplog.text
    later = make()
    assert_works(later, opened(later, photos))


def test_without_a_store_nothing_is_promised(tmp_path, photos, engine):
    service = Service(SessionStore(tmp_path / "sessions"), Limits(), engine)
    session = opened(service, photos)
    assert service.recall(session) == ""
    with pytest.raises(SessionGone):
        service.open_recalled("x", "p", silent, MINE)


# --- Opened again ---------------------------------------------------------------------------------


def test_a_visitor_opens_a_stored_set_again_after_a_restart(make, photos, engine, caplog):
    before = make()
    session = opened(before, photos)
    token = before.recall(session)
    before.store.drop(session.token)
    for file in photos:
        file.unlink()
    service = make()
    again = service.open_recalled(token, "page", silent, MINE)
    assert engine.count == 1
    assert names_of(again) == ["holiday.png", "at home.png"]
    assert again.analysis.codes.tobytes() == session.analysis.codes.tobytes()
    assert service.store.of_page("page", MINE) is again
    assert_works(service, again)
    shutil.rmtree(entry_of(service, again))
    assert_works(service, again)
    assert service.recall(again) == token
    assert caplog.records == []


def test_a_set_with_images_that_joined_it_is_opened_again_as_it_was(make, photos, engine, tmp_path):
    service = make()
    opened(service, photos)
    more = link_files([photo(tmp_path / "in" / "more.png", (1, 1), (3, 3))])
    session = service.extend(more, "p", silent, MINE).session
    again = make().open_recalled(service.recall(session), "q", silent, MINE)
    assert engine.count == 2
    assert names_of(again) == names_of(session)
    assert again.analysis.codes.tobytes() == session.analysis.codes.tobytes()


def test_a_set_that_an_image_was_removed_from_is_opened_again_as_it_was(make, photos, engine):
    service = make()
    whole = opened(service, photos)
    removed = {"session": whole.token, "image": 0}
    session = service.remove(removed, "p", silent, MINE)
    again = make().open_recalled(service.recall(session), "q", silent, MINE)
    assert engine.count == 1
    assert names_of(again) == names_of(session)
    assert again.analysis.codes.tobytes() == session.analysis.codes.tobytes()
    # And the whole one is still found by its images.
    assert len(opened(service, photos).analysis.photos) == len(photos)
    assert engine.count == 1


@pytest.mark.parametrize("visitor", [THEIRS, "", MINE[:-1], MINE + "x"])
def test_another_visitor_is_told_that_it_is_not_theirs(service, photos, visitor):
    token = service.recall(opened(service, photos))
    with pytest.raises(SessionGone, match="cannot be opened") as refused:
        service.open_recalled(token, "q", silent, visitor)
    assert str(refused.value) == NOT_YOURS
    assert len(service.store) == 1


def test_a_token_that_is_made_up_or_changed_opens_nothing(service, photos):
    token = service.recall(opened(service, photos))
    middle = len(token) // 2
    swapped = "A" if token[middle] != "A" else "B"
    changed = token[:middle] + swapped + token[middle + 1 :]
    made_up = ["", "x", "é", "A" * 43, "A" * 4000, token[:-4], token[4:], token + "AAAA", changed]
    for one in [*made_up, token[:-1], token.replace("=", "") + " "]:
        with pytest.raises(SessionGone):
            service.open_recalled(one, "q", silent, MINE)
    assert len(service.store) == 1


def test_a_token_of_another_servers_store_opens_nothing(make, photos, tmp_path):
    elsewhere = make(store=Store(tmp_path / "elsewhere"))
    service = make()
    opened(service, photos)
    with pytest.raises(SessionGone, match="cannot be opened"):
        service.open_recalled(elsewhere.recall(opened(elsewhere, photos)), "q", silent, MINE)


def test_a_set_that_had_to_go_is_said_to_be_gone(service, photos):
    session = opened(service, photos)
    token = service.recall(session)
    shutil.rmtree(entry_of(service, session))
    with pytest.raises(SessionGone) as refused:
        service.open_recalled(token, "q", silent, MINE)
    assert str(refused.value) == REMOVED


def test_a_damaged_set_is_said_to_be_gone(service, photos):
    session = opened(service, photos)
    (entry_of(service, session) / "images" / "000.png").unlink()
    with pytest.raises(SessionGone):
        service.open_recalled(service.recall(session), "q", silent, MINE)
    assert not entry_of(service, session).exists()


def test_what_would_be_analysed_otherwise_today_is_analysed_anew_under_its_names(
    make, photos, engine
):
    token = make().recall(opened(make(), photos))
    engine.weights = "new"
    service = make()
    again = service.open_recalled(token, "q", silent, MINE)
    assert engine.count == 2
    assert names_of(again) == ["holiday.png", "at home.png"]
    assert_works(service, again)
    assert service.recall(again) != token
    with pytest.raises(SessionGone):
        service.open_recalled(service.recall(again), "r", silent, THEIRS)


def test_a_stored_set_over_todays_limit_is_opened_as_far_as_that_goes(make, photos):
    token = make().recall(opened(make(), photos))
    again = make(max_images=1).open_recalled(token, "q", silent, MINE)
    assert names_of(again) == ["holiday.png"]


def test_a_visitor_whom_nobody_knows_again_gets_no_token(service, photos):
    assert service.recall(opened(service, photos, visitor="")) == ""


# --- The secret -----------------------------------------------------------------------------------


def test_the_secret_is_its_owners_alone_and_stays(tmp_path):
    one, other = Recalls(tmp_path), Recalls(tmp_path)
    path = tmp_path / recalls.SECRET
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert other.read(one.token("k", ["a", "b"], MINE), MINE) == ("k", ("a", "b"))
    assert [path.name for path in tmp_path.iterdir()] == [recalls.SECRET]


def test_a_damaged_secret_is_made_anew(tmp_path):
    token = Recalls(tmp_path).token("k", ["a"], MINE)
    (tmp_path / recalls.SECRET).write_bytes(b"short")
    with pytest.raises(SessionGone):
        Recalls(tmp_path).read(token, MINE)
    assert (tmp_path / recalls.SECRET).stat().st_size == 32


def test_without_a_secret_nothing_is_given_out_or_read(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        none = Recalls(tmp_path / "missing")
    assert "not listed" in caplog.text
    assert none.token("k", ["a"], MINE) == ""
    with pytest.raises(SessionGone):
        none.read("A" * 60, MINE)


def test_a_token_of_a_hundred_images_is_small(tmp_path):
    names = [f"IMG_2024{index:04d}.jpg" for index in range(100)]
    assert len(Recalls(tmp_path).token("a" * 64, names, MINE)) < 2000
