from pathlib import Path

import numpy as np
import pytest

from pointprompt.sessions import Lifetimes, Session, SessionGone, SessionStore
from pointprompt.types import Analysis, BackboneChoice


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Weight:
    """Stands in for the parts of a session whose memory is all that matters here."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = self.max_bytes = nbytes


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> SessionStore:
    lifetimes = Lifetimes(closed_seconds=60, idle_seconds=600, max_bytes=1000)
    return SessionStore(tmp_path, lifetimes, clock)


def add(store: SessionStore, page: str = "page", nbytes: int = 100, visitor: str = "") -> Session:
    empty = np.zeros(0, np.float32)
    analysis = Analysis(
        (), empty, empty, empty, np.zeros(0, np.uint8), Weight(nbytes), BackboneChoice("fake")
    )
    folder = store.new_folder()
    (folder / "tile.jpg").write_bytes(b"tile")
    return store.add(folder, analysis, Weight(0), page, visitor=visitor)


def test_a_session_is_found_by_its_token_and_by_no_other(store):
    session = add(store)
    assert store.get(session.token) is session
    with pytest.raises(SessionGone):
        store.get(session.token[:-1])


def test_tokens_and_folders_are_long_and_never_repeat(store):
    sessions = [add(store, nbytes=1) for _ in range(50)]
    assert len({s.token for s in sessions} | {s.folder.name for s in sessions}) == 100
    assert all(len(s.token) >= 32 and len(s.folder.name) >= 32 for s in sessions)


def test_a_session_is_its_visitors_alone(store):
    session = add(store, visitor="me")
    assert store.get(session.token, "me") is session
    assert store.of_page("page", "me") is session
    assert store.of_ticket(session.ticket, "me") is session
    assert store.of_picture_key(session.picture_key, "me") is session
    for other in ("", "you", "me2", "\ud800"):
        with pytest.raises(SessionGone):
            store.get(session.token, other)
        with pytest.raises(SessionGone):
            store.of_page("page", other)
        with pytest.raises(SessionGone):
            store.move_to_page(session.token, "other", other)
        with pytest.raises(SessionGone):
            store.of_ticket(session.ticket, other)
        with pytest.raises(SessionGone):
            store.of_picture_key(session.picture_key, other)
    assert store.of_page("page", "me") is session


def test_a_session_of_nobody_in_particular_opens_by_its_token_and_never_by_its_ticket(store):
    session = add(store)
    assert store.get(session.token, "anybody") is session
    assert store.of_picture_key(session.picture_key, "anybody") is session
    for visitor in ("", "anybody"):
        with pytest.raises(SessionGone):
            store.of_ticket(session.ticket, visitor)


def test_tokens_tickets_and_picture_keys_never_stand_for_one_another(store):
    session = add(store, visitor="me")
    values = {session.token, session.ticket, session.picture_key}
    assert len(values) == 3
    for value in values - {session.token}:
        with pytest.raises(SessionGone):
            store.get(value, "me")
    for value in values - {session.ticket}:
        with pytest.raises(SessionGone):
            store.of_ticket(value, "me")
    for value in values - {session.picture_key}:
        with pytest.raises(SessionGone):
            store.of_picture_key(value, "me")
    store.drop(session.token)
    with pytest.raises(SessionGone):
        store.of_picture_key(session.picture_key, "me")


def test_who_may_not_use_a_session_does_not_keep_it_alive(store, clock):
    session = add(store, visitor="me")
    store.close_page("page")
    clock.now += 59
    with pytest.raises(SessionGone):
        store.get(session.token, "you")
    store.of_picture_key(session.picture_key, "me")
    clock.now += 2
    with pytest.raises(SessionGone):
        store.get(session.token, "me")


def test_a_closed_page_keeps_its_session_for_a_while_and_then_it_is_freed_with_its_files(
    store, clock
):
    session = add(store)
    store.close_page("page")
    clock.now += 59
    store.sweep()
    assert session.folder.exists()
    clock.now += 1
    store.sweep()
    assert not session.folder.exists()
    with pytest.raises(SessionGone):
        store.get(session.token)


def test_closing_one_page_leaves_the_sessions_of_others(store, clock):
    mine, theirs = add(store, "mine"), add(store, "theirs")
    store.close_page("mine")
    clock.now += 61
    assert store.get(theirs.token) is theirs
    with pytest.raises(SessionGone):
        store.get(mine.token)


def test_a_reload_takes_its_session_to_the_new_page(store, clock):
    session = add(store, "before")
    store.close_page("before")
    store.move_to_page(session.token, "after")
    store.close_page("before")
    clock.now += 61
    assert store.get(session.token) is session


def test_an_idle_session_is_freed_and_a_used_one_is_not(store, clock):
    idle, used = add(store, "a"), add(store, "b")
    for _ in range(4):
        clock.now += 200
        store.get(used.token)
    assert not idle.folder.exists()
    assert used.folder.exists()


def test_the_least_recently_used_is_freed_at_the_byte_limit(store, clock):
    first, second = add(store, "a", 400), add(store, "b", 400)
    clock.now += 1
    store.get(first.token)
    clock.now += 1
    third = add(store, "c", 400)
    assert [s.folder.exists() for s in (first, second, third)] == [True, False, True]


def test_the_newest_session_stays_even_if_it_alone_is_over_the_limit(store):
    session = add(store, nbytes=5000)
    assert store.get(session.token) is session


def test_a_new_analysis_on_a_page_lets_the_one_before_go(store, clock):
    before = add(store, "page")
    after = add(store, "page")
    clock.now += 61
    assert store.get(after.token) is after
    assert not before.folder.exists()


@pytest.mark.parametrize("token", ["", "x" * 10_000, "../..", "\x00"])
def test_a_made_up_token_finds_nothing(store, token):
    add(store)
    with pytest.raises(SessionGone):
        store.get(token)


def test_the_session_of_a_page_is_its_newest_as_long_as_it_is_there(store, clock):
    old = add(store, page="mine")
    new = add(store, page="mine")
    add(store, page="another")
    store.get(old.token)  # An answer that was still to come for the old one.
    assert store.of_page("mine") is new
    # The connection of a laptop that slept is lost, and its page is still open.
    store.close_page("mine")
    assert store.of_page("mine") is new
    assert new.closed_at is None
    store.close_page("mine")
    clock.now += 60
    for page in ("mine", "nobody's"):
        with pytest.raises(SessionGone):
            store.of_page(page)
