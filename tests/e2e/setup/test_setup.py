"""Whether the files in the field are those of the set that is open."""

from __future__ import annotations

import pytest

from tests.e2e.modules import Run

IS_IN = """
    const { isIn } = await import('/setup/setup.js');
    return isIn(input.file, input.images);
"""


@pytest.mark.parametrize(
    ("file", "images", "is_in"),
    [
        ("a.png", ["a.png", "b.png"], True),
        ("c.png", ["a.png", "b.png"], False),
        ("clip.mp4", ["a.png", "clip-0013.jpg"], True),
        ("my.clip.mov", ["my.clip-123456.jpg"], True),
        ("clip.mp4", ["clip-two.jpg", "clips-0013.jpg", "clip-13.jpg", "clip-0013.png"], False),
        ("a(b.mp4", ["a.png"], False),
        ("clip.mp4", [], False),
    ],
)
def test_a_video_is_in_a_set_that_has_a_frame_of_it(
    run: Run, file: str, images: list[str], is_in: bool
) -> None:
    assert run(IS_IN, {"file": file, "images": images}) is is_in
