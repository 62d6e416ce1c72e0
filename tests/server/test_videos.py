"""Frames of videos, taken out by other processes: what arrives, and what ends them."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pointprompt.server import readers, videos
from pointprompt.server.readers import CRASHED, TOO_SLOW, Process, Readers
from pointprompt.server.videos import Videos
from pointprompt.sources import video
from pointprompt.sources.photos import ImageError, Limits, read_pixels
from pointprompt.types import Progress, tell_nobody
from tests import hostile
from tests.server.test_readers import are_gone, photo, processes
from tests.videos import number_in, write_sound, write_video


@pytest.fixture
def pool() -> Iterator[Readers]:
    pool = Readers()
    yield pool
    pool.close()


@pytest.fixture(params=["processes", "here"])
def reading(request: pytest.FixtureRequest, pool: Readers) -> Videos:
    return Videos(pool if request.param == "processes" else None, Limits())


def fetched(
    reading: Videos,
    files: Sequence[Path],
    folder: Path,
    *,
    every: object = 1,
    notes: list[str] | None = None,
    progress: Any = tell_nobody,
) -> list[Path]:
    note = (notes if notes is not None else []).append
    return list(reading.fetch(files, every, lambda: (), note)(folder, progress))


def names(files: Sequence[Path]) -> list[str]:
    return [file.name for file in files]


def test_every_nth_frame_is_fetched_among_images_in_their_order(
    reading: Videos, tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "clip.mp4", 20)
    files = [photo(tmp_path, "a.jpg"), clip, photo(tmp_path, "b.png")]
    notes: list[str] = []
    found = fetched(reading, files, tmp_path / "set", every=8.0, notes=notes)
    assert names(found) == ["a.jpg", "clip-0000.jpg", "clip-0008.jpg", "clip-0016.jpg", "b.png"]
    assert [number_in(read_pixels(file)[20:]) for file in found[1:-1]] == [0, 8, 16]
    assert all(file.is_relative_to(tmp_path / "set") for file in found)
    assert notes == []


def test_a_video_is_probed_and_what_was_found_is_remembered(
    reading: Videos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_video(tmp_path / "clip.mp4", 20)
    info = reading.probe(clip)
    assert (info.frames, info.width, info.height) == (20, 96, 64)
    monkeypatch.setattr(reading, "_probe", lambda path: pytest.fail("It was asked again."))
    assert reading.probe(clip) == info


def test_progress_is_told_frame_by_frame(reading: Videos, tmp_path: Path) -> None:
    clip, steps = write_video(tmp_path / "clip.mp4", 20), list[Progress]()
    fetched(reading, [clip], tmp_path / "set", every=5, progress=steps.append)
    assert Progress("frames", 2, 4) in steps
    assert {step.stage for step in steps} == {"frames"}


def test_images_have_their_room_before_videos_and_what_had_none_is_said(
    pool: Readers, tmp_path: Path
) -> None:
    one, two = (write_video(tmp_path / name, 6) for name in ("one.mp4", "two.mp4"))
    files = [one, two, photo(tmp_path, "a.jpg")]
    notes: list[str] = []
    five, full = (Videos(pool, Limits(max_images=most)) for most in (5, 1))
    found = fetched(five, files, tmp_path / "set", every=2, notes=notes)
    assert names(found) == [
        *[f"one-000{n}.jpg" for n in (0, 2, 4)],
        "two-0000.jpg",
        "a.jpg",
    ]
    assert notes == ["two.mp4: the set had room for only 1 of 3 frames."]
    notes.clear()
    assert names(fetched(full, files, tmp_path / "full", every=2, notes=notes)) == ["a.jpg"]
    assert notes[0] == "one.mp4: the set had room for only 0 of 3 frames."


def test_a_video_that_cannot_be_used_is_told_and_the_others_are_fetched(
    reading: Videos, tmp_path: Path
) -> None:
    song, clip = write_sound(tmp_path / "song.mp4"), write_video(tmp_path / "clip.mp4", 2)
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"#EXTM3U\n#EXTINF:10,\n{clip}\n/etc/passwd\n")
    notes: list[str] = []
    found = fetched(reading, [song, clip, playlist], tmp_path / "set", notes=notes)
    assert names(found) == ["clip-0000.jpg", "clip-0001.jpg"]
    assert notes == [f"song.mp4: {video.NO_PICTURES}", f"list.mp4: {video.NOT_A_VIDEO}"]


def test_where_there_is_nothing_else_a_video_that_cannot_be_used_is_an_error(
    reading: Videos, tmp_path: Path
) -> None:
    song = write_sound(tmp_path / "song.mp4")
    with pytest.raises(ImageError, match=f"song.mp4: {video.NO_PICTURES}"):
        fetched(reading, [song], tmp_path / "set")


def test_frames_that_are_too_big_are_a_sentence(pool: Readers, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 2)
    small = Videos(pool, Limits(max_megapixels=0.001))
    with pytest.raises(ImageError, match=r"at most 0\.001 are allowed"):
        small.probe(clip)
    with pytest.raises(ImageError, match=r"at most 0\.001 are allowed"):
        fetched(small, [clip], tmp_path / "set")


def test_what_is_wrong_is_looked_at_again_when_frames_are_asked_for(
    pool: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, reading = write_video(tmp_path / "clip.mp4", 2), Videos(pool, Limits())
    monkeypatch.setattr(videos, "SECONDS", 0.0)
    for _ in range(2):
        with pytest.raises(ImageError, match=TOO_SLOW):
            reading.probe(clip)
    monkeypatch.undo()
    with pytest.raises(ImageError, match=TOO_SLOW):
        reading.probe(clip)
    assert len(fetched(reading, [clip], tmp_path / "set")) == 2


def test_of_a_video_that_takes_too_long_the_frames_so_far_are_used(
    pool: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, reading = write_video(tmp_path / "clip.mp4", 40), Videos(pool, Limits())
    reading.probe(clip)
    before = processes()
    # No time at all: it is over when the first frame was told.
    monkeypatch.setattr(videos, "VIDEO_SECONDS", 0.0)
    notes: list[str] = []
    found: list[Path] = []
    try:
        found = fetched(reading, [clip], tmp_path / "set", notes=notes)
    except ImageError as error:  # Where the first that was told was no frame yet.
        assert TOO_SLOW in str(error)
    else:
        assert notes[0].startswith(f"clip.mp4: {TOO_SLOW} ")
        assert notes[0].endswith(f"up to number {len(found) - 1}.")
        assert all(read_pixels(file).shape == (64, 96, 3) for file in found)
    assert are_gone(before)


def test_of_a_video_whose_reader_crashes_the_frames_so_far_are_used(
    pool: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, reading = write_video(tmp_path / "clip.mp4", 40), Videos(pool, Limits())
    real = Process.answer

    def crash(self: Process, seconds: float, waiting: Any = None) -> dict[str, Any]:
        answer = real(self, seconds, waiting)
        if answer.get("done", 0) >= 3:
            os.kill(self._popen.pid, signal.SIGSEGV)
            self._popen.wait()
            raise EOFError
        return answer

    monkeypatch.setattr(Process, "answer", crash)
    notes: list[str] = []
    found = fetched(reading, [clip], tmp_path / "set", notes=notes)
    assert names(found)[:3] == ["clip-0000.jpg", "clip-0001.jpg", "clip-0002.jpg"]
    assert all(read_pixels(file).shape == (64, 96, 3) for file in found)
    (note,) = notes
    assert note.startswith(f"clip.mp4: {CRASHED} {len(found)} frames of it can be used")


def test_a_video_that_is_given_up_in_the_middle_ends_its_process(
    pool: Readers, tmp_path: Path
) -> None:
    class Cancelled(Exception):
        pass

    def cancel(step: Progress) -> None:
        if step.done:
            raise Cancelled

    before = processes()
    clip = write_video(tmp_path / "clip.mp4", 40)
    with pytest.raises(Cancelled):
        fetched(Videos(pool, Limits()), [clip], tmp_path / "set", progress=cancel)
    assert are_gone(before)


def test_a_video_that_takes_too_much_memory_is_a_sentence(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.avi", 2, codec="ffv1")
    stored = (96).to_bytes(4, "little") + (64).to_bytes(4, "little")
    large = (12_000).to_bytes(4, "little") + (9_000).to_bytes(4, "little")
    clip.write_bytes(clip.read_bytes().replace(stored, large))
    pool = Readers(max_image_bytes=-readers._OVERHEAD_BYTES + (160 << 20))
    try:
        with pytest.raises(ImageError, match=r"too big for the memory|damaged"):
            fetched(Videos(pool, Limits()), [clip], tmp_path / "set")
    finally:
        pool.close()


def test_a_disk_that_is_full_is_told_as_that_and_not_as_damage(
    pool: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_video(tmp_path / "clip.mp4", 10)
    monkeypatch.setattr(videos, "_SPARE_BYTES", 1 << 80)
    with pytest.raises(OSError) as told:
        fetched(Videos(pool, Limits()), [clip], tmp_path / "set")
    assert told.value.errno == errno.ENOSPC


def test_what_a_taken_over_process_leaves_beside_frames_is_not_taken(tmp_path: Path) -> None:
    real = photo(tmp_path, "clip-0001.jpg")
    (tmp_path / "clip-0000.jpg").symlink_to("/etc/passwd")
    (tmp_path / "clip-0002.jpg").mkdir()
    (tmp_path / "clip-0003.unfinished").write_bytes(b"")
    asked = videos._Asked(tmp_path / "clip.mp4", tmp_path, 1, 5)
    assert videos._written(asked) == [real]
    assert videos._written(asked._replace(most=0)) == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(every=hostile.JSON)
def test_a_crafted_number_of_frames_is_a_sentence_or_a_number(every: object) -> None:
    try:
        assert videos._whole(every) >= 1
    except ValueError as error:
        assert str(error).endswith(".")


def test_without_videos_nobody_asks_for_every_how_many(reading: Videos, tmp_path: Path) -> None:
    found = fetched(reading, [photo(tmp_path)], tmp_path / "set", every=None)
    assert names(found) == ["a.jpg"]
