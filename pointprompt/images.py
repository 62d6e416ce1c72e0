"""Turns whatever a person hands in into upright RGB images within limits, each decoded once.

Knows Pillow and numpy. Does not know where files come from (an upload, a folder, a dataset), nor
what is computed from them.
"""

from __future__ import annotations

import io
import threading
import unicodedata
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import (
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from pointprompt.types import (
    ByteArray,
    FloatArray,
    ImageSet,
    Photo,
    Progress,
    ProgressFn,
    Rejected,
)

# Longest side of the preview a tile shows, in pixels.
PREVIEW_SIDE = 1024

ImageSource = str | Path | Image.Image | np.ndarray

_PREVIEW_QUALITY = 88
# Pillow decodes and resizes without the interpreter lock. Each thread holds one full image.
_READING_THREADS = 3
_SHOWN_REASONS = 3
_MAX_NAME_LENGTH = 100
# Most file systems allow 255 bytes; this leaves room for what a writer appends.
_MAX_STEM_BYTES = 180
_MAX_SUFFIX_LENGTH = 10
_RESERVED_STEMS = frozenset(
    ["CON", "PRN", "AUX", "NUL"]
    + [device + digit for device in ("COM", "LPT") for digit in "0123456789¹²³"]
)

# The formats that can be read, each with its reader. Image.open is not used: it would consider
# every format Pillow knows (some start other programs) and compares sizes with a process-wide
# limit, where Limits decides here.
_READERS: dict[str, Callable[[BinaryIO], Image.Image]] = {
    "JPEG": JpegImagePlugin.jpeg_factory,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
}
_SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WebP": ".webp",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "GIF": ".gif",
}
_READABLE = "JPEG, PNG, WebP, BMP, TIFF and GIF"
# (where in the file, what stands there, the format). The first match counts.
_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (0, b"GIF8", "GIF"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftyp", "MP4 or QuickTime"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"%PDF", "PDF"),
    (0, b"%!PS", "PostScript"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\0\0\1\0", "icon"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "XML or SVG"),
    (0, b"PK\3\4", "ZIP"),
)
_SIGNATURE_BYTES = 16

# Differences of float32 numbers up to this size do not overflow.
_LARGEST = 1e37

# What sets each EXIF orientation upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow fills an image at its first use, which two threads must not do at once. A caller may hand
# in the same image twice.
_callers_image_lock = threading.Lock()


class ImageError(ValueError):
    """An image that cannot be used, or no usable image at all; the message says why."""


@dataclass(frozen=True)
class Limits:
    """How much is accepted.

    Attributes:
        max_images: Images in a set.
        max_megapixels: Millions of pixels in one image, compared before it is decoded.
    """

    max_images: int = 100
    max_megapixels: float = 50.0


DEFAULT_LIMITS = Limits()


def read_pixels(source: ImageSource, limits: Limits = DEFAULT_LIMITS) -> ByteArray:
    """Return the upright image as an image viewer shows it.

    Args:
        source: A file, a Pillow image, or uint8 pixels (H, W), (H, W, 3) or (H, W, 4).
        limits: What is too big.

    Returns:
        (H, W, 3) uint8, sRGB; transparent parts on white; the first frame where there are several.

    Raises:
        ImageError: The source is missing, too big, damaged, or not an image.
    """
    return np.array(_upright_rgb(source, limits))


def read(
    source: ImageSource, name: str, side: int, limits: Limits = DEFAULT_LIMITS
) -> tuple[Photo, ByteArray]:
    """Return one image as a photo and as the square that the backbone sees, decoding it once.

    Args:
        source: As for `read_pixels`. A file is read again when its full pixels are needed.
        name: The photo's name.
        side: s, of the square, in pixels.
        limits: What is too big.

    Returns:
        The photo, and (s, s, 3) uint8: the whole image, its aspect ratio not kept.

    Raises:
        ImageError: As for `read_pixels`.

    Source:
        The square is step 1 of the tutorial: RGB, resized with LANCZOS.
    """
    image = _upright_rgb(source, limits)
    kept = Path(source) if isinstance(source, (str, Path)) else np.array(image)
    photo = Photo(
        name=name,
        height=image.height,
        width=image.width,
        preview=_preview(image),
        source=kept,
    )
    return photo, np.array(image.resize((side, side), Image.Resampling.LANCZOS))


def read_set(
    sources: Sequence[ImageSource],
    side: int,
    *,
    names: Sequence[str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: ProgressFn | None = None,
) -> ImageSet:
    """Return the images that could be read, and for each other one the reason.

    At most three full images are in memory at a time, besides those handed in as pixels.

    Args:
        sources: Each as for `read_pixels`. Beyond `limits.max_images` they are not looked at.
        side: s, of the squares, in pixels.
        names: What their owner calls them, one a source; by default the files' own names.
        limits: What is too many and too big.
        progress: Told after every image. What it raises ends the reading.

    Raises:
        ImageError: There is no image, or none could be read.
        ValueError: `names` and `sources` differ in number.
    """
    owner_names = [_own_name(s, i) for i, s in enumerate(sources)] if names is None else list(names)
    if len(owner_names) != len(sources):
        raise ValueError(f"There are {len(sources)} images and {len(owner_names)} names for them.")
    if not sources:
        raise ImageError("There are no images. Give at least one.")
    used = sources[: limits.max_images]
    photo_names = safe_names(owner_names[: len(used)])

    photos: list[Photo] = []
    rejected: list[Rejected] = []
    squares = np.empty((len(used), side, side, 3), dtype=np.uint8)
    pool = ThreadPoolExecutor(_READING_THREADS, thread_name_prefix="read-image")
    try:
        # A deque, so that a square is let go as soon as it is copied.
        futures: deque[Future[tuple[Photo, ByteArray]]] = deque(
            pool.submit(read, source, name, side, limits)
            for source, name in zip(used, photo_names, strict=True)
        )
        for index in range(len(used)):
            try:
                photo, squares[len(photos)] = futures.popleft().result()
                photos.append(photo)
            except ImageError as error:
                rejected.append(Rejected(owner_names[index], str(error)))
            if progress is not None:
                progress(Progress("read", index + 1, len(used)))
    finally:
        pool.shutdown(cancel_futures=True)

    if not photos:
        raise ImageError(_none_readable(rejected))
    too_many = f"The set had room for only {limits.max_images} of the images."
    rejected.extend(Rejected(name, too_many) for name in owner_names[len(used) :])
    return ImageSet(tuple(photos), squares[: len(photos)], tuple(rejected))


def safe_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return file names that any file system takes, one a name and as like it as possible.

    Kept are the letters and digits of any script, space, dot, hyphen and underscore. The names
    differ in their stems whatever the case, so that `<stem>.png` is free for each: of `a.jpg` and
    `A.png`, the second becomes `A-2.png`.

    Returns:
        Each at most 100 characters, in Unicode's NFC form.
    """
    taken: set[str] = set()
    result = []
    for name in names:
        stem, suffix = _safe_parts(name)
        candidate, number = stem, 1
        while candidate.casefold() in taken:
            number += 1
            ending = f"-{number}"
            candidate = _shortened(stem, len(ending) + len(suffix)) + ending
        taken.add(candidate.casefold())
        result.append(candidate + suffix)
    return tuple(result)


def suffix_of(data: bytes) -> str | None:
    """Return the file name suffix for the format that an image file's bytes show, None if not one.

    Only the first bytes are looked at, so the rest may still be damaged.
    """
    found = _format_of(data)
    return _SUFFIXES.get(found) if found is not None else None


def _safe_parts(name: str) -> tuple[str, str]:
    """Return the stem and the suffix (empty or with its dot) that `name` leaves."""
    last_part = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in last_part if c in " .-_" or unicodedata.category(c)[0] in "LMN")
    # Once more: what was dropped may have kept a letter and its accent apart.
    stem, dot, ending = unicodedata.normalize("NFC", kept).rstrip(" .").rpartition(".")
    suffix = dot + ending
    if not dot or " " in ending or len(suffix) > _MAX_SUFFIX_LENGTH:
        stem, suffix = stem + suffix, ""
    stem = stem.strip(" .")
    if not stem:
        stem = "image"
    elif stem.partition(".")[0].rstrip().upper() in _RESERVED_STEMS:
        stem = f"_{stem}"
    return _shortened(stem, len(suffix)), suffix


def _shortened(stem: str, reserved: int) -> str:
    """Return `stem` cut so that `reserved` more characters fit the longest name."""
    stem = stem[: _MAX_NAME_LENGTH - reserved]
    stem = stem.encode()[: _MAX_STEM_BYTES - reserved].decode(errors="ignore")
    return stem.rstrip(" .")


def _own_name(source: ImageSource, index: int) -> str:
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


def _upright_rgb(source: ImageSource, limits: Limits) -> Image.Image:
    if isinstance(source, np.ndarray):
        _check_pixels(source)
        _check_size(source.shape[1], source.shape[0], limits)
        return _to_rgb(Image.fromarray(source))
    if isinstance(source, Image.Image):
        _check_size(*source.size, limits)
        with _callers_image_lock:
            return _decoded(source)
    if isinstance(source, (str, Path)):
        return _read_file(Path(source), limits)
    raise ImageError(
        f"An image must be a file, a Pillow image or an array, not {type(source).__name__}."
    )


def _check_pixels(pixels: np.ndarray) -> None:
    is_image = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if pixels.dtype != np.uint8 or not is_image:
        raise ImageError(
            "An image array must be uint8 of shape (H, W), (H, W, 3) or (H, W, 4), "
            f"not {pixels.dtype} of shape {pixels.shape}."
        )


def _check_size(width: int, height: int, limits: Limits) -> None:
    if width < 1 or height < 1:
        raise ImageError("The image has no pixels.")
    if width * height > limits.max_megapixels * 1e6:
        raise ImageError(
            f"The image has {width * height / 1e6:.1f} megapixels ({width} x {height}); "
            f"at most {limits.max_megapixels:g} are allowed."
        )


def _read_file(path: Path, limits: Limits) -> Image.Image:
    try:
        # Only regular files: reading a device or a pipe could last for ever.
        if not path.is_file():
            raise ImageError("There is no such file.")
        with path.open("rb") as file:
            reader = _READERS[_readable_format(file)]
            image = _opened(reader, file)
            _check_size(*image.size, limits)
            return _decoded(image)
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        # Not the error's own words: they hold the path.
        raise ImageError("The file cannot be opened.") from error


def _format_of(start: bytes) -> str | None:
    return next((kind for at, mark, kind in _SIGNATURES if start.startswith(mark, at)), None)


def _readable_format(file: BinaryIO) -> str:
    """Return the format the file's first bytes show, a key of `_READERS`."""
    start = file.read(_SIGNATURE_BYTES)
    file.seek(0)
    if not start:
        raise ImageError("The file is empty.")
    found = _format_of(start)
    if found is None:
        raise ImageError(f"The file is not an image in a format that can be read: {_READABLE}.")
    if found not in _READERS:
        raise ImageError(f"The file's format is {found}; {_READABLE} can be read.")
    return found


def _opened(reader: Callable[[BinaryIO], Image.Image], file: BinaryIO) -> Image.Image:
    """Return the image with its header read and nothing decoded."""
    try:
        return reader(file)
    # A hostile or damaged header can make Pillow raise nearly anything.
    except Exception as error:
        raise ImageError("The file is damaged, or a rare kind of its format.") from error


def _decoded(image: Image.Image) -> Image.Image:
    """Return the pixels of an opened image, upright, mode RGB."""
    try:
        image.load()
        upright = _to_rgb(image)
        turn = _TURNS.get(_orientation(image))
        return upright if turn is None else upright.transpose(turn)
    except MemoryError as error:
        raise ImageError("The image is too big for the memory of this computer.") from error
    # Damaged or hostile data can make Pillow raise nearly anything.
    except Exception as error:
        raise ImageError("The file is damaged or incomplete.") from error


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    # Broken metadata does not make the picture itself unusable.
    except Exception:
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    """Return the image as mode RGB, sRGB, on white where it is transparent."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(image)).convert("RGB")
    if image.mode in ("La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    opaque = _in_srgb(image)
    if not image.has_transparency_data:
        return opaque
    white = Image.new("RGB", image.size, "white")
    white.paste(opaque, mask=image.convert("RGBA").getchannel("A"))
    return white


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return the colours without transparency, mode RGB, by the embedded profile if it works."""
    base = {"LA": "L", "1": "L", "CMYK": "CMYK", "L": "L", "LAB": "LAB"}.get(image.mode, "RGB")
    colors = image.convert(base) if image.mode != base else image
    try:
        profile = _input_profile(colors, image.info.get("icc_profile"))
        if profile is not None:
            converted = ImageCms.profileToProfile(
                colors, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if converted is not None:
                return converted
    # A profile that is broken, or made for another kind of image, is as good as none.
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        pass
    return colors.convert("RGB")


def _input_profile(
    image: Image.Image, embedded: bytes | None
) -> ImageCms.ImageCmsProfile | ImageCms.core.CmsProfile | None:
    """Return the profile to convert from, or None where plain conversion is right."""
    if image.mode == "LAB":
        return ImageCms.createProfile("LAB")
    if not embedded:
        return None
    profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
    # From sRGB to sRGB would only round every pixel.
    is_srgb = "sRGB" in (profile.profile.profile_description or "")
    space = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}[image.mode]
    return profile if not is_srgb and profile.profile.xcolor_space.strip() == space else None


def _eight_bits(image: Image.Image) -> ByteArray:
    """Return (H, W) uint8 of a grey image with more than 8 bits a pixel.

    Whole numbers up to 65535 count as 16-bit, larger ones as 31-bit. Fractions count as 0 to 1;
    where they lie outside, their range is spread.
    """
    values: FloatArray = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0, neginf=0)
    values = values.clip(-_LARGEST, _LARGEST)
    low, high = float(values.min()), float(values.max())
    if image.mode != "F":
        low, high = 0.0, (65535.0 if high <= 65535 else 2.0**31 - 1)
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    grey = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    if _zero_is_white(image):
        grey = 1 - grey
    return (grey * 255 + 0.5).astype(np.uint8)


def _zero_is_white(image: Image.Image) -> bool:
    # Pillow turns such images round for 8 bits a pixel, but not for more.
    return (
        isinstance(image, TiffImagePlugin.TiffImageFile)
        and image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    )
