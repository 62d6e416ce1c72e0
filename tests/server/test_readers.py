from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from pointprompt.server import readers
from pointprompt.server.readers import CRASHED, TOO_SLOW, Readers, Stopped
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import ImageError, Limits, read, read_set
from pointprompt.types import Progress
from tests.hostile import many_scans

LIMITS = Limits()


def photo(folder: Path, name: str = "a.jpg", seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    path = folder / name
    Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def pool() -> Iterator[Readers]:
    pool = Readers()
    yield pool
    pool.close()


def processes() -> set[int]:
    """The reading processes of this one, those that are just starting included."""
    found = set()
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if child.status() != psutil.STATUS_ZOMBIE:
                found.add(child.pid)
    return found


def are_gone(before: set[int]) -> bool:
    """Whether no more processes than before are left, within half a minute."""
    deadline = time.monotonic() + 30
    while processes() - before and time.monotonic() < deadline:
        time.sleep(0.05)
    return processes() <= before


def test_a_photo_is_read_as_in_this_process(pool: Readers, tmp_path: Path) -> None:
    path = photo(tmp_path, "b.png")
    with pool.reader() as reader:
        got, square = reader(path, "name", Framing(32), LIMITS)
    expected, expected_square = read(path, "name", Framing(32), LIMITS)
    assert vars(got) == vars(expected)
    np.testing.assert_array_equal(square, expected_square)


def test_how_a_photo_is_turned_comes_back_too(pool: Readers, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png", exif=exif)
    with pool.reader() as reader:
        got, _ = reader(tmp_path / "a.png", "name", Framing(32), LIMITS)
    assert (got.height, got.width, got.orientation) == (40, 30, 8)


def test_a_frame_in_its_photos_aspect_is_read_as_in_this_process(
    pool: Readers, tmp_path: Path
) -> None:
    path = photo(tmp_path)
    for framing in (Framing(128, 8), Framing(128, 8, grid=(1, 3))):
        with pool.reader() as reader:
            _, frame = reader(path, "name", framing, LIMITS)
        _, expected = read(path, "name", framing, LIMITS)
        np.testing.assert_array_equal(frame, expected)


def test_what_is_wrong_with_a_file_is_said_in_the_same_words(pool: Readers, tmp_path: Path) -> None:
    broken = tmp_path / "x.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + b"nonsense" * 20)
    big = photo(tmp_path)
    for path, limits in (
        (broken, LIMITS),
        (tmp_path / "nothing", LIMITS),
        (big, Limits(max_megapixels=0.001)),
    ):
        with pytest.raises(ImageError) as here:
            read(path, "x", Framing(8), limits)
        with pool.reader() as reader, pytest.raises(ImageError) as there:
            reader(path, "x", Framing(8), limits)
        assert str(there.value) == str(here.value)


def test_pixels_and_pillow_images_are_read_here(pool: Readers) -> None:
    with pool.reader() as reader:
        got, _ = reader(np.zeros((3, 4, 3), np.uint8), "a", Framing(8), LIMITS)
    assert (got.height, got.width) == (3, 4)


def test_a_file_that_takes_too_long_is_named_and_the_next_one_is_read(
    pool: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, good = tmp_path / "slow.jpg", photo(tmp_path)
    slow.write_bytes(many_scans(side=3000, scans=2000))
    with pool.reader() as reader:
        reader(good, "good", Framing(8), LIMITS)  # The process has started.
        monkeypatch.setattr(readers, "SECONDS_A_MEGAPIXEL", 0.0)
        monkeypatch.setattr(readers, "SECONDS", 1.0)
        # What `decode` refuses at once never gets here.
        with pytest.raises(ImageError):
            reader(slow, "slow", Framing(8), LIMITS)
        monkeypatch.setattr(readers, "SECONDS", 60.0)
        assert reader(good, "good", Framing(8), LIMITS)[0].width == 64


def test_a_process_that_does_not_answer_in_time_is_ended(
    pool: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "SECONDS", 0.0)
    before = processes()
    with pool.reader() as reader, pytest.raises(ImageError, match=TOO_SLOW):
        reader(photo(tmp_path), "a", Framing(8), LIMITS)
    assert are_gone(before)


def test_a_file_that_takes_too_much_memory_is_named(tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    Image.new("L", (7000, 7000)).save(path)
    small = Readers(max_image_bytes=-readers._OVERHEAD_BYTES + (200 << 20))
    with small.reader() as reader:
        with pytest.raises(ImageError) as told:
            reader(path, "big", Framing(8), LIMITS)
        assert "too big for the memory" in str(told.value)
        assert reader(photo(tmp_path), "a", Framing(8), LIMITS)[0].width == 64
    small.close()


def test_a_reader_that_crashes_costs_one_image_only(pool: Readers, tmp_path: Path) -> None:
    good = photo(tmp_path)
    with pool.reader() as reader:
        reader(good, "a", Framing(8), LIMITS)
        (process,) = pool._idle
        real_ask = process.ask

        def crash(question: dict[str, object], seconds: float) -> object:
            os.kill(process._popen.pid, signal.SIGSEGV)
            return real_ask(question, seconds)

        process.ask = crash  # type: ignore[method-assign,assignment]
        with pytest.raises(ImageError, match=CRASHED):
            reader(good, "a", Framing(8), LIMITS)
        assert reader(good, "a", Framing(8), LIMITS)[0].width == 64


def test_what_a_taken_over_process_sends_is_not_believed(pool: Readers, tmp_path: Path) -> None:
    good = photo(tmp_path)
    with pool.reader() as reader:
        reader(good, "a", Framing(8), LIMITS)
        (process,) = pool._idle
        with pytest.raises(EOFError):
            # It sends more than was asked for.
            asked = {"path": str(good), "name": "a", "framing": {"side": 8}, "megapixels": 50}
            process.send(asked)
            process.receive(2)


def test_the_images_of_a_set_are_read_by_few_processes_and_none_is_left(
    pool: Readers, tmp_path: Path
) -> None:
    before = processes()
    paths = [photo(tmp_path, f"{i}.png", i) for i in range(12)]
    most = 0

    def count(_: Progress) -> None:
        nonlocal most
        most = max(most, len(processes() - before))

    with pool.reader() as reader:
        images = read_set(paths, Framing(16), progress=count, read_one=reader)
    assert [p.name for p in images.photos] == [path.name for path in paths]
    assert 1 <= most <= 3
    assert len(processes() - before) <= readers._KEPT
    pool.close()
    assert are_gone(before)


def test_no_more_processes_run_than_are_allowed_for_all_sets_together(tmp_path: Path) -> None:
    pool = Readers(most=2)
    before = processes()
    paths = [photo(tmp_path, f"{i}.png", i) for i in range(4)]
    counts: list[int] = []

    def read_all() -> None:
        with pool.reader() as reader:
            read_set(
                paths,
                Framing(16),
                progress=lambda _: counts.append(len(processes() - before)),
                read_one=reader,
            )

    threads = [threading.Thread(target=read_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    pool.close()
    assert len(counts) >= 12
    assert max(counts) <= 2 + readers._KEPT


def test_a_set_that_is_given_up_while_a_file_is_read_ends_at_once_with_its_processes(
    pool: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cancelled(Exception):
        pass

    asked = threading.Event()

    def wait_for_ever(self: object, question: object, seconds: float) -> None:
        asked.set()
        self._connection.poll(60)  # type: ignore[attr-defined]
        raise EOFError

    monkeypatch.setattr(readers.Process, "ask", wait_for_ever)
    before = processes()

    def cancel(_: Progress) -> None:
        if asked.is_set():
            raise Cancelled

    with pytest.raises(Cancelled), pool.reader() as reader:
        read_set([photo(tmp_path)] * 5, Framing(8), progress=cancel, read_one=reader)
    assert are_gone(before)
    with pytest.raises(Stopped):
        reader(photo(tmp_path), "a", Framing(8), LIMITS)


def test_a_set_waits_for_memory_that_another_one_takes(pool: Readers, tmp_path: Path) -> None:
    path = photo(tmp_path)
    told = threading.Event()

    def read_one() -> None:
        with contextlib.suppress(Stopped):
            reader(path, "a", Framing(8), LIMITS)
            told.set()

    with pool.reader() as reader, pool._memory.take(pool.max_bytes, lambda: None):
        thread = threading.Thread(target=read_one)
        thread.start()
        assert not told.wait(1)
    # The block has ended, so the reader was stopped rather than served.
    thread.join(30)
    assert not told.is_set()


def test_a_process_ends_when_the_server_is_killed() -> None:
    program = (
        "import sys, time; from pointprompt.server.readers import Process;"
        "print(Process(1 << 32)._popen.pid, flush=True); time.sleep(600)"
    )
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    child = psutil.Process(int(server.stdout.readline()))
    server.kill()
    server.wait()
    psutil.wait_procs([child], timeout=60)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
