"""Who owns which analysis, for how long, within how many bytes.

A session is one analysed image set on one page. Its token is unguessable and is all that a browser
needs to show to use it. Knows nothing of HTTP or gradio: time comes from a clock it is given.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pointprompt.types import Analysis

if TYPE_CHECKING:
    from pointprompt.predictor import Predictor

GIB = 1024**3


class SessionGone(LookupError):
    """The session was freed, or there never was one with this token."""


@dataclass(frozen=True)
class Lifetimes:
    """How long sessions live and how much they may hold together.

    Attributes:
        closed_seconds: After its page was closed; a reload within that time finds it again.
        idle_seconds: Without any use, though the page is open.
        max_bytes: In memory, all sessions together; the least recently used are freed first. The
            newest one always stays.
    """

    closed_seconds: float = 5 * 60
    idle_seconds: float = 4 * 3600
    max_bytes: int = 4 * GIB


@dataclass
class Session:
    """One analysed image set.

    Attributes:
        token: Unguessable; who has it may use the session.
        folder: Its files: the images, the tiles. Deleted with it.
        analysis: The analysis of its images.
        predictor: Answers clicks on that analysis.
        page: The page it belongs to.
        joins: The token of the session that its last images joined; "" where none did.
    """

    token: str
    folder: Path
    analysis: Analysis
    predictor: Predictor
    page: str
    joins: str = ""
    used_at: float = field(default=0.0, repr=False)
    closed_at: float | None = field(default=None, repr=False)

    @property
    def nbytes(self) -> int:
        """Bytes of memory it holds."""
        previews = sum(len(photo.preview) for photo in self.analysis.photos)
        analysis = self.analysis
        arrays = (analysis.eigvecs, analysis.embedding, analysis.colors, analysis.image_embeddings)
        held = sum(0 if array is None else array.nbytes for array in arrays)
        return held + previews + analysis.fitted.nbytes + self.predictor.max_bytes


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
        joins: str = "",
    ) -> Session:
        """A new session that owns the folder; sessions over the byte limit are freed for it.

        Args:
            folder: From `new_folder`.
            analysis: Of the images in that folder.
            predictor: Of that analysis.
            page: The page it belongs to. Other sessions of the page are closed.
            joins: The token of the session that its last images joined.
        """
        session = Session(secrets.token_urlsafe(24), folder, analysis, predictor, page, joins)
        session.used_at = self._clock()
        with self._lock:
            self._mark_closed(page)
            self._sessions[session.token] = session
        self.sweep()
        return session

    def get(self, token: str) -> Session:
        """The session with this token, which thereby counts as used.

        Raises:
            SessionGone: There is none (any more).
        """
        self.sweep()
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                raise SessionGone("This analysis is no longer in memory.")
            session.used_at = self._clock()
            session.closed_at = None
            return session

    def of_page(self, page: str) -> Session:
        """The newest session of a page, which thereby counts as used.

        Also where the page seemed to be closed: a laptop that slept loses its connection.

        Raises:
            SessionGone: It has none (any more).
        """
        with self._lock:
            tokens = [session.token for session in self._sessions.values() if session.page == page]
        if not tokens:
            raise SessionGone("This page has no analysis.")
        return self.get(tokens[-1])

    def move_to_page(self, token: str, page: str) -> Session:
        """The session with this token, now owned by another page: a reload of its own.

        Raises:
            SessionGone: There is none (any more).
        """
        session = self.get(token)
        with self._lock:
            session.page = page
        return session

    def close_page(self, page: str) -> None:
        """Note that a page was closed: its sessions are freed some time later."""
        with self._lock:
            self._mark_closed(page)

    def drop(self, token: str) -> None:
        """Free the session with this token now, if there is one."""
        with self._lock:
            session = self._sessions.pop(token, None)
        if session is not None:
            shutil.rmtree(session.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Free what is past its time, then the least recently used beyond the byte limit."""
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

    def _mark_closed(self, page: str) -> None:
        for session in self._sessions.values():
            if session.page == page and session.closed_at is None:
                session.closed_at = self._clock()

    def _is_over(self, session: Session) -> bool:
        now = self._clock()
        closed = session.closed_at
        if closed is not None and now - closed >= self._lifetimes.closed_seconds:
            return True
        return now - session.used_at >= self._lifetimes.idle_seconds

    def _beyond_limit(self, sessions: list[Session]) -> list[Session]:
        newest_first = sorted(sessions, key=lambda session: session.used_at, reverse=True)
        total = 0
        beyond = []
        for session in newest_first:
            total += session.nbytes
            if total > self._lifetimes.max_bytes and session is not newest_first[0]:
                beyond.append(session)
        return beyond
