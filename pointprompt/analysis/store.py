"""Analyses on the disk, by what they were made of: the same images need no computing again.

Knows folders, locks, and how much there may be. What an entry holds is `entry`'s, what it is called
`keys`'s. Does not know who asks: who has the key of an entry may have it.

An entry is written beside the others under a name that nobody looks for, and gets its own when all
of it is on the disk. So one that is there is whole, whenever a process was killed or the disk was
full. Whoever reads or writes one holds a lock on its folder, which ends with their process: what is
locked is never removed, and what has no name yet and no lock was left by a process that is gone.

Nothing here raises for what is wrong with the disk or an entry. It is logged, and computed again.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import secrets
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pointprompt.analysis import entry
from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.entry import Entry
from pointprompt.analysis.keys import Conditions, Original, is_key

_log = logging.getLogger(__name__)

GB = 10**9
MAX_BYTES = 20 * GB
# Left free on the disk for all else, above all for what visitors bring.
_SPARE_BYTES = 512 * 10**6
_LOCK = "store.lock"
# Names of folders that are no entries, yet or any more.
_UNFINISHED = ".new-"
_GONE = ".gone-"
_NOT_ENTRIES = re.compile(rf"({re.escape(_UNFINISHED)}|{re.escape(_GONE)})[\w-]+")


class Store:
    """A folder of analyses. Safe to use from several threads, and by several processes.

    Attributes:
        folder: Where they are.
        max_bytes: What all may take together. The least recently used one goes first.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        """Open the store in a folder, made where it is missing; what was left half is removed."""
        self.folder = folder
        self.max_bytes = max_bytes
        # They never change. Of entries that were removed too; those come back with the same size.
        self._sizes: dict[str, int] = {}
        self._said = ""
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()
        except OSError as error:
            self._say(f"Analyses cannot be stored in {folder}: {error}.")

    def get(self, key: str) -> Analysis | None:
        """The analysis with this key; None where there is none, or it was damaged.

        Its photos are named by their places, and their sources are files of the entry.
        """
        with self.using(key) as found:
            return found.analysis if found else None

    @contextmanager
    def using(self, key: str) -> Iterator[Entry | None]:
        """The entry with this key, as `get`; its files stay for as long as the block lasts."""
        if not is_key(key):
            yield None
            return
        path = self.folder / key
        # Who has it alone removes it, or has just written it: neither takes long.
        with _locked(path, fcntl.LOCK_SH) as lock:
            found = None if lock is _ABSENT else self._read(path)
            yield found

    def has(self, key: str) -> bool:
        """Whether there is an entry with this key, whatever state it is in."""
        return is_key(key) and (self.folder / key).is_dir()

    def put(
        self,
        key: str,
        analysis: Analysis,
        originals: Sequence[Original],
        conditions: Conditions,
    ) -> bool:
        """Store an analysis, and return whether it is stored now; others may have to go for it.

        Args:
            key: Of its images and conditions.
            analysis: What to store.
            originals: Its images as they came; files are linked where they can be.
            conditions: What it was made under.
        """
        if not is_key(key):
            raise ValueError("An entry is stored by the key that `key_of` gives.")
        if self.has(key):
            return True
        try:
            return self._put(key, analysis, originals, conditions)
        except (OSError, MemoryError) as error:
            self._say(f"An analysis could not be stored: {error}.")
            return False

    def keys(self) -> list[str]:
        """Those of all entries, whatever state they are in."""
        with suppress(OSError):
            return [path.name for path in self._entries()]
        return []

    def _read(self, path: Path) -> Entry | None:
        try:
            found = entry.read(path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            problem: Exception = error
        except (OSError, MemoryError) as error:
            # Too many open files, no permission, no memory: that is not the entry's fault.
            self._say(f"A stored analysis cannot be read: {error}.")
            return None
        except Exception as error:  # Damage can look like anything.
            problem = error
        else:
            with suppress(OSError):
                os.utime(path)
            return found
        if path.exists():
            self._say(f"A stored analysis was damaged, and is computed again: {problem}")
            self._remove(path)
        return None

    def _put(
        self,
        key: str,
        analysis: Analysis,
        originals: Sequence[Original],
        conditions: Conditions,
    ) -> bool:
        needed = analysis.nbytes
        if needed > self.max_bytes:
            self._say("An analysis was not stored: it is larger than the store may be.")
            return False
        if shutil.disk_usage(self.folder).free < needed + _SPARE_BYTES:
            self._say("An analysis was not stored: the disk is nearly full.")
            return False
        unfinished = self.folder / f"{_UNFINISHED}{secrets.token_urlsafe(12)}"
        with self._alone():
            # Not without the lock: a sweep would take it for one that was left.
            unfinished.mkdir(mode=0o700)
            lock = _lock_of(unfinished)
        try:
            entry.write(unfinished, analysis, conditions, originals)
            return self._admit(unfinished, key)
        finally:
            # Gone by this name where all went well.
            _remove_tree(unfinished)
            _let_go(lock)

    def _admit(self, unfinished: Path, key: str) -> bool:
        """Give an entry its name, if there is room for it."""
        size = entry.nbytes(unfinished)
        with self._alone():
            if not self._make_room(size):
                self._say("An analysis was not stored: there is no room for it.")
                return False
            self._sizes[key] = size
            try:
                unfinished.rename(self.folder / key)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
                return True  # Another process had the same images.
            entry.sync(self.folder)
        return True

    def _make_room(self, nbytes: int) -> bool:
        """Remove those least recently used until so many bytes fit; whether they do."""
        if nbytes > self.max_bytes:
            return False
        aged = sorted(self._entries(), key=lambda path: path.stat().st_mtime_ns)
        total = sum(map(self._size, aged)) + nbytes
        for path in aged:
            if total <= self.max_bytes:
                break
            if self._remove_unused(path):
                total -= self._size(path)
        return total <= self.max_bytes

    def _entries(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if is_key(path.name)]

    def _size(self, path: Path) -> int:
        if path.name not in self._sizes:
            try:
                self._sizes[path.name] = entry.nbytes(path)
            except OSError:
                return 0
        return self._sizes[path.name]

    def _remove_unused(self, path: Path) -> bool:
        """Remove an entry unless somebody has it in use; whether it is gone."""
        with _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB) as lock:
            if lock is _BUSY:
                return False
            self._size(path)
            return self._remove(path)

    def _remove(self, path: Path) -> bool:
        """Remove an entry at once for all who look for it, then its files; whether it is gone."""
        gone = self.folder / f"{_GONE}{secrets.token_urlsafe(12)}"
        try:
            path.rename(gone)
        except OSError:
            return not path.exists()
        _remove_tree(gone)
        return True

    def _sweep(self) -> None:
        """Remove what processes that are gone have left half written, or half removed."""
        with self._alone():
            for path in list(self.folder.iterdir()):
                if not _NOT_ENTRIES.fullmatch(path.name):
                    continue
                with _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB) as lock:
                    if lock is _HELD:
                        _remove_tree(path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread or process is in such a block of this folder's.

        Raises:
            OSError: The folder is gone, or cannot be written to.
        """
        with self._lock:
            file = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                with suppress(OSError):  # Of a file system without locks.
                    fcntl.flock(file, fcntl.LOCK_EX)
                yield
            finally:
                os.close(file)

    def _say(self, sentence: str) -> None:
        """Log what is wrong, once in a row: a full disk stays full."""
        if sentence != self._said:
            _log.warning("%s", sentence)
        self._said = sentence


# What became of a try to lock a folder.
_HELD, _BUSY, _NO_LOCKS, _ABSENT = "held", "busy", "no locks", "absent"


@contextmanager
def _locked(path: Path, how: int) -> Iterator[str]:
    """Lock a folder for as long as the block lasts, as `flock` does, and say what came of it."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        yield _ABSENT if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP) else _NO_LOCKS
        return
    try:
        yield _outcome(file, path, how)
    finally:
        os.close(file)


def _outcome(file: int, path: Path, how: int) -> str:
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return _BUSY
    except OSError:
        return _NO_LOCKS
    try:
        # It may have been removed, and written again, since it was opened.
        return _HELD if os.path.samestat(os.fstat(file), path.lstat()) else _ABSENT
    except OSError:
        return _ABSENT


def _lock_of(path: Path) -> int | None:
    """The open folder with its lock; None where the file system has none."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


def _let_go(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _remove_tree(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
