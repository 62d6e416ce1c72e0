"""One image in any form that is accepted -> its upright pixels as an image viewer shows them.

Knows Pillow and the formats. Does not know sets, names, previews or where files come from.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

from pointprompt.types import ByteArray, FloatArray

ImageSource = str | Path | Image.Image | np.ndarray

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


def suffix_of(data: bytes) -> str | None:
    """Return the file name suffix for the format that an image file's bytes show, None if not one.

    Only the first bytes are looked at, so the rest may still be damaged.
    """
    found = _format_of(data)
    return _SUFFIXES.get(found) if found is not None else None


def upright_rgb(source: ImageSource, limits: Limits) -> Image.Image:
    """Return the upright image, mode RGB, sRGB, on white where it is transparent.

    Raises:
        ImageError: The source is missing, too big, damaged, or not an image.
    """
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


def megapixels_of(path: Path, limits: Limits) -> float:
    """Return the size of the picture in a file, in millions of pixels, with nothing decoded.

    Raises:
        ImageError: As for `upright_rgb`, as far as the start of the file shows it.
    """
    with _opened_file(path, limits) as image:
        return image.width * image.height / 1e6


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
    with _opened_file(path, limits) as image:
        return _decoded(image)


@contextmanager
def _opened_file(path: Path, limits: Limits) -> Iterator[Image.Image]:
    """The image in a file, its header read and nothing decoded."""
    try:
        # Only regular files: reading a device or a pipe could last for ever.
        if not path.is_file():
            raise ImageError("There is no such file.")
        with path.open("rb") as file:
            reader = _READERS[_readable_format(file)]
            image = _opened(reader, file)
            _check_size(*image.size, limits)
            yield image
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
