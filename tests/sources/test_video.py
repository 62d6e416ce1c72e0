"""Which frames of a video become files, what they look like, and what is no video."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pointprompt.sources import video
from pointprompt.sources.photos import ImageError, Limits, read_pixels
from pointprompt.sources.video import (
    DAMAGED,
    NO_PICTURES,
    NOT_A_VIDEO,
    VIDEO_SUFFIXES,
    VideoInfo,
    frames_taken,
    is_video,
    probe,
    read_frames,
)
from pointprompt.types import Progress
from tests.videos import color_of, frame, number_in, turn, write_sound, write_video

KINDS = [
    ("clip.mp4", "libx264"),
    ("clip.m4v", "mpeg4"),
    ("clip.mov", "mpeg4"),
    ("clip.webm", "libvpx"),
    ("clip.mkv", "libx264"),
    ("clip.avi", "mpeg4"),
    # AVI does not say in which order frames are seen.
    ("clip.avi", "libx264"),
]


def numbers_of(files: list[Path]) -> list[int]:
    """The numbers that the frames themselves say, by their colours."""
    return [number_in(read_pixels(file)[20:]) for file in files]


@pytest.mark.parametrize("name", ["a.mp4", "A.MOV", "b.c.webm", "x.mkv", "x.avi", "x.m4v", "x.3gp"])
def test_a_video_is_known_by_its_suffix(name: str) -> None:
    assert is_video(name)
    assert is_video(Path("folder") / name)


@pytest.mark.parametrize("name", ["a.jpg", "mp4", "clip.mp4.png", "a.gif", "list.m3u8", ""])
def test_what_is_named_otherwise_is_none(name: str) -> None:
    assert not is_video(name)


@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_every_nth_frame_is_written_under_its_number(tmp_path: Path, name: str, codec: str) -> None:
    path = write_video(tmp_path / name, 64, codec=codec)
    files = read_frames(path, tmp_path / "out", every=13)
    assert [file.name for file in files] == [f"clip-{n:04d}.jpg" for n in (0, 13, 26, 39, 52)]
    assert numbers_of(files) == [0, 13, 26, 39, 52]
    assert sorted((tmp_path / "out").iterdir()) == files


@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_a_file_is_probed_for_its_frames_seconds_and_size(
    tmp_path: Path, name: str, codec: str
) -> None:
    info = probe(write_video(tmp_path / name, 50, codec=codec))
    assert (info.frames, info.width, info.height) == (50, 96, 64)
    assert info.seconds == pytest.approx(2, abs=0.1)


def test_a_frame_has_the_colours_that_it_was_made_of(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 13, options={"crf": "4"})
    for number, file in enumerate(read_frames(path, tmp_path / "out")):
        pixels = read_pixels(file).astype(int)
        assert np.abs(pixels[-1, -1] - color_of(number)).max() <= 4
        assert pixels[4, 4].min() >= 250


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
def test_colours_are_of_the_matrix_that_the_file_says(tmp_path: Path, matrix: str) -> None:
    path, red = tmp_path / "clip.mp4", np.full((96, 96, 3), (255, 0, 0), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 96, "yuv420p"
        stream.options = {"colorspace": matrix, "crf": "4"}
        name = {"bt709": "ITU709", "smpte170m": "ITU601"}[matrix]
        one = av.VideoFrame.from_ndarray(red, "rgb24").reformat(
            format="yuv420p", dst_colorspace=name
        )
        container.mux(stream.encode(one))
        container.mux(stream.encode())
    (file,) = read_frames(path, tmp_path / "out")
    assert np.abs(read_pixels(file)[5, 5].astype(int) - (255, 0, 0)).max() <= 4


@pytest.mark.parametrize(("transfer", "is_hdr"), [("smpte2084", True), ("bt709", False)])
def test_hdr_is_said_to_be_shown_paler(tmp_path: Path, transfer: str, is_hdr: bool) -> None:
    options = {"color_trc": transfer, "color_primaries": "bt709", "colorspace": "bt709"}
    path = write_video(tmp_path / "clip.mp4", 2, options=options)
    notes: list[str] = []
    read_frames(path, tmp_path / "out", note=notes.append)
    assert notes == ([video._HDR] if is_hdr else [])


def test_edges_between_colours_keep_their_full_resolution(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 1)
    (file,) = read_frames(path, tmp_path / "out")
    with Image.open(file) as image:
        assert image.format == "JPEG"
        assert image.layer[0][1:3] == image.layer[1][1:3] == (1, 1)


def test_frames_stand_upright_where_the_file_says_how(tmp_path: Path) -> None:
    path = turn(write_video(tmp_path / "clip.mp4", 3))
    assert (probe(path).width, probe(path).height) == (64, 96)
    for number, file in enumerate(read_frames(path, tmp_path / "out")):
        pixels = read_pixels(file)
        assert pixels.shape == (96, 64, 3)
        # The corner that was the left upper one is the right upper one.
        assert pixels[5, -5].min() > 240
        assert number_in(pixels[40:, :30]) == number


def test_pixels_that_are_no_squares_become_squares(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.sample_aspect_ratio = 2
        container.mux(stream.encode(av.VideoFrame.from_ndarray(frame(7, (64, 64)), "rgb24")))
        container.mux(stream.encode())
    (file,) = read_frames(path, tmp_path / "out")
    assert read_pixels(file).shape == (64, 128, 3)
    assert (probe(path).width, probe(path).height) == (128, 64)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        # What browsers record and what is streamed tells neither its length nor where to begin.
        ("clip.webm", "libvpx", {"live": "1"}),
        ("clip.mkv", "libx264", {"live": "1"}),
        ("clip.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
def test_videos_that_were_made_to_be_streamed_are_read_as_others(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = write_video(tmp_path / name, 90, codec=codec, container_options=options)
    assert probe(path).frames == 90
    notes: list[str] = []
    files = read_frames(path, tmp_path / "out", every=29, note=notes.append)
    assert numbers_of(files) == [0, 29, 58, 87]
    assert notes == []


def test_frames_that_are_shown_for_different_times_are_counted_one_by_one(tmp_path: Path) -> None:
    times = [0, 10, 500, 510, 520, 3000, 3001, 3040, 9000, 9040]
    path = write_video(tmp_path / "clip.mkv", 10, milliseconds=times, key_every=4)
    files = read_frames(path, tmp_path / "out", every=3)
    assert [file.name[-8:-4] for file in files] == ["0000", "0003", "0006", "0009"]
    assert numbers_of(files) == [0, 3, 6, 9]


def test_of_a_video_that_was_trimmed_frames_are_counted_from_where_it_begins_now(
    tmp_path: Path,
) -> None:
    """A phone trims without coding anew: the frames before are there, and are not to be seen."""
    whole = write_video(tmp_path / "whole.mp4", 60, key_every=10, options={"bf": "0"})
    path, begin = tmp_path / "clip.mp4", 15
    with (
        av.open(str(whole)) as source,
        av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(source.streams.video[0]) if packet.size]
        a_frame = packets[1].pts - packets[0].pts
        for packet in packets[10:]:
            packet.pts -= begin * a_frame
            packet.dts = packet.pts
            packet.stream = stream
            target.mux(packet)
    assert probe(path).frames == 45
    notes: list[str] = []
    files = read_frames(path, tmp_path / "out", every=11, note=notes.append)
    assert [file.name[-8:-4] for file in files] == ["0000", "0011", "0022", "0033", "0044"]
    assert numbers_of(files) == [15, 26, 37, 48, 59]
    assert notes == []


@pytest.mark.parametrize("key_every", [1, 7, 250])
def test_frames_are_the_same_wherever_decoding_can_begin(tmp_path: Path, key_every: int) -> None:
    path = write_video(tmp_path / "clip.mp4", 60, key_every=key_every)
    assert numbers_of(read_frames(path, tmp_path / "out", every=11)) == [0, 11, 22, 33, 44, 55]


def test_a_frame_that_is_far_away_is_not_reached_through_all_before_it(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 200, key_every=10)
    steps: list[Progress] = []
    read_frames(path, tmp_path / "out", every=199, progress=steps.append)
    assert len(steps) < 40


def test_no_more_frames_are_written_than_there_is_room_for(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 30)
    assert numbers_of(read_frames(path, tmp_path / "a", every=2, limit=4)) == [0, 2, 4, 6]
    limits = Limits(max_images=3)
    assert numbers_of(read_frames(path, tmp_path / "b", limits=limits)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("frames", "every", "room", "taken"),
    [
        ([310], 13, 100, [24]),
        ([310], 1, 100, [100]),
        ([10, 10], 4, 100, [3, 3]),
        ([10, 10], 1, 15, [10, 5]),
        ([10, 10], 1, 0, [0, 0]),
        ([1], 1000, 5, [1]),
        ([], 1, 5, []),
    ],
)
def test_videos_take_the_room_one_after_the_other(
    frames: list[int], every: int, room: int, taken: list[int]
) -> None:
    assert frames_taken(frames, every, room) == taken


@pytest.mark.parametrize(("every", "limit"), [(0, 1), (-1, 1), (1, 0)])
def test_no_frame_or_less_than_every_one_cannot_be_asked_for(
    tmp_path: Path, every: int, limit: int
) -> None:
    with pytest.raises(ValueError, match=r"from 1 on\.$"):
        read_frames(tmp_path / "clip.mp4", tmp_path, every, limit)


def test_progress_counts_files_and_ends_the_reading_by_what_it_raises(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop_at_two(step: Progress) -> None:
        if step.done == 2:
            raise Enough

    path = write_video(tmp_path / "clip.mp4", 20)
    steps: list[Progress] = []
    read_frames(path, tmp_path / "a", every=5, progress=steps.append)
    assert steps[-1] == Progress("frames", 4, 4)
    with pytest.raises(Enough):
        read_frames(path, tmp_path / "b", every=5, progress=stop_at_two)
    assert len(list((tmp_path / "b").iterdir())) == 2


@pytest.mark.parametrize("stem", ["Kühe_.._x", "a" * 240, "CON", "…", "牛" * 80])
def test_names_of_frames_keep_their_numbers_and_are_names_for_any_file_system(
    tmp_path: Path, stem: str
) -> None:
    path = write_video(tmp_path / "clip.mp4", 3).rename(tmp_path / f"{stem}.mp4")
    files = read_frames(path, tmp_path / "out")
    assert [file.stem[-5:] for file in files] == ["-0000", "-0001", "-0002"]
    assert all(len(file.name) <= 100 and len(file.name.encode()) <= 180 for file in files)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi", "clip.mkv"])
def test_a_title_in_any_coding_is_no_matter(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "ABCDEFG"
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(frame(5), "rgb24")))
        container.mux(stream.encode())
    data = path.read_bytes()
    assert data.count(b"ABCDEFG") == 1
    path.write_bytes(data.replace(b"ABCDEFG", "Müllöße".encode("latin-1")))
    assert numbers_of(read_frames(path, tmp_path / "out")) == [5]


def large_video(path: Path) -> Path:
    """A video of noise, whose frames are most of the file, and which says first where they lie."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (64, 96, 3), np.uint8) for _ in range(40)]
    return write_video(path, noise, container_options={"movflags": "+faststart"})


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.webm"])
def test_of_a_video_that_is_cut_off_the_frames_before_are_taken_and_it_is_said(
    tmp_path: Path, name: str
) -> None:
    codec = "libvpx" if name.endswith("webm") else "libx264"
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (64, 96, 3), np.uint8) for _ in range(40)]
    options = {"movflags": "+faststart"} if name.endswith("mp4") else {}
    path = write_video(tmp_path / name, noise, codec=codec, container_options=options)
    whole = read_frames(path, tmp_path / "whole")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    notes: list[str] = []
    files = read_frames(path, tmp_path / "out", note=notes.append)
    assert 10 <= len(files) < 30
    for file in files[:10]:
        assert file.read_bytes() == (tmp_path / "whole" / file.name).read_bytes()
    assert len(whole) == 40
    last = int(files[-1].stem[-4:])
    said = f"{len(files)} frames of it can be used, up to number {last}."
    assert notes == [f"The file is cut off: {said}"]


def test_of_a_video_that_is_damaged_in_the_middle_the_frames_before_are_taken(
    tmp_path: Path,
) -> None:
    path = large_video(tmp_path / "clip.mp4")
    data = bytearray(path.read_bytes())
    middle = slice(len(data) * 5 // 10, len(data) * 8 // 10)
    data[middle] = os.urandom(middle.stop - middle.start)
    path.write_bytes(data)
    notes: list[str] = []
    files = read_frames(path, tmp_path / "out", note=notes.append)
    assert 5 <= len(files) < 30
    (note,) = notes
    assert note.startswith("The video is damaged: ")


def test_a_video_that_lacks_its_table_of_frames_is_a_sentence(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 20)
    path.write_bytes(path.read_bytes()[:-600])
    for read in (probe, lambda path: read_frames(path, tmp_path / "out")):
        with pytest.raises(ImageError, match=DAMAGED):
            read(path)


def test_sound_alone_is_a_sentence(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "song.mp4")
    for read in (probe, lambda path: read_frames(path, tmp_path / "out")):
        with pytest.raises(ImageError, match=NO_PICTURES):
            read(path)


def test_frames_that_are_too_big_are_refused_before_one_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "clip.mp4", 2)
    monkeypatch.setattr(video, "wanted", lambda *_: pytest.fail("A frame was decoded."))
    with pytest.raises(
        ImageError, match=r"0\.0 megapixels \(96 x 64\); at most 0\.001 are allowed"
    ):
        read_frames(path, tmp_path / "out", limits=Limits(max_megapixels=0.001))


def test_a_file_that_says_a_giant_size_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.avi", 2, codec="ffv1")
    # In the header of the file's stream: width and height, 4 bytes each.
    stored = (96).to_bytes(4, "little") + (64).to_bytes(4, "little")
    giant = (20_000).to_bytes(4, "little") + (10_000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(stored, giant))
    with pytest.raises(ImageError, match=r"200\.0 megapixels"):
        probe(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0 a photo", b"GIF89a", b"%PDF", b"RIFF"])
def test_other_files_are_no_videos(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"\.$"):
        probe(path)


def test_a_folder_and_a_missing_file_are_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.mp4"):
        with pytest.raises(ImageError, match="There is no such file"):
            probe(path)


def test_the_suffixes_are_those_that_the_sentence_names() -> None:
    named = {"MP4", "MOV", "3GP", "WebM", "MKV", "AVI"}
    assert all(name in NOT_A_VIDEO for name in named)
    assert {name.lower() for name in named} | {"m4v"} == {suffix[1:] for suffix in VIDEO_SUFFIXES}
    assert VideoInfo(1, 0.04, 2, 3).frames == 1
