"""An open video file: which frames it has, and how to get at those that are wanted.

Knows containers, packets and decoders, and that a file may be hostile. Does not know what a frame
is to look like, nor what becomes of it. Frames are numbered from 0, in the order they are seen in.
"""

from __future__ import annotations

import bisect
import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pointprompt.sources.codecs.loaded import ImageError
from pointprompt.sources.codecs.signatures import START_BYTES
from pointprompt.sources.decode import Limits, Sized, open_file
from pointprompt.types import Progress, ProgressFn

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

NOT_A_VIDEO = (
    "The file is not a video in a format that can be read; MP4, MOV, 3GP, WebM, MKV and AVI can be."
)
NO_PICTURES = "There are no pictures in the file: it has sound only."
DAMAGED = "The video is damaged: none of its frames can be read."
_IS_CUT_OFF = "The file is cut off"
IS_DAMAGED = "The video is damaged"

# The first atoms of an ISO media file; only the newer ones begin with "ftyp".
_MOV_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
# Of a JPEG, which frames become.
_MAX_SIDE = 65_500
# By how much all that is in a file may end before it says that it does, in seconds and as a share.
_SPARE_SECONDS, _SPARE_SHARE = 0.5, 0.02
# What these say of times is the order in which frames are stored, not that in which they are seen.
_TIMELESS = ("avi",)
_PACKETS_A_STEP = 256


@dataclass
class Film:
    """An open video file.

    Attributes:
        container: The file.
        stream: Its pictures.
        damage: What is wrong with it, as far as that was seen.
    """

    container: InputContainer
    stream: VideoStream
    damage: list[str] = field(default_factory=list)


@dataclass
class Order:
    """The frames of a stream, without having decoded any.

    Attributes:
        count: How many there are.
        times: Of each, in the stream's units; None where the file does not tell.
        keys: The times of those that decoding can begin at, ascending.
    """

    count: int = 0
    times: list[int] | None = field(default_factory=list)
    keys: list[int] = field(default_factory=list)


@contextmanager
def opened(path: Path, limits: Limits, sized: Sized | None = None) -> Iterator[Film]:
    """An open video file, within the block.

    Args:
        path: The file.
        limits: What is too big.
        sized: Told how many pixels a frame has before the first is decoded; it may wait, or raise.

    Raises:
        ImageError: There is no such file, it is no video that can be read, or its frames are too
            big; or it turns out to be damaged, within the block.
    """
    import av

    with open_file(path) as file:
        demuxer = _demuxer_of(file)
        try:
            # The demuxer is ours to say, the file is open: nothing in it may open another one.
            with av.open(
                file,
                "r",
                format=demuxer,
                io_open=_open_nothing,
                options={"protocol_whitelist": "none"},
                # Titles and the like are in any coding, and nothing here reads them.
                metadata_errors="replace",
            ) as container:
                stream = _pictures_of(container, limits)
                if sized is not None:
                    sized(stream.width * stream.height)
                yield Film(container, stream)
        except av.error.FFmpegError as error:
            if error.errno == errno.ENOMEM:
                raise MemoryError from error
            raise ImageError(DAMAGED) from error


def _open_nothing(*_: Any) -> Any:
    """In place of the files and addresses that a video file names."""
    raise PermissionError("A video file may open no other file.")


def _demuxer_of(file: BinaryIO) -> str:
    """Return what reads a file, by its first bytes; FFmpeg must not try all that it knows.

    Raises:
        ImageError: It is no video that can be read.
    """
    start = file.read(START_BYTES)
    file.seek(0)
    if start[4:8] in _MOV_ATOMS:
        return "mov"
    if start.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if start.startswith(b"RIFF") and start[8:12] == b"AVI ":
        return "avi"
    raise ImageError(NOT_A_VIDEO if start else "The file is empty.")


def _pictures_of(container: InputContainer, limits: Limits) -> VideoStream:
    from av.stream import Disposition

    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        raise ImageError(NO_PICTURES)
    stream = moving[0]
    if stream.codec_context is None:
        raise ImageError("The video is in a coding that cannot be read here.")
    check_size(stream.width, stream.height, limits)
    # Where a stream says one size and holds another.
    stream.codec_context.options = {"max_pixels": str(round(limits.max_megapixels * 1e6))}
    # More threads would take memory, and tell damage at other places each time.
    stream.codec_context.thread_count = 1
    return stream


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise an ImageError where a frame of this size is too big."""
    if width < 1 or height < 1:
        raise ImageError(DAMAGED)
    if width * height > limits.max_megapixels * 1e6:
        raise ImageError(
            f"The video's frames have {width * height / 1e6:.1f} megapixels ({width} x {height}); "
            f"at most {limits.max_megapixels:g} are allowed."
        )
    if max(width, height) > _MAX_SIDE:
        raise ImageError(
            f"The video's frames have {width} x {height} pixels; no side may be longer than "
            f"{_MAX_SIDE:,}."
        )


def order_of(film: Film, tell: ProgressFn) -> Order:
    """The frames of a film, which is read to its end for that."""
    import av

    container, order, end = film.container, Order(), 0.0
    times: list[int | None] = []
    try:
        for index, packet in enumerate(container.demux()):
            if index % _PACKETS_A_STEP == 0:
                tell(Progress("frames", 0, 1))
            if packet.is_corrupt:
                break
            if packet.pts is not None and packet.time_base:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            is_frame = packet.size and not packet.is_discard
            if is_frame and packet.stream_index == film.stream.index:
                times.append(packet.pts)
                if packet.is_keyframe and packet.pts is not None:
                    order.keys.append(packet.pts)
    except av.error.FFmpegError:
        film.damage.append(IS_DAMAGED)
    should = max((container.duration or 0) + (container.start_time or 0), 0) / 1e6
    if end < should - max(_SPARE_SECONDS, _SPARE_SHARE * should):
        film.damage.insert(0, _IS_CUT_OFF)
    order.count = len(times)
    order.times = _told(times) if container.format.name not in _TIMELESS else None
    order.keys.sort()
    return order


def _told(times: Sequence[int | None]) -> list[int] | None:
    """The times of frames, ascending; None where they do not tell one from the other."""
    known = {time for time in times if time is not None}
    return sorted(known) if len(known) == len(times) else None


def wanted(
    film: Film, order: Order, numbers: Sequence[int], step: Callable[[], None]
) -> Iterator[tuple[int, VideoFrame]]:
    """The frames with these numbers, each with its own; `step` is called for each decoded one."""
    if order.times is None:
        film.container.seek(0)
        return _counted_off(film, numbers, step)
    return _sought(film, order.times, order.keys, numbers, step)


def _counted_off(
    film: Film, numbers: Sequence[int], step: Callable[[], None]
) -> Iterator[tuple[int, VideoFrame]]:
    """As `wanted`: all frames are decoded, one after the other."""
    wanted = set(numbers)
    last = numbers[-1] if numbers else -1
    for number, frame in zip(range(last + 1), decoded(film), strict=False):
        step()
        if number in wanted:
            yield number, frame


def _sought(
    film: Film,
    times: Sequence[int],
    keys: Sequence[int],
    numbers: Sequence[int],
    step: Callable[[], None],
) -> Iterator[tuple[int, VideoFrame]]:
    """As `wanted`: what lies between two wanted frames is decoded only where it has to be."""
    frames: Iterator[tuple[int, VideoFrame]] = iter(())
    newest: tuple[int, VideoFrame] | None = None
    for number in numbers:
        time, key = times[number], _key_before(keys, times[number])
        if newest is None or (key is not None and key > newest[0]):
            film.container.seek(times[0] if key is None else key, stream=film.stream)
            frames, newest = _timed(decoded(film)), None
        while newest is None or newest[0] < time:
            newest = next(frames, None)
            if newest is None:
                return
            step()
        if newest[0] == time:
            yield number, newest[1]


def _timed(frames: Iterator[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
    """Each frame that tells its time, with it."""
    return ((frame.pts, frame) for frame in frames if frame.pts is not None)


def _key_before(keys: Sequence[int], time: int) -> int | None:
    place = bisect.bisect_right(keys, time)
    return keys[place - 1] if place else None


def decoded(film: Film) -> Iterator[VideoFrame]:
    """The frames from where the film stands, up to the first damage, which is noted."""
    import av

    try:
        for packet in film.container.demux(film.stream):
            for frame in packet.decode():
                if frame.is_corrupt:
                    film.damage.append(IS_DAMAGED)
                    return
                yield frame
    except av.error.FFmpegError as error:
        if error.errno == errno.ENOMEM:
            raise
        film.damage.append(IS_DAMAGED)
        yield from _left(film.stream)


def _left(stream: VideoStream) -> Iterator[VideoFrame]:
    """The frames that a decoder still holds when it met damage."""
    import av

    try:
        yield from (frame for frame in stream.codec_context.decode(None) if not frame.is_corrupt)
    except av.error.FFmpegError:
        return
