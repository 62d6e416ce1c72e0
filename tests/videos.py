"""Videos whose frames can be told apart: each is of one colour, and says its number by it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

# Of the track of an MP4 file, as it is stored: no turn, and a quarter clockwise.
_UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_TURNED = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)


def color_of(number: int) -> tuple[int, int, int]:
    """The colour of a frame; those of any two of the first 250 differ by 10 at least."""
    return 20 + 20 * (number % 10), 20 + 20 * (number // 10 % 10), 20 + 100 * (number // 100)


def number_in(pixels: np.ndarray) -> int:
    """The number that the colour of some pixels (H, W, 3) says."""
    red, green, blue = (pixels.reshape(-1, 3).astype(float).mean(axis=0) - 20) / (20, 20, 100)
    return round(red) + 10 * round(green) + 100 * round(blue)


def frame(number: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """A frame's pixels (H, W, 3) uint8: its colour, with the upper left corner white."""
    width, height = size
    pixels = np.full((height, width, 3), color_of(number), np.uint8)
    pixels[: height // 4, : width // 4] = 255
    return pixels


def write_video(
    path: Path,
    frames: Sequence[np.ndarray] | int,
    *,
    codec: str = "libx264",
    milliseconds: Sequence[int] = (),
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    key_every: int = 10,
) -> Path:
    """A video of these frames, or of so many numbered ones.

    Args:
        path: Where; its suffix says the container.
        frames: Each (H, W, 3) uint8, or how many.
        codec: An encoder's name.
        milliseconds: When each frame is shown; 25 a second where this is empty.
        options: Of the encoder.
        container_options: Of the container.
        key_every: Decoding can begin at every so many.
    """
    if isinstance(frames, int):
        frames = [frame(number) for number in range(frames)]
    height, width, _ = frames[0].shape
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.gop_size = key_every
        stream.options = options or {}
        if milliseconds:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, pixels in enumerate(frames):
            one = av.VideoFrame.from_ndarray(pixels, "rgb24")
            if milliseconds:
                one.pts, one.time_base = milliseconds[number], Fraction(1, 1000)
            container.mux(stream.encode(one))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """A file that has sound only."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        for _ in range(10):
            one = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
            one.sample_rate = 44100
            container.mux(stream.encode(one))
        container.mux(stream.encode())
    return path


def turn(path: Path) -> Path:
    """Have an MP4 file say that it is to be turned by a quarter clockwise, as a phone's does."""
    data = path.read_bytes()
    # The first is the matrix of the film, the second that of its track.
    before, between, after = data.split(_UPRIGHT)
    path.write_bytes(before + _UPRIGHT + between + _TURNED + after)
    return path
