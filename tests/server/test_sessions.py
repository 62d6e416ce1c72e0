from pathlib import Path

import numpy as np
import pytest

from pointprompt.analysis.analysis import Analysis
from pointprompt.server.session import Session, SessionGone
from pointprompt.server.sessions import Lifetimes, SessionStore
from pointprompt.types import BackboneChoice


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
    lifetimes = Lifetimes(closed_seconds=60, idle_seconds=600, unshown_seconds=300, max_bytes=1000)
    return SessionStore(tmp_path, lifetimes, clock)


def add(
    store: SessionStore,
    page: str = "page",
    nbytes: int = 100,
    visitor: str = "",
    *,
    shares: bool = False,
) -> Session:
    empty = np.zeros(0, np.float32)
    colors = np.zeros(0, np.uint8)
    backbone = BackboneChoice("fake", "block", 0, 64)
    analysis = Analysis((), empty, empty, colors, Weight(nbytes), backbone)
    folder = store.new_folder()
    (folder / "tile.jpg").write_bytes(b"tile")
    return store.add(folder, analysis, Weight(0), page, visitor=visitor, shares=shares)


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
            store.attach(session.token, "other", other)
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
    store.attach(session.token, "after")
    store.close_page("before")
    clock.now += 61
    assert store.get(session.token) is session
    assert store.of_page("after") is session


@pytest.mark.parametrize(("first", "last"), [("tab", "copy"), ("copy", "tab")])
def test_a_session_on_two_pages_lives_until_the_last_of_them_is_closed(store, clock, first, last):
    session = add(store, "tab")
    store.attach(session.token, "copy")
    assert store.of_page("tab") is store.of_page("copy") is session
    store.close_page(first)
    clock.now += 350
    assert store.of_page(last) is session
    store.close_page(last)
    clock.now += 59
    store.sweep()
    assert session.folder.exists()
    clock.now += 1
    store.sweep()
    assert not session.folder.exists()


def test_a_new_analysis_on_one_of_two_pages_is_not_the_others(store, clock):
    shared = add(store, "tab")
    store.attach(shared.token, "copy")
    new = add(store, "tab")
    assert store.of_page("tab") is new
    store.get(new.token)
    clock.now += 350
    assert store.of_page("copy") is shared
    assert store.of_page("tab") is new
    newest = add(store, "copy")
    store.get(newest.token)
    assert not shared.folder.exists()
    assert new.folder.exists()


def test_of_a_page_that_went_on_the_session_before_is_freed_when_it_uses_the_new_one(store, clock):
    before = add(store, "page")
    after = add(store, "page")
    # The page has not seen the new one yet: it may have lost its connection.
    clock.now += 50
    assert store.get(before.token) is before
    clock.now += 50
    assert store.get(before.token) is before
    store.get(after.token)
    assert not before.folder.exists()
    with pytest.raises(SessionGone):
        store.get(before.token)


def test_a_session_that_its_page_went_on_from_is_freed_if_the_page_never_comes_back(store, clock):
    before, after = add(store, "page"), add(store, "page")
    store.get(before.token)  # An answer that was still to come.
    clock.now += 61
    store.sweep()
    assert [s.folder.exists() for s in (before, after)] == [False, True]


def test_thirty_analyses_on_one_page_leave_one_session(store):
    for _ in range(30):
        session = add(store, "page", nbytes=1)
        store.get(session.token)
        assert len(store) == 1


def test_a_page_whose_session_was_freed_never_gets_an_earlier_one(store, clock):
    add(store, "page")
    new = add(store, "page")
    store.drop(new.token)
    with pytest.raises(SessionGone):
        store.of_page("page")


def test_a_page_that_was_closed_and_asks_again_is_open(store, clock):
    session = add(store, "slept")
    store.close_page("slept")
    clock.now += 50
    store.get(session.token)
    clock.now += 350
    assert store.of_page("slept") is session
    store.close_page("slept")
    clock.now += 60
    store.sweep()
    assert not session.folder.exists()


def test_a_session_in_use_is_not_freed_whatever_happens(store, clock):
    with store.using(add(store, "page", 900).token) as session:
        store.get(add(store, "page", 900).token)
        store.close_page("page")
        clock.now += 10_000
        store.sweep()
        assert session.folder.exists()
    store.sweep()
    assert not session.folder.exists()


def test_what_is_gone_cannot_be_used(store):
    with pytest.raises(SessionGone), store.using("x"):
        pass


def test_an_idle_session_is_freed_and_a_used_one_is_not(store, clock):
    idle, used = add(store, "a"), add(store, "b")
    for _ in range(4):
        clock.now += 200
        store.get(used.token)
    assert not idle.folder.exists()
    assert used.folder.exists()


def test_what_no_page_ever_showed_stays_for_its_own_time_after_its_last_use(store, clock):
    session, other = add(store, page=""), add(store, page="")
    assert store.get(session.token) is session
    clock.now += 200
    assert store.get(session.token) is session  # And another set of the same program stays.
    clock.now += 200
    store.sweep()
    assert store.get(session.token) is session
    assert not other.folder.exists()
    clock.now += 301
    with pytest.raises(SessionGone):
        store.get(session.token)


def test_beyond_the_limit_what_no_page_shows_goes_before_what_one_shows(store, clock):
    shown = add(store, "page", 500)
    clock.now += 1
    unshown = add(store, "", 400)
    clock.now += 1
    newest = add(store, "other", 400)
    assert store.get(shown.token) is shown
    assert store.get(newest.token) is newest
    with pytest.raises(SessionGone):
        store.get(unshown.token)


def test_the_least_recently_used_is_freed_at_the_byte_limit(store, clock):
    first, second = add(store, "a", 400), add(store, "b", 400)
    clock.now += 1
    store.get(first.token)
    clock.now += 1
    third = add(store, "c", 400)
    assert [s.folder.exists() for s in (first, second, third)] == [True, False, True]


def test_beyond_the_limit_what_no_open_page_shows_goes_before_what_one_shows(store, clock):
    """Defect 6: an idle visitor lost a session that was on the screen to one that nobody saw."""
    idle = add(store, "a", 400)
    clock.now += 1
    superseded = add(store, "b", 400)
    clock.now += 1
    newest = add(store, "b", 400)
    assert [s.folder.exists() for s in (idle, superseded, newest)] == [True, False, True]
    assert store.of_page("a") is idle


def test_beyond_the_limit_closed_pages_lose_the_least_recently_used_first(store, clock):
    sessions = []
    for page in "abcd":
        sessions.append(add(store, page, 250))
        store.close_page(page)
        clock.now += 1
    store.attach(sessions[0].token, "a")
    clock.now += 1
    newest = add(store, "e", 500)
    # Open: a and e, 750 bytes; of the closed ones the one used last still fits.
    assert [s.folder.exists() for s in (*sessions, newest)] == [True, False, False, True, True]


def test_the_newest_session_stays_though_another_is_used_after_it(store, clock):
    old = add(store, "a", 900)
    clock.now += 1
    newest = add(store, "b", 900)
    assert [s.folder.exists() for s in (old, newest)] == [False, True]
    clock.now += 1
    small = add(store, "c", 50)
    store.get(small.token)
    assert [s.folder.exists() for s in (small, newest)] == [True, True]


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
    with pytest.raises(SessionGone):
        store.get(old.token)
    # The connection of a laptop that slept is lost, and its page is still open.
    store.close_page("mine")
    assert store.of_page("mine") is new
    assert new.closed_at is None
    store.close_page("mine")
    clock.now += 60
    for page in ("mine", "nobody's"):
        with pytest.raises(SessionGone):
            store.of_page(page)


def test_those_that_share_an_analysis_are_freed_before_those_that_do_not(tmp_path, clock):
    """They come again by themselves, and whoever opens many must not end what others work on."""
    store = SessionStore(tmp_path, Lifetimes(max_bytes=1 << 20), clock)
    own = add(store, "own", 1 << 18)
    shared = []
    for number in range(8):
        clock.now += 1
        shared.append(add(store, f"shared {number}", 1 << 30, shares=True))
    assert store.get(own.token) is own
    assert store.get(shared[-1].token) is shared[-1]
    with pytest.raises(SessionGone):
        store.get(shared[0].token)
    assert len(store) == 4


def test_a_page_shows_a_session_from_its_opening_on(store):
    assert not store.shows("page")
    session = add(store)
    assert store.shows("page")
    assert not store.shows("other")
    store.drop(session.token)
    assert not store.shows("page")
