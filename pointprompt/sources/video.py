"""A video file -> some of its frames, as image files that are named by the frames' numbers.

Knows what makes a frame look right, and files. Does not know containers (`film` does), sets, pages,
sessions, nor in which process it runs. Frames are numbered from 0, in the order they are seen in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from pointprompt.sources.codecs.loaded import ImageError
from pointprompt.sources.decode import DEFAULT_LIMITS, Limits, Sized
from pointprompt.sources.film import (
    DAMAGED,
    IS_DAMAGED,
    NO_PICTURES,
    NOT_A_VIDEO,
    check_size,
    decoded,
    opened,
    order_of,
    wanted,
)
from pointprompt.sources.names import safe_names, shortened
from pointprompt.types import Progress, ProgressFn, tell_nobody

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

__all__ = [
    "DAMAGED",
    "NOT_A_VIDEO",
    "NO_PICTURES",
    "VIDEO_SUFFIXES",
    "VideoInfo",
    "frames_said",
    "frames_taken",
    "is_video",
    "probe",
    "read_frames",
]

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".3gp", ".webm", ".mkv", ".avi")

_HDR = "It is HDR video, which is shown without tone mapping: paler than a player shows it."

_QUALITY = 95
_MIN_DIGITS = 4
_LONGEST_ENDING = len("-123456789.jpg")
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
    with opened(Path(path), limits) as film:
        # Not what the file says: where a phone has trimmed it, that counts what was cut off too.
        count = order_of(film, tell_nobody).count
        film.container.seek(0)
        first = next(decoded(film), None)
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
        ImageError: There is no such file, it is no video that can be read, its frames are too big,
            or the first one cannot be decoded.
        ValueError: `every` or `limit` is less than 1.
    """
    path, folder = Path(path), Path(folder)
    limit = limits.max_images if limit is None else limit
    if every < 1 or limit < 1:
        raise ValueError("Of every so many frames one is taken, and so many at most: from 1 on.")
    tell, say = progress or tell_nobody, note or (lambda _: None)
    folder.mkdir(parents=True, exist_ok=True)
    with opened(path, limits, sized) as film:
        order = order_of(film, tell)
        numbers = range(0, order.count, every)[:limit]
        name = _namer(path, order.count)
        files: list[Path] = []
        step = lambda: tell(Progress("frames", len(files), len(numbers)))  # noqa: E731
        for number, frame in wanted(film, order, numbers, step):
            files.append(folder / name(number))
            _write(_upright(frame, film.stream, limits), files[-1])
            if len(files) == 1 and film.stream.codec_context.color_trc in _HDR_TRANSFERS:
                say(_HDR)
        step()
    if not files:
        raise ImageError(DAMAGED)
    if film.damage or len(files) < len(numbers):
        say(f"{(film.damage or [IS_DAMAGED])[0]}: {frames_said(files)}.")
    return files


def frames_said(files: Sequence[Path]) -> str:
    """Return which of a video's frames there are, where it has more, by their files."""
    last = int(files[-1].stem.rpartition("-")[2])
    counted = "1 frame" if len(files) == 1 else f"{len(files)} frames"
    return f"{counted} of it can be used, up to number {last}"


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
    check_size(frame.width, frame.height, limits)
    check_size(width, frame.height, limits)
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
