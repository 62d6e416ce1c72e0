"""Turns whatever a person hands in into a set of photos within limits, each decoded once.

Knows `decode`, `names` and previews. Does not know formats, where files come from (an upload, a
folder, a dataset), nor what is computed from them.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from pointprompt.sources.codecs.loaded import ImageError
from pointprompt.sources.decode import (
    DEFAULT_LIMITS,
    Limits,
    Sized,
    Stored,
    decode,
    suffix_of,
)
from pointprompt.sources.framing import Framing
from pointprompt.sources.names import safe_names
from pointprompt.types import (
    ByteArray,
    ImageSet,
    Photo,
    Progress,
    ProgressFn,
    Rejected,
    tell_nobody,
)

__all__ = [
    "DEFAULT_LIMITS",
    "PREVIEW_SIDE",
    "ImageError",
    "ImageSource",
    "Limits",
    "Read",
    "names_of",
    "own_name",
    "read",
    "read_alone",
    "read_pixels",
    "read_set",
    "safe_names",
    "suffix_of",
]

# The last is a cell of a `datasets` image column that was not decoded: {"bytes": ..., "path": ...}.
ImageSource = Stored | Mapping[str, Any]
# Reads one image, as `read` does.
Read = Callable[[ImageSource, str, Framing, Limits], tuple[Photo, ByteArray]]
_Result = TypeVar("_Result")

# Longest side of the preview a tile shows, in pixels.
PREVIEW_SIDE = 1024

_PREVIEW_QUALITY = 88
# Pillow decodes and resizes without the interpreter lock. Each thread holds one full image.
_READING_THREADS = 3
_TICK_SECONDS = 0.2
_SHOWN_REASONS = 3


def read_pixels(source: ImageSource, limits: Limits = DEFAULT_LIMITS) -> ByteArray:
    """Return the upright image as an image viewer shows it.

    Args:
        source: A file, its bytes, a Pillow image, uint8 pixels (H, W), (H, W, 3) or (H, W, 4), or
            a cell of a `datasets` image column that was not decoded.
        limits: What is too big.

    Returns:
        (H, W, 3) uint8, sRGB; transparent parts on white; the first frame where there are several.

    Raises:
        ImageError: The source is missing, too big, damaged, or not an image.
    """
    return _within_memory(lambda: np.array(decode(_stored(source), limits).image))


def read_again(photo: Photo) -> ByteArray:
    """The photo's full pixels (H, W, 3) uint8, of the size it had when it was first read.

    Raises:
        ImageError: It cannot be read any more, or has another size now.
    """
    # Its own size is the limit: it was within the limits then, whatever they were.
    limits = Limits(max_megapixels=photo.height * photo.width / 1e6)
    pixels = read_pixels(photo.source, limits)
    if pixels.shape[:2] != (photo.height, photo.width):
        raise ImageError(
            f"The image was {photo.width} x {photo.height} and is now "
            f"{pixels.shape[1]} x {pixels.shape[0]}."
        )
    return pixels


def read(
    source: ImageSource,
    name: str,
    framing: Framing,
    limits: Limits = DEFAULT_LIMITS,
    sized: Sized | None = None,
) -> tuple[Photo, ByteArray]:
    """Return one image as a photo and as the frame that the backbone sees, decoding it once.

    Args:
        source: As for `read_pixels`. A file is read again when its full pixels are needed.
        name: The photo's name.
        framing: The shape of the frame.
        limits: What is too big.
        sized: As for `decode.decode`.

    Returns:
        The photo, and (H', W', 3) uint8: the whole image, its aspect kept as far as the framing
        has it.

    Raises:
        ImageError: As for `read_pixels`.

    Source:
        Where it is a square, it is step 1 of the tutorial: RGB, resized with LANCZOS.
    """
    return _within_memory(lambda: _read(source, name, framing, limits, sized))


def _read(
    source: ImageSource, name: str, framing: Framing, limits: Limits, sized: Sized | None
) -> tuple[Photo, ByteArray]:
    stored = _stored(source)
    decoded = decode(stored, limits, sized)
    image = decoded.image
    photo = Photo(
        name=name,
        height=image.height,
        width=image.width,
        preview=_preview(image),
        source=_kept(stored, image),
        remark=" ".join(decoded.remarks),
        orientation=decoded.orientation,
    )
    return photo, _resized(image, framing.shape(photo.height, photo.width))


def _resized(image: Image.Image, shape: tuple[int, int]) -> ByteArray:
    rows, columns = shape
    return np.array(image.resize((columns, rows), Image.Resampling.LANCZOS))


def _stored(source: ImageSource) -> Stored:
    """Return what a cell holds, its bytes before its path, or any other source itself."""
    if not isinstance(source, Mapping):
        return source
    held = source.get("bytes") or source.get("path")
    if not held:
        raise ImageError("There is no image here: the data set's cell is empty.")
    return held


def _kept(stored: Stored, image: Image.Image) -> Path | bytes | ByteArray:
    """Return what the photo's full pixels can be read from again."""
    if isinstance(stored, bytes):
        return stored
    return Path(stored) if isinstance(stored, (str, Path)) else np.array(image)


def _within_memory(work: Callable[[], _Result]) -> _Result:
    """Return what `work` returns; one image that is too big must not end a whole set.

    Raises:
        ImageError: There is not enough memory.
    """
    try:
        return work()
    except MemoryError as error:
        raise ImageError("The image is too big for the memory of this computer.") from error


def read_set(
    sources: Sequence[ImageSource],
    framing: Framing,
    *,
    names: Sequence[str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: ProgressFn | None = None,
    read_one: Read | None = None,
) -> ImageSet:
    """Return the images that could be read, and for each other one the reason.

    All frames have one shape, that of the median aspect; images of another one are squeezed to it.
    At most three full images are in memory at a time, besides those handed in as pixels.

    Args:
        sources: Each as for `read_pixels`. Beyond `limits.max_images` they are not looked at.
        framing: The shape of the frames.
        names: What their owner calls them, one a source; by default the files' own names.
        limits: What is too many and too big.
        progress: Told after every image, and several times a second while one takes its time. What
            it raises ends the reading.
        read_one: Reads one image as `read` does, the default: here, or in a process of its own.

    Raises:
        ImageError: There is no image, or none could be read.
        ValueError: `names` and `sources` differ in number.
    """
    owner_names = names_of(sources, names)
    if not sources:
        raise ImageError("There are no images. Give at least one.")
    used = sources[: limits.max_images]
    photo_names = safe_names(owner_names[: len(used)])

    tell = progress or tell_nobody
    # As in the set that they may join: each in its own shape first.
    own = replace(framing, grid=None)
    photos: list[Photo] = []
    rejected: list[Rejected] = []
    frames: deque[ByteArray] = deque()
    pool = ThreadPoolExecutor(_READING_THREADS, thread_name_prefix="read-image")
    try:
        # A deque, so that what was read of an image is let go as soon as it is copied.
        futures: deque[Future[tuple[Photo, ByteArray]]] = deque(
            pool.submit(read_one or read, source, name, own, limits)
            for source, name in zip(used, photo_names, strict=True)
        )
        for index in range(len(used)):
            future = futures.popleft()
            while not wait([future], _TICK_SECONDS).done:
                tell(Progress("read", index, len(used)))
            try:
                photo, frame = future.result()
                photos.append(photo)
                frames.append(frame)
            except ImageError as error:
                rejected.append(Rejected(owner_names[index], str(error)))
            tell(Progress("read", index + 1, len(used)))
    finally:
        # Nobody waits for what is still being read where an error got here.
        pool.shutdown(wait=False, cancel_futures=True)

    if not photos:
        raise ImageError(_none_readable(rejected))
    too_many = f"The set had room for only {limits.max_images} of the images."
    rejected.extend(Rejected(name, too_many) for name in owner_names[len(used) :])
    shape = framing.common_shape((photo.height, photo.width) for photo in photos)
    return ImageSet(tuple(photos), _stacked(frames, shape), tuple(rejected))


def read_alone(
    source: ImageSource, name: str, framing: Framing, limits: Limits = DEFAULT_LIMITS
) -> tuple[Photo, ByteArray]:
    """Return one image as `read_set` does: its photo, and its frame (H', W', 3) uint8.

    Args:
        source: As for `read_pixels`.
        name: The photo's name.
        framing: The shape of the frame.
        limits: What is too big.

    Raises:
        ImageError: As for `read_pixels`.
    """
    photo, frame = read(source, name, replace(framing, grid=None), limits)
    shape = framing.common_shape([(photo.height, photo.width)])
    return photo, _stacked(deque([frame]), shape)[0]


def names_of(sources: Sequence[ImageSource], names: Sequence[str] | None = None) -> list[str]:
    """Return what their owner calls the images: `names`, or the files' own names.

    Raises:
        ValueError: `names` and `sources` differ in number.
    """
    if names is None:
        return [own_name(source, index) for index, source in enumerate(sources)]
    if len(names) != len(sources):
        raise ValueError(f"There are {len(sources)} images and {len(names)} names for them.")
    return list(names)


def _stacked(frames: deque[ByteArray], shape: tuple[int, int]) -> ByteArray:
    """Return the frames (n, H', W', 3) in one shape, let go one by one."""
    stacked = np.empty((len(frames), *shape, 3), np.uint8)
    for place in stacked:
        frame = frames.popleft()
        is_of_it = frame.shape == place.shape
        place[:] = frame if is_of_it else _resized(Image.fromarray(frame), shape)
    return stacked


def own_name(source: ImageSource, index: int) -> str:
    """Return a file's own name; what else there is is counted, from `index` 0."""
    if isinstance(source, Mapping):
        source = source.get("path") or b""
    if isinstance(source, (str, Path)):
        return Path(source).name
    return f"image-{index + 1:03d}.png"


def _none_readable(rejected: Sequence[Rejected]) -> str:
    reasons = " ".join(f"{r.name}: {r.reason}" for r in rejected[:_SHOWN_REASONS])
    more = len(rejected) - _SHOWN_REASONS
    return f"No image could be read. {reasons}" + (f" And {more} more." if more > 0 else "")


def _preview(image: Image.Image) -> bytes:
    """Return JPEG bytes of the image, shrunk to `PREVIEW_SIDE` but never enlarged."""
    scale = min(1.0, PREVIEW_SIDE / max(image.size))
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_PREVIEW_QUALITY)
    return buffer.getvalue()
