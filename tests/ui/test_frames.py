"""The slider of a video: where it begins and ends, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointprompt.sources.photos import ImageError
from pointprompt.sources.video import VideoInfo
from pointprompt.ui.frames import DEFAULT_FRAMES, Chosen, every_slider, slider_for


def chosen(*frames: int, others: int = 0, room: int = 100) -> Chosen:
    names = tuple(f"clip-{place}.mp4" for place in range(len(frames)))
    return Chosen(("a.png",) * others, names, frames, room)


def probe(path: Path) -> VideoInfo:
    """Videos named by how many frames they have; the others are broken."""
    if not path.stem.isdigit():
        raise ImageError("It is broken.")
    return VideoInfo(int(path.stem), 1.0, 4, 3)


def test_videos_are_told_from_the_other_files() -> None:
    files = ["/x/a.png", "/x/310.mp4", "/x/broken.mov", "/x/40.WEBM", "/x/7.jpg"]
    some = Chosen.of(files, probe, 100)
    assert some.others == ("/x/a.png", "/x/broken.mov", "/x/7.jpg")
    assert some.names == ("310.mp4", "40.WEBM")
    assert some.frames == (310, 40)


@pytest.mark.parametrize(
    ("some", "default", "taken"),
    [
        (chosen(310), 13, 24),
        (chosen(24), 1, 24),
        (chosen(25), 2, 13),
        (chosen(2), 1, 2),
        (chosen(1), 1, 1),
        # Where a set has room for fewer.
        (chosen(310, room=10), 31, 10),
        (chosen(310, room=10, others=4), 52, 6),
        # It applies to all videos.
        (chosen(310, 40), 15, 24),
        (chosen(36_000), 1500, 24),
        # Whatever a file says of itself.
        (chosen(24 * 10**14), 10**14, 24),
    ],
)
def test_at_first_it_is_at_most_24_frames_or_what_there_is_room_for(
    some: Chosen, default: int, taken: int
) -> None:
    assert some.default == default
    assert some.taken(default) == taken <= DEFAULT_FRAMES


@pytest.mark.parametrize("frames", [2, 3, 24, 310, 311, 36_000])
def test_it_ends_where_two_frames_are_left(frames: int) -> None:
    some = chosen(frames)
    assert some.taken(some.end) == 2
    assert some.end == 1 or some.taken(some.end - 1) > 2


@pytest.mark.parametrize(
    ("some", "every", "says"),
    [
        (chosen(310), 13, "24 of 310 frames of clip-0.mp4: every 13th"),
        (chosen(310), 2, "100 of 310 frames of clip-0.mp4: every 2nd, until the set is full"),
        (chosen(50), 1, "50 of 50 frames of clip-0.mp4: every one"),
        (chosen(310, 40), 15, "24 of 350 frames of 2 videos: every 15th"),
        (chosen(310), 21, "15 of 310 frames of clip-0.mp4: every 21st"),
        (chosen(310), 103, "4 of 310 frames of clip-0.mp4: every 103rd"),
        (chosen(310), 111, "3 of 310 frames of clip-0.mp4: every 111th"),
    ],
)
def test_it_says_how_many_frames_of_what_are_taken(some: Chosen, every: int, says: str) -> None:
    assert some.text(every) == says


@pytest.mark.parametrize("others", [99, 100, 120])
def test_more_images_than_a_set_can_have_leave_no_room_and_no_error(others: int) -> None:
    some = chosen(310, others=others)
    assert some.taken(some.default) == max(0, 100 - others)
    assert some.text(some.default)


@pytest.mark.parametrize("some", [chosen(), chosen(1), chosen(2), chosen(others=3)])
def test_where_there_is_nothing_to_choose_it_is_hidden(some: Chosen) -> None:
    shown = slider_for(some)
    assert shown["visible"] is False
    assert shown["value"] == 1


def test_with_a_video_it_is_shown_at_its_default() -> None:
    assert every_slider().visible is False
    shown = slider_for(chosen(310))
    assert (shown["visible"], shown["maximum"], shown["value"]) == (True, 155, 13)
    assert shown["info"] == "24 of 310 frames of clip-0.mp4: every 13th"
