"""The one folder for all that visitors leave on disk, which goes with the server, however it ends.

Knows files and locks. Does not know what is kept in the folder, nor when the process ends.

A server holds a lock on a file in its folder. The kernel lets go of it when the process ends, also
after `kill -9`: a folder whose lock can be had was left by a server that is no more, and the next
one removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Names of our folders begin with this, and those that a later server may remove hold this file.
PREFIX = "pointprompt-"
MARKER = "pointprompt.lock"

# Left free on the disk for all else: logs, temporary files, the masks of the next download.
_SPARE_BYTES = 64 * 10**6
_TRIES = 20


class ServerFolder:
    """The folder of this process, from `tempfile.mkdtemp`: nobody else may look into it.

    Attributes:
        path: Where it is, without symbolic links.
        sessions: The folder for what belongs to sessions.
        uploads: The folder for what was uploaded and belongs to no session yet.
        temporary: The folder for the temporary files of this process.
        empty: A folder in which there is nothing.
    """

    def __init__(self, parent: Path) -> None:
        """Make the folder in `parent`, which is made too where it is missing.

        Raises:
            OSError: That cannot be done.
        """
        parent.mkdir(parents=True, exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).resolve()
        self.sessions = self._subfolder("sessions")
        self.uploads = self._subfolder("uploads")
        self.temporary = self._subfolder("tmp")
        self.empty = self._subfolder("empty")
        self._lock = _hold_marker(self.path)
        os.register_at_fork(after_in_child=self._let_go)

    def remove(self) -> None:
        """Remove the folder with everything in it, as far as this process may."""
        # Threads may be writing faster than can be removed: by its old name they find it no more.
        gone = self.path.with_name(f"{self.path.name}-gone")
        with suppress(OSError):
            self.path.rename(gone)
        # Again, for a thread that was just writing, and for what makes a folder that is missing, as
        # gradio does for an upload.
        for _ in range(_TRIES):
            for folder in (gone, self.path):
                _remove(folder)
            if not gone.exists() and not self.path.exists():
                break
        self._let_go()

    def _subfolder(self, name: str) -> Path:
        folder = self.path / name
        folder.mkdir(mode=0o700)
        return folder

    def _let_go(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None


def remove_dead(parent: Path) -> None:
    """Remove what servers that are no more have left in `parent`, as far as it is this user's.

    Never a folder without our marker, nor one that a server still holds; what cannot be removed is
    left alone.
    """
    with suppress(OSError):
        for entry in list(os.scandir(parent)):
            if entry.name.startswith(PREFIX) and _is_own_folder(entry):
                with _held(Path(entry.path, MARKER)) as is_held:
                    if is_held:
                        _remove(Path(entry.path))


def room_for(folder: Path, nbytes: int) -> bool:
    """Whether so many bytes more fit on the disk of a folder, with something left for the rest.

    Raises:
        OSError: The folder is gone.
    """
    return shutil.disk_usage(folder).free >= nbytes + _SPARE_BYTES


def _hold_marker(folder: Path) -> int | None:
    """Put the marker into a folder, and hold its lock.

    Returns:
        The open file that holds it; None where the file system has no locks, and so no marker.
    """
    # It gets its name when it is locked: until then it marks nothing that could be removed.
    unlocked = folder / f"{MARKER}.new"
    file = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        unlocked.unlink()
        return None
    unlocked.rename(folder / MARKER)
    return file


@contextmanager
def _held(marker: Path) -> Iterator[bool]:
    """Whether the marker is there and its lock could be had; it is held as long as the context."""
    try:
        file = os.open(marker, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another server, starting at the same time, may have removed it since.
        is_held = os.fstat(file).st_nlink > 0
    except OSError:
        is_held = False
    try:
        yield is_held
    finally:
        os.close(file)


def _is_own_folder(entry: os.DirEntry[str]) -> bool:
    try:
        is_own = entry.stat(follow_symlinks=False).st_uid == os.getuid()
        return is_own and entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _remove(folder: Path) -> None:
    """Remove a folder, its marker last: what was cut short is found again by the next server."""
    with suppress(OSError):
        for path in list(folder.iterdir()):
            with suppress(OSError):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name != MARKER:
                    path.unlink()
        if all(path.name == MARKER for path in folder.iterdir()):
            (folder / MARKER).unlink(missing_ok=True)
            folder.rmdir()
