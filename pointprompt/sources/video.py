"""A video file -> some of its frames, as image files that are named by the frames' numbers.

Knows containers, the order of frames and what makes a frame look right. Does not know sets, pages,
sessions, nor in which process it runs. Frames are numbered from 0, in the order they are seen in.
"""

from __future__ import annotations

import bisect
import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image

from pointprompt.sources.codecs.loaded import ImageError
from pointprompt.sources.codecs.signatures import START_BYTES
from pointprompt.sources.decode import DEFAULT_LIMITS, Limits, Sized, open_file
from pointprompt.sources.names import safe_names, shortened
from pointprompt.types import Progress, ProgressFn, tell_nobody

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".3gp", ".webm", ".mkv", ".avi")

NOT_A_VIDEO = (
    "The file is not a video in a format that can be read; MP4, MOV, 3GP, WebM, MKV and AVI can be."
)
NO_PICTURES = "There are no pictures in the file: it has sound only."
DAMAGED = "The video is damaged: none of its frames can be read."
_IS_CUT_OFF = "The file is cut off"
_IS_DAMAGED = "The video is damaged"
_HDR = "It is HDR video, which is shown without tone mapping: paler than a player shows it."

# The first atoms of an ISO media file; only the newer ones begin with "ftyp".
_MOV_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
# A JPEG has no longer side.
_MAX_SIDE = 65_500
_QUALITY = 95
_MIN_DIGITS = 4
_LONGEST_ENDING = len("-123456789.jpg")
# By how much all that is in a file may end before it says that it does, in seconds and as a share.
_SPARE_SECONDS, _SPARE_SHARE = 0.5, 0.02
# What these say of times is the order in which frames are stored, not that in which they are seen.
_TIMELESS = ("avi",)
_PACKETS_A_STEP = 256
# Transfer functions of HDR in H.273: PQ and HLG.
_HDR_TRANSFERS = (16, 18)
# Matrices in H.273 and the names that swscale has for them; what says none is taken as players do.
_MATRICES = {1: "ITU709", 5: "ITU601", 6: "ITU601", 7: "SMPTE240M"}
_HD_ROWS = 720


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself.

    Attributes:
        frames: How many frames it has.
        seconds: How long it is; 0 where it does not say.
        width: Of an upright frame, in pixels.
        height: The same.
    """

    frames: int
    seconds: float
    width: int
    height: int


@dataclass
class _Film:
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
class _Order:
    """The frames of a stream, without having decoded any.

    Attributes:
        count: How many there are.
        times: Of each, in the stream's units; None where the file does not tell.
        keys: The times of those that decoding can begin at, ascending.
    """

    count: int = 0
    times: list[int] | None = field(default_factory=list)
    keys: list[int] = field(default_factory=list)


def is_video(path: str | Path) -> bool:
    """Whether a file is named as a video is."""
    return Path(path).suffix.lower() in VIDEO_SUFFIXES


def frames_taken(frames: Sequence[int], every: int, room: int) -> list[int]:
    """How many frames are taken of each of some videos, one after the other, by `read_frames`.

    Args:
        frames: How many frames each of them has.
        every: Of so many frames one is taken.
        room: For so many frames of all of them there is room.
    """
    taken = []
    for count in frames:
        taken.append(max(0, min(-(-count // every), room)))
        room -= taken[-1]
    return taken


def probe(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> VideoInfo:
    """Return what a video file says of itself.

    The frames are counted without decoding them, the first one excepted.

    Raises:
        ImageError: There is no such file, it is no video that can be read, its frames are too big,
            or the first one cannot be decoded.
    """
    with _opened(Path(path), limits) as film:
        # Not what the file says: where a phone has trimmed it, that counts what was cut off too.
        count = _order(film, tell_nobody).count
        film.container.seek(0)
        first = next(_decoded(film), None)
        if first is None:
            raise ImageError(DAMAGED)
        width, height = _upright_size(first, film.stream)
        return VideoInfo(count, (film.container.duration or 0) / 1e6, width, height)


def read_frames(
    path: str | Path,
    folder: str | Path,
    every: int = 1,
    limit: int | None = None,
    *,
    limits: Limits = DEFAULT_LIMITS,
    progress: ProgressFn | None = None,
    note: Callable[[str], None] | None = None,
    sized: Sized | None = None,
) -> list[Path]:
    """Return image files of frames 0, `every`, 2 * `every` ... of a video, in order.

    They are upright JPEG files, `<the video's name>-<the frame's number>.jpg`, so that the order
    of their names is that of the frames. Of a damaged video it is the frames before the damage.

    Args:
        path: The video.
        folder: Where the files go; it is made where it is missing.
        every: Of so many frames one is taken, at least 1.
        limit: At most so many are; None takes `limits.max_images`.
        limits: What is too big.
        progress: Told after every frame that is decoded. What it raises ends the reading.
        note: Told what there is to say of the video, a sentence each.
        sized: Told how many pixels a frame has before the first is decoded; it may wait, or raise.

    Raises:
        ImageError: As for `probe`.
        ValueError: `every` or `limit` is less than 1.
    """
    path, folder = Path(path), Path(folder)
    limit = limits.max_images if limit is None else limit
    if every < 1 or limit < 1:
        raise ValueError("Of every so many frames one is taken, and so many at most: from 1 on.")
    tell, say = progress or tell_nobody, note or (lambda _: None)
    folder.mkdir(parents=True, exist_ok=True)
    with _opened(path, limits, sized) as film:
        order = _order(film, tell)
        numbers = range(0, order.count, every)[:limit]
        name = _namer(path, order.count)
        files: list[Path] = []
        step = lambda: tell(Progress("frames", len(files), len(numbers)))  # noqa: E731
        for number, frame in _wanted(film, order, numbers, step):
            files.append(folder / name(number))
            _write(_upright(frame, film.stream, limits), files[-1])
            if len(files) == 1 and film.stream.codec_context.color_trc in _HDR_TRANSFERS:
                say(_HDR)
        step()
    if not files:
        raise ImageError(DAMAGED)
    if film.damage or len(files) < len(numbers):
        say(f"{(film.damage or [_IS_DAMAGED])[0]}: {frames_said(files)}.")
    return files


def frames_said(files: Sequence[Path]) -> str:
    """Return which of a video's frames there are, where it has more, by their files."""
    last = int(files[-1].stem.rpartition("-")[2])
    counted = "1 frame" if len(files) == 1 else f"{len(files)} frames"
    return f"{counted} of it can be used, up to number {last}"


@contextmanager
def _opened(path: Path, limits: Limits, sized: Sized | None = None) -> Iterator[_Film]:
    """An open video file.

    Raises:
        ImageError: As for `probe`.
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
                yield _Film(container, stream)
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
    _check_size(stream.width, stream.height, limits)
    # Where a stream says one size and holds another.
    stream.codec_context.options = {"max_pixels": str(round(limits.max_megapixels * 1e6))}
    # More threads would take memory, and tell damage at other places each time.
    stream.codec_context.thread_count = 1
    return stream


def _check_size(width: int, height: int, limits: Limits) -> None:
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


def _order(film: _Film, tell: ProgressFn) -> _Order:
    """The frames of a film, which is read to its end for that."""
    import av

    container, order, end = film.container, _Order(), 0.0
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
        film.damage.append(_IS_DAMAGED)
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


def _wanted(
    film: _Film, order: _Order, numbers: Sequence[int], step: Callable[[], None]
) -> Iterator[tuple[int, VideoFrame]]:
    """The frames with these numbers, each with its own; `step` is called for each decoded one."""
    if order.times is None:
        film.container.seek(0)
        return _counted_off(film, numbers, step)
    return _sought(film, order.times, order.keys, numbers, step)


def _counted_off(
    film: _Film, numbers: Sequence[int], step: Callable[[], None]
) -> Iterator[tuple[int, VideoFrame]]:
    """As `_wanted`: all frames are decoded, one after the other."""
    wanted = set(numbers)
    last = numbers[-1] if numbers else -1
    for number, frame in zip(range(last + 1), _decoded(film), strict=False):
        step()
        if number in wanted:
            yield number, frame


def _sought(
    film: _Film,
    times: Sequence[int],
    keys: Sequence[int],
    numbers: Sequence[int],
    step: Callable[[], None],
) -> Iterator[tuple[int, VideoFrame]]:
    """As `_wanted`: what lies between two wanted frames is decoded only where it has to be."""
    reached: int | None = None
    frames: Iterator[VideoFrame] = iter(())
    for number in numbers:
        time = times[number]
        key = _key_before(keys, time)
        if reached is None or (key is not None and key > reached):
            film.container.seek(times[0] if key is None else key, stream=film.stream)
            frames = _decoded(film)
        for frame in frames:
            step()
            reached = time if frame.pts is None else frame.pts
            if reached >= time:
                break
        else:
            return
        if reached == time:
            yield number, frame


def _key_before(keys: Sequence[int], time: int) -> int | None:
    place = bisect.bisect_right(keys, time)
    return keys[place - 1] if place else None


def _decoded(film: _Film) -> Iterator[VideoFrame]:
    """The frames from where the film stands, up to the first damage, which is noted."""
    import av

    try:
        for packet in film.container.demux(film.stream):
            for frame in packet.decode():
                if frame.is_corrupt:
                    film.damage.append(_IS_DAMAGED)
                    return
                yield frame
    except av.error.FFmpegError as error:
        if error.errno == errno.ENOMEM:
            raise
        film.damage.append(_IS_DAMAGED)
        yield from _left(film.stream)


def _left(stream: VideoStream) -> Iterator[VideoFrame]:
    """The frames that a decoder still holds when it met damage."""
    import av

    try:
        yield from (frame for frame in stream.codec_context.decode(None) if not frame.is_corrupt)
    except av.error.FFmpegError:
        return


def _namer(path: Path, count: int) -> Callable[[int], str]:
    """What names the file of a frame, by its number."""
    stem = Path(safe_names([f"{path.stem}.jpg"])[0]).stem
    stem = shortened(stem, _LONGEST_ENDING)
    digits = max(_MIN_DIGITS, len(str(count - 1)))
    return lambda number: f"{stem}-{number:0{digits}d}.jpg"


def _turn_of(frame: VideoFrame) -> int:
    """How many quarters counter-clockwise a frame is to be turned to stand upright."""
    return round(frame.rotation / 90) % 4


def _stretched_width(frame: VideoFrame, stream: VideoStream) -> int:
    """The width of a stored frame once its pixels are square."""
    ratio = float(stream.sample_aspect_ratio or 1)
    return round(frame.width * ratio) if 0.25 <= ratio <= 4 else frame.width


def _upright_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    size = _stretched_width(frame, stream), frame.height
    return size if _turn_of(frame) % 2 == 0 else size[::-1]


def _upright(frame: VideoFrame, stream: VideoStream, limits: Limits) -> Image.Image:
    """The frame as a player shows it: mode RGB, square pixels, turned as it says."""
    width = _stretched_width(frame, stream)
    _check_size(frame.width, frame.height, limits)
    _check_size(width, frame.height, limits)
    matrix = _MATRICES.get(frame.colorspace, "ITU709" if frame.height >= _HD_ROWS else "ITU601")
    # RGB has no matrix; before PyAV 18 it had the frame's unless another one was named.
    rgb = frame.reformat(format="rgb24", src_colorspace=matrix, dst_colorspace="DEFAULT")
    image = rgb.to_image()
    if width != image.width:
        image = image.resize((width, image.height), Image.Resampling.LANCZOS)
    turn = _turn_of(frame)
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return image.transpose(turns[turn - 1]) if turn else image


def _write(image: Image.Image, path: Path) -> None:
    """Write it whole or not at all, for whoever looks into the folder meanwhile."""
    unfinished = path.with_suffix(".unfinished")
    # Colours at full resolution: along the edges of things they are what masks follow.
    image.save(unfinished, "JPEG", quality=_QUALITY, subsampling=0)
    unfinished.replace(path)
