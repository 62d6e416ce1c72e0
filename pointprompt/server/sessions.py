"""All sessions: who has which, for how long, within how many bytes.

Knows nothing of HTTP or gradio: time comes from a clock it is given.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pointprompt.analysis.analysis import Analysis
from pointprompt.server.session import Session, SessionGone

if TYPE_CHECKING:
    from pointprompt.recipes.opened import Opened
    from pointprompt.rules.predictor import Predictor

GIB = 1024**3

_NOT_HERE = "This analysis is no longer in memory."


@dataclass(frozen=True)
class Lifetimes:
    """How long sessions live and how much they may hold together.

    Attributes:
        closed_seconds: After the last of its pages was closed; a reload within that time finds it
            again.
        idle_seconds: Without any use, though a page is open.
        unshown_seconds: Without any use, of what no page ever showed: a program's.
        max_bytes: In memory, all sessions together. Beyond it, those without an open page are freed
            first, of these those that share an analysis, and the least recently used first; the
            newest one is the last to go.
    """

    closed_seconds: float = 5 * 60
    idle_seconds: float = 4 * 3600
    unshown_seconds: float = 30 * 60
    max_bytes: int = 4 * GIB


class SessionStore:
    """All sessions of a server. Safe to use from several threads."""

    def __init__(
        self,
        root: Path,
        lifetimes: Lifetimes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make an empty store that keeps its sessions' folders below `root`."""
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._lifetimes = lifetimes or Lifetimes()
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def new_folder(self) -> Path:
        """An empty folder with an unguessable name, for the files of a session to be."""
        folder = self.root / secrets.token_urlsafe(24)
        folder.mkdir(mode=0o700)  # Not its parents: they are gone when the server stops.
        return folder

    def add(
        self,
        folder: Path,
        analysis: Analysis,
        predictor: Predictor,
        page: str,
        *,
        joins: str = "",
        kept: tuple[int, ...] = (),
        visitor: str = "",
        example: str = "",
        shares: bool = False,
        stored: str = "",
        opened: Opened | None = None,
    ) -> Session:
        """A new session that owns the folder; sessions over the byte limit are freed for it.

        Args:
            folder: From `new_folder`.
            analysis: Of the images in that folder.
            predictor: Of that analysis.
            page: The page it belongs to, which shows no other session any more; "" for none.
            joins: The token of the session that its images were in before.
            kept: The indices that its first images had there.
            visitor: Who makes it; "" where that cannot be told.
            example: What to try with it, where its images are an example.
            shares: Whether others have the same analysis and predictor.
            stored: The key of the analysis in the store, if it is there.
            opened: The recipe that is open on the images, if one is.
        """
        token = secrets.token_urlsafe(24)
        session = Session(
            token,
            folder,
            analysis,
            predictor,
            joins=joins,
            visitor=visitor,
            example=example,
            shares=shares,
            stored=stored,
            kept=kept,
            opened=opened,
        )
        with self._lock:
            session.used_at = self._clock()
            self._sessions[session.token] = session
            if page:
                self._go_on_to(session, page)
            else:
                session.closed_at = session.used_at
        self.sweep()
        return session

    def get(self, token: str, visitor: str = "") -> Session:
        """The visitor's session with this token, which thereby counts as used.

        A session that it replaced is freed: the page has it, and needs that one no longer.

        Raises:
            SessionGone: There is none (any more).
        """
        self.sweep()
        with self._lock:
            session = self._touched(token, visitor)
            replaced = [s.token for s in self._sessions.values() if _has_become(s, token)]
        for one in replaced:
            self.drop(one)
        return session

    @contextmanager
    def using(self, token: str, visitor: str = "") -> Iterator[Session]:
        """The visitor's session with this token, which is not freed within the block.

        Raises:
            SessionGone: There is none (any more).
        """
        self.sweep()
        with self._lock:
            session = self._touched(token, visitor)
            session.users += 1
        try:
            yield session
        finally:
            with self._lock:
                session.users -= 1

    def of_ticket(self, ticket: str, visitor: str) -> Session:
        """The visitor's session with this ticket. It does not count as used.

        Raises:
            SessionGone: There is none (any more), or nobody knows whose it is.
        """
        return self._found(lambda one: one.opens_with(ticket, visitor))

    def of_picture_key(self, key: str, visitor: str) -> Session:
        """The visitor's session with this key of its pictures. It does not count as used.

        Raises:
            SessionGone: There is none (any more).
        """
        return self._found(lambda one: one.shows_with(key, visitor))

    def of_page(self, page: str, visitor: str = "") -> Session:
        """The session that a visitor's page shows, which thereby counts as used.

        Also where the page seemed to be closed: a laptop that slept loses its connection.

        Raises:
            SessionGone: It shows none (any more).
        """
        with self._lock:
            tokens = [s.token for s in self._sessions.values() if page in s.pages]
        if not tokens:
            raise SessionGone("This page has no analysis.")
        return self.attach(tokens[-1], page, visitor)

    def shows(self, page: str) -> bool:
        """Whether the page shows a session."""
        with self._lock:
            return any(page in session.pages for session in self._sessions.values())

    def attach(self, token: str, page: str, visitor: str = "") -> Session:
        """The visitor's session with this token, which the page shows from now on, as others may.

        A reload makes a page a new one; a duplicated tab is a second one.

        Raises:
            SessionGone: There is none (any more).
        """
        session = self.get(token, visitor)
        with self._lock:
            self._go_on_to(session, page)
        return session

    def close_page(self, page: str) -> None:
        """Note that a page was closed: what no open page shows is freed some time later."""
        with self._lock:
            for session in self._sessions.values():
                if page in session.pages:
                    session.pages[page] = False
                    self._close_if_unseen(session)

    def drop(self, token: str) -> None:
        """Free the session with this token now, if there is one."""
        with self._lock:
            session = self._sessions.pop(token, None)
        if session is not None:
            shutil.rmtree(session.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Free what is past its time, then what is beyond the byte limit."""
        with self._lock:
            gone = [s for s in self._sessions.values() if self._is_over(s)]
            gone += self._beyond_limit([s for s in self._sessions.values() if s not in gone])
            for session in gone:
                del self._sessions[session.token]
        for session in gone:
            shutil.rmtree(session.folder, ignore_errors=True)

    def sweep_every(self, seconds: float) -> None:
        """Sweep again and again in the background, for as long as the process lives."""

        def sweep_again() -> None:
            while True:
                time.sleep(seconds)
                self.sweep()

        threading.Thread(target=sweep_again, name="session-sweeper", daemon=True).start()

    def __len__(self) -> int:
        return len(self._sessions)

    def _found(self, is_it: Callable[[Session], bool]) -> Session:
        with self._lock:
            found = next(filter(is_it, self._sessions.values()), None)
        if found is None:
            raise SessionGone(_NOT_HERE)
        return found

    def _touched(self, token: str, visitor: str) -> Session:
        session = self._sessions.get(token)
        if session is None or not session.is_of(visitor):
            raise SessionGone(_NOT_HERE)
        session.used_at = self._clock()
        # What all its pages have left may still be asked for, but nobody returns to it.
        session.closed_at = None if session.pages else session.used_at
        return session

    def _go_on_to(self, session: Session, page: str) -> None:
        """Note that the page shows this session, and no other."""
        for before in self._sessions.values():
            if before is not session and page in before.pages:
                del before.pages[page]
                if not before.pages:
                    before.replaced_by = session.token
                self._close_if_unseen(before)
        session.pages[page] = True
        session.closed_at = None

    def _close_if_unseen(self, session: Session) -> None:
        if not any(session.pages.values()) and session.closed_at is None:
            session.closed_at = self._clock()

    def _is_over(self, session: Session) -> bool:
        if session.users:
            return False
        now = self._clock()
        closed = session.closed_at
        if closed is not None and now - closed >= self._seconds_closed(session):
            return True
        return now - session.used_at >= self._lifetimes.idle_seconds

    def _seconds_closed(self, session: Session) -> float:
        if session.pages or session.replaced_by:
            return self._lifetimes.closed_seconds
        return self._lifetimes.unshown_seconds

    def _beyond_limit(self, sessions: list[Session]) -> list[Session]:
        """Those that do not fit, when the first to stay are the first to be given room."""

        def worth(session: Session) -> tuple[bool, bool, bool, float]:
            # What is shared comes again by itself; nobody's own images do.
            is_open, is_own = session.closed_at is None, not session.shares
            return is_open, session is sessions[-1], is_own, session.used_at

        total = 0
        beyond = []
        for place, session in enumerate(sorted(sessions, key=worth, reverse=True)):
            total += session.nbytes
            if total > self._lifetimes.max_bytes and place > 0 and not session.users:
                beyond.append(session)
        return beyond


def _has_become(session: Session, token: str) -> bool:
    """Whether the session with the token replaced this one, and nobody needs this one any more."""
    return not session.pages and session.replaced_by == token and not session.users
