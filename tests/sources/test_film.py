"""Which files are films, which frames they have, and how these are reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from pointprompt.sources import film
from pointprompt.sources.film import IS_DAMAGED, NOT_A_VIDEO, Film, opened, order_of, wanted
from pointprompt.sources.photos import ImageError, Limits
from pointprompt.sources.video import probe, read_frames
from pointprompt.types import tell_nobody
from tests.videos import number_in, write_video

LIMITS = Limits()


def numbers_of(path: Path, numbers: list[int]) -> list[tuple[int, int]]:
    """The numbers of wanted frames, each with what its colour says."""
    with opened(path, LIMITS) as opened_film:
        order = order_of(opened_film, tell_nobody)
        return [
            (number, number_in(frame.to_ndarray(format="rgb24")[20:]))
            for number, frame in wanted(opened_film, order, numbers, lambda: None)
        ]


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.avi", "libx264")])
@pytest.mark.parametrize("numbers", [[], [0], [39], [0, 1, 2], [7, 8, 20, 21, 38]])
def test_wanted_frames_come_with_their_numbers(
    tmp_path: Path, name: str, codec: str, numbers: list[int]
) -> None:
    path = write_video(tmp_path / name, 40, codec=codec)
    assert numbers_of(path, numbers) == [(number, number) for number in numbers]


def test_the_order_is_known_without_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mkv", 4, milliseconds=[0, 40, 1000, 1010], key_every=2)
    monkeypatch.setattr(film, "decoded", lambda _: pytest.fail("A frame was decoded."))
    with opened(path, LIMITS) as opened_film:
        order = order_of(opened_film, tell_nobody)
    assert (order.count, order.times, order.keys) == (4, [0, 40, 1000, 1010], [0, 1000])
    assert opened_film.damage == []


def test_avi_does_not_tell_the_times_of_frames(tmp_path: Path) -> None:
    with opened(write_video(tmp_path / "a.avi", 4), LIMITS) as opened_film:
        order = order_of(opened_film, tell_nobody)
    assert (order.count, order.times) == (4, None)


def test_a_frame_that_a_decoder_drops_does_not_shift_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = film.decoded

    def without_the_fourth(opened_film: Film) -> Iterator[Any]:
        frames = real(opened_film)
        return (frame for frame in frames if number_in(frame.to_ndarray(format="rgb24")[20:]) != 3)

    monkeypatch.setattr(film, "decoded", without_the_fourth)
    path = write_video(tmp_path / "a.mp4", 8)
    assert numbers_of(path, list(range(8))) == [(n, n) for n in range(8) if n != 3]
    notes: list[str] = []
    files = read_frames(path, tmp_path / "out", note=notes.append)
    assert len(files) == 7
    assert notes == [f"{IS_DAMAGED}: 7 frames of it can be used, up to number 7."]


def test_the_size_is_told_before_anything_is_decoded(tmp_path: Path) -> None:
    told: list[int] = []
    with opened(write_video(tmp_path / "a.mp4", 2), LIMITS, told.append):
        assert told == [96 * 64]


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{other}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{other}'\n",
        "file {other}\n",
        '<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>{other}'
        "</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "[playlist]\nFile1={other}\n",
    ],
)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi"])
def test_a_list_of_other_files_is_no_video_whatever_its_name(
    tmp_path: Path, text: str, name: str
) -> None:
    other = write_video(tmp_path / "other.mp4", 3)
    for target in (other, "/etc/passwd", "http://127.0.0.1:9/a.mp4"):
        path = tmp_path / name
        path.write_text(text.format(other=target))
        for read in (probe, lambda path: read_frames(path, tmp_path / "out")):
            with pytest.raises(ImageError, match=NOT_A_VIDEO):
                read(path)


@pytest.mark.parametrize("demuxer", ["hls", "concat"])
def test_even_what_reads_lists_would_open_none_of_the_files_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demuxer: str
) -> None:
    write_video(tmp_path / "other.ts", 30)
    lists = {
        "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n",
        "concat": "ffconcat version 1.0\nfile '{}'\n",
    }
    path = tmp_path / "clip.mp4"
    path.write_text(lists[demuxer].format(tmp_path / "other.ts"))
    options = {"allowed_extensions": "ALL", "extension_picky": "0"} if demuxer == "hls" else {}
    if demuxer == "hls":  # It is one that can be read, if one lets it.
        with av.open(str(path), format="hls", options=options) as container:
            assert container.streams.video
    monkeypatch.setattr(film, "_demuxer_of", lambda _: demuxer)
    for read in (probe, lambda path: read_frames(path, tmp_path / "out")):
        with pytest.raises((ImageError, PermissionError)):
            read(path)
