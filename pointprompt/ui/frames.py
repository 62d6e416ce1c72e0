"""Every how many frames of the chosen videos one is taken: a slider, and what it comes to.

Knows the widget, and what its value means. Does not know how videos are read, nor what is done with
the frames.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from pointprompt.sources.photos import ImageError
from pointprompt.sources.video import VideoInfo, frames_taken, is_video

# What a person can look at, and what is analysed in half a minute without a GPU.
DEFAULT_FRAMES = 24
# Of the slider before there is a video; what a browser sends is looked at again when it is used.
_MAX_EVERY = 1_000_000


@dataclass(frozen=True)
class Chosen:
    """What was chosen.

    Attributes:
        others: The files that are no videos, or videos that cannot be read.
        names: Of the videos.
        frames: How many frames each of them has.
        room: For how many images a set has room.
    """

    others: tuple[str, ...]
    names: tuple[str, ...]
    frames: tuple[int, ...]
    room: int

    @classmethod
    def of(
        cls, files: Sequence[str], probe: Callable[[Path], VideoInfo], max_images: int
    ) -> Chosen:
        """What these files are, for a set of so many images."""
        others, names, frames = list[str](), list[str](), list[int]()
        for file in files:
            count = _frames_of(file, probe)
            if count is None:
                others.append(file)
            else:
                names.append(Path(file).name)
                frames.append(count)
        return cls(tuple(others), tuple(names), tuple(frames), max_images)

    def taken(self, every: int) -> int:
        """How many frames are taken when one of so many is."""
        return sum(frames_taken(self.frames, every, max(0, self.room - len(self.others))))

    @property
    def end(self) -> int:
        """Where the slider ends: two frames are left then, of the longest video."""
        return max(1, -(-max(self.frames, default=0) // 2))

    @property
    def default(self) -> int:
        """Every how many give at most `DEFAULT_FRAMES`, or what there is room for."""
        most = min(DEFAULT_FRAMES, max(0, self.room - len(self.others)))
        return 1 + bisect_left(range(1, self.end), True, key=lambda n: self._wanted(n) <= most)

    def _wanted(self, every: int) -> int:
        """How many frames were taken if there were room for all."""
        return sum(frames_taken(self.frames, every, sum(self.frames)))

    def text(self, every: int) -> str:
        """What is taken: "24 of 310 frames of clip.mp4: every 13th"."""
        whose = self.names[0] if len(self.names) == 1 else f"{len(self.names)} videos"
        taken = self.taken(every)
        full = "" if taken == self._wanted(every) else ", until the set is full"
        return f"{taken} of {sum(self.frames)} frames of {whose}: {_ordinal(every)}{full}"


def every_slider() -> gr.Slider:
    """The slider, which is hidden until there is a video."""
    return gr.Slider(
        1,
        _MAX_EVERY,
        1,
        step=1,
        precision=0,
        label="Every n-th frame",
        info=" ",
        buttons=[],
        visible=False,
        elem_id="pp-every",
    )


def slider_for(chosen: Chosen) -> Any:
    """The slider's range, place and text for what was chosen."""
    if chosen.end == 1:
        return gr.update(visible=False, maximum=_MAX_EVERY, value=1)
    every = chosen.default
    return gr.update(visible=True, maximum=chosen.end, value=every, info=chosen.text(every))


def _frames_of(file: str, probe: Callable[[Path], VideoInfo]) -> int | None:
    """How many frames a file has; None where it is no video that can be read."""
    if not is_video(file):
        return None
    try:
        return probe(Path(file)).frames
    except ImageError:  # Said when it is used.
        return None


def _ordinal(every: int) -> str:
    if every == 1:
        return "every one"
    teens = every % 100 in (11, 12, 13)
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(every % 10, "th")
    return f"every {every}{ending}"
