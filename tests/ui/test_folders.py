from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from pointprompt.ui import folders
from pointprompt.ui.folders import MARKER, PREFIX, ServerFolder, remove_dead, room_for

HOLD = """
import sys
from pathlib import Path
from pointprompt.ui.folders import ServerFolder

folder = ServerFolder(Path(sys.argv[1]))
(folder.sessions / "photo.jpg").write_bytes(b"private")
print(folder.path, flush=True)
sys.stdin.read()
"""
CLEAN = """
import sys
from pathlib import Path
from pointprompt.ui.folders import remove_dead

sys.stdin.read()
remove_dead(Path(sys.argv[1]))
"""


@contextmanager
def holding(parent: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """The folder of another process, and that process."""
    command = [sys.executable, "-c", HOLD, str(parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Path(process.stdout.readline().decode().strip()), process
        process.kill()


def dead_folder(parent: Path) -> Path:
    """What a server that was killed has left."""
    with holding(parent) as (folder, process):
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (folder / "sessions" / "photo.jpg").exists()
    return folder


def test_what_a_killed_server_left_is_removed(tmp_path):
    folder = dead_folder(tmp_path)
    (folder / "sessions" / "link").symlink_to(tmp_path)
    (folder / "sessions" / "deep" / "er").mkdir(parents=True)
    remove_dead(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_living_server_stays(tmp_path):
    with holding(tmp_path) as (folder, _):
        remove_dead(tmp_path)
        assert (folder / "sessions" / "photo.jpg").read_bytes() == b"private"
    remove_dead(tmp_path)
    assert not folder.exists()


def test_ones_own_folder_stays(tmp_path):
    folder = ServerFolder(tmp_path)
    remove_dead(tmp_path)
    assert folder.sessions.is_dir()
    folder.remove()


def test_a_folder_without_our_marker_is_not_ours(tmp_path):
    foreign = tmp_path / f"{PREFIX}foo"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("the only copy")
    remove_dead(tmp_path)
    assert (foreign / "thesis.txt").exists()


def test_a_folder_of_another_name_is_not_ours(tmp_path):
    other = dead_folder(tmp_path).rename(tmp_path / "backup-of-pointprompt-1")
    remove_dead(tmp_path)
    assert (other / "sessions" / "photo.jpg").exists()


def test_a_file_with_the_name_of_a_folder_of_ours_stays(tmp_path):
    (tmp_path / f"{PREFIX}notes").write_text("text")
    remove_dead(tmp_path)
    assert (tmp_path / f"{PREFIX}notes").exists()


def test_a_link_to_a_folder_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    real = dead_folder(tmp_path / "elsewhere")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (temporary / f"{PREFIX}abcdefgh").symlink_to(real)
    remove_dead(temporary)
    assert (real / "sessions" / "photo.jpg").exists()


def test_a_marker_that_is_a_link_marks_nothing(tmp_path):
    dead = dead_folder(tmp_path)
    other = tmp_path / f"{PREFIX}other"
    other.mkdir()
    (other / MARKER).symlink_to(dead / MARKER)
    remove_dead(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [other.name]


def test_a_folder_of_another_user_stays(tmp_path, monkeypatch):
    folder = dead_folder(tmp_path)
    another = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: another)
    remove_dead(tmp_path)
    assert (folder / "sessions" / "photo.jpg").exists()


def test_what_may_not_be_removed_keeps_neither_its_neighbours_nor_other_folders(
    tmp_path, monkeypatch
):
    dead = [dead_folder(tmp_path) for _ in range(3)]
    for folder in dead:
        (folder / "1.txt").write_text("kept")
        (folder / "2.txt").write_text("gone")
    unlink = Path.unlink

    def refuse(path: Path, **options: bool) -> None:
        if path.name == "1.txt":
            raise PermissionError(path)
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        remove_dead(tmp_path)
    for folder in dead:
        assert {path.name for path in folder.iterdir()} == {"1.txt", MARKER}


def test_a_removal_that_is_cut_short_is_finished_by_the_next_server(tmp_path, monkeypatch):
    folder = dead_folder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(folders.shutil, "rmtree", lambda *_, **__: None)
        remove_dead(tmp_path)
    assert (folder / MARKER).exists()
    remove_dead(tmp_path)
    assert not folder.exists()


def test_a_temporary_folder_that_is_not_there_has_nothing_to_remove(tmp_path):
    remove_dead(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []


def test_servers_that_start_at_once_remove_the_dead_and_keep_each_others(tmp_path):
    for _ in range(5):
        dead_folder(tmp_path)
    with holding(tmp_path) as (alive, _):
        command = [sys.executable, "-c", CLEAN, str(tmp_path)]
        cleaners = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(4)
        ]
        # All have imported what they need, or will soon: what they wait for comes to an end now.
        for cleaner in cleaners:
            assert cleaner.stdin is not None
            cleaner.stdin.close()
            cleaner.stdin = None
        assert [cleaner.communicate()[1] for cleaner in cleaners] == [b""] * 4
        assert [path.name for path in tmp_path.iterdir()] == [alive.name]


def test_a_folder_has_no_marker_before_it_is_locked(tmp_path, monkeypatch):
    seen = []
    flock = folders.fcntl.flock

    def look(file: int, how: int) -> None:
        seen.extend(path.name for path in tmp_path.rglob("*.lock"))
        flock(file, how)

    monkeypatch.setattr(folders.fcntl, "flock", look)
    folder = ServerFolder(tmp_path)
    assert seen == []
    assert (folder.path / MARKER).exists()
    folder.remove()


def test_without_locks_a_server_has_a_folder_that_nobody_removes(tmp_path, monkeypatch):
    def fail(file: int, how: int) -> None:
        raise OSError("no locks available")

    with monkeypatch.context() as patch:
        patch.setattr(folders.fcntl, "flock", fail)
        folder = ServerFolder(tmp_path)
    remove_dead(tmp_path)
    assert folder.sessions.is_dir()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_may_look_into_the_folder(tmp_path):
    folder = ServerFolder(tmp_path / "made" / "too")
    assert folder.path.stat().st_mode & 0o077 == 0
    folder.remove()


def test_the_folder_goes_while_threads_write_into_it(tmp_path):
    folder = ServerFolder(tmp_path)
    stopped = threading.Event()

    def write(number: int) -> None:
        count = 0
        while not stopped.is_set():
            count += 1
            try:
                (folder.sessions / f"{number}-{count}").mkdir()
                (folder.sessions / f"{number}-{count}" / "photo.jpg").write_bytes(bytes(1000))
            except OSError:
                stopped.wait(0.001)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    folder.remove()
    stopped.set()
    for thread in threads:
        thread.join()
    assert list(tmp_path.iterdir()) == []


def test_a_forked_process_that_lives_on_does_not_hold_the_folder(tmp_path):
    script = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from pointprompt.ui.folders import ServerFolder\n"
        "folder = ServerFolder(Path(sys.argv[1]))\n"
        "ready, tell = os.pipe()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os.write(tell, b'x')\n"
        "    sys.stdin.read()\n"
        "    os._exit(0)\n"
        "os.read(ready, 1)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.wait() == -signal.SIGKILL
        assert len(list(tmp_path.iterdir())) == 1
        remove_dead(tmp_path)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("free", "asked", "fits"),
    [
        (10**9, 10**8, True),
        (10**9, 10**9, False),
        (10**9, 10**9 - folders._SPARE_BYTES, True),
        (10**9, 10**9 - folders._SPARE_BYTES + 1, False),
        (0, 0, False),
    ],
)
def test_there_is_room_where_something_is_left_for_the_rest(
    tmp_path, monkeypatch, free, asked, fits
):
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert room_for(tmp_path, asked) is fits


def test_a_real_disk_has_room_for_a_byte_and_not_for_everything(tmp_path):
    assert room_for(tmp_path, 1)
    assert not room_for(tmp_path, 2**62)
