"""One image in any form that is accepted -> its upright pixels as an image viewer shows them.

Knows what makes pixels look right. Does not know formats (`decoders` does), sets, names, previews
or where files come from.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageChops, ImageOps

from pointprompt.sources.codecs import profiles, signatures, tones
from pointprompt.sources.codecs.loaded import RARE, ImageError, Loaded
from pointprompt.sources.decoders import reader_of

# A file, a file's bytes, or pixels.
Stored = str | Path | bytes | Image.Image | np.ndarray

# Told how many pixels a picture has.
Sized = Callable[[int], None]

# No camera, scanner or stitched panorama has a side as long, in pixels; and resizing one takes
# memory that grows with it, whatever the other side is.
_MAX_SIDE = 250_000

_MISSING = (128, 128, 128)

# Pillow fills an image at its first use, which two threads must not do at once. A caller may hand
# in the same image twice.
_callers_image_lock = threading.Lock()


@dataclass(frozen=True)
class Limits:
    """How much is accepted.

    Attributes:
        max_images: Images in a set.
        max_megapixels: Millions of pixels in one image, compared before it is decoded.
    """

    max_images: int = 100
    max_megapixels: float = 120.0


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Decoded:
    """A picture as an image viewer shows it.

    Attributes:
        image: Mode RGB, sRGB, upright, on white where it is transparent.
        remarks: What is shown otherwise than it is stored, or lacks, a sentence each.
        orientation: How it was stored, from 1 to 8 as EXIF counts; 1 where nothing was turned.
    """

    image: Image.Image
    remarks: tuple[str, ...] = ()
    orientation: int = 1


def suffix_of(data: bytes, name: str = "") -> str | None:
    """Return the file name suffix for the format that an image file's bytes show, None if not one.

    Only the first bytes are looked at, so the rest may still be damaged.

    Args:
        data: The file's bytes.
        name: Its name, for formats that have no mark of their own (`signatures.format_of`).
    """
    found = signatures.format_of(data[: signatures.START_BYTES], name)
    return signatures.SUFFIXES.get(found) if found is not None else None


def decode(source: Stored, limits: Limits, sized: Sized | None = None) -> Decoded:
    """Return the picture as an image viewer shows it.

    Args:
        source: Whatever holds it.
        limits: What is too big.
        sized: Told the size of a file's picture before it is decoded; it may wait, or raise.

    Raises:
        ImageError: The source is missing, too big, damaged, or not an image.
        MemoryError: There is not enough memory; `images` says so of the image alone.
    """
    if isinstance(source, np.ndarray):
        _check_pixels(source)
        _check_size(source.shape[1], source.shape[0], limits)
        return _upright(Loaded(Image.fromarray(source)))
    if isinstance(source, Image.Image):
        _check_size(*source.size, limits)
        with _callers_image_lock:
            return _upright(_callers_image(source))
    if isinstance(source, bytes):
        return _read_file(io.BytesIO(source), "", limits, sized)
    if isinstance(source, (str, Path)):
        with open_file(Path(source)) as file:
            return _read_file(file, Path(source).name, limits, sized)
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
    if max(width, height) > _MAX_SIDE:
        raise ImageError(
            f"The image has {width} x {height} pixels; no side may be longer than {_MAX_SIDE:,}."
        )
    if width * height > limits.max_megapixels * 1e6:
        raise ImageError(
            f"The image has {width * height / 1e6:.1f} megapixels ({width} x {height}); "
            f"at most {limits.max_megapixels:g} are allowed."
        )


def open_file(path: Path) -> BinaryIO:
    """Return an open file, which is a regular one.

    Raises:
        ImageError: There is none, or it cannot be opened.
    """
    try:
        # Only regular files: reading a device or a pipe could last for ever.
        if not path.is_file():
            raise ImageError("There is no such file.")
        return path.open("rb")
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        # Not the error's own words: they hold the path.
        raise ImageError("The file cannot be opened.") from error


def _read_file(file: BinaryIO, name: str, limits: Limits, sized: Sized | None) -> Decoded:
    def check(width: int, height: int) -> None:
        _check_size(width, height, limits)
        if sized is not None:
            sized(width * height)

    read = reader_of(file, name)
    try:
        return _upright(read(file, check))
    except (ImageError, MemoryError):
        raise
    # A hostile or damaged file can make a decoder raise nearly anything.
    except Exception as error:
        raise ImageError(RARE) from error


def _callers_image(image: Image.Image) -> Loaded:
    try:
        image.load()
    except MemoryError:
        raise
    except Exception as error:
        raise ImageError("The file is damaged or incomplete.") from error
    return Loaded(image)


def _upright(loaded: Loaded) -> Decoded:
    rgb, remark = _to_rgb(loaded.image)
    if loaded.missing is not None:
        rgb.paste(_MISSING, mask=Image.fromarray(loaded.missing))
    # Pillow's own turn, on a picture that has no other EXIF: it would write that anew, which can
    # fail, and nothing here reads it.
    rgb.info = {}
    orientation = _orientation(loaded.image)
    rgb.getexif()[ExifTags.Base.Orientation] = orientation
    ImageOps.exif_transpose(rgb, in_place=True)
    remarks = loaded.remarks + ((remark,) if remark else ())
    return Decoded(rgb, remarks, orientation if loaded.turned == 1 else _known(loaded.turned))


def _orientation(image: Image.Image) -> int:
    """Return how the picture is still to be turned."""
    try:
        return _known(image.getexif().get(ExifTags.Base.Orientation, 1))
    # Broken metadata does not make the picture itself unusable.
    except Exception:
        return 1


def _known(orientation: Any) -> int:
    """Return one from 1 to 8; what is none of them says nothing."""
    return int(orientation) if orientation in range(1, 9) else 1


def _to_rgb(image: Image.Image) -> tuple[Image.Image, str]:
    """Return a new image of mode RGB, sRGB, on white, and what is to be said of its range."""
    profile, remark = image.info.get("icc_profile"), ""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image)
        full = None if image.mode == "I" and values.max() > 65535 else tones.full_of(values.dtype)
        shown, remark = tones.eight_bits(values, full=full)
        image = Image.fromarray(shown)
        profile = None if remark else profile
    if image.mode in ("La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    base = {"LA": "L", "1": "L", "CMYK": "CMYK", "L": "L", "LAB": "LAB"}.get(image.mode, "RGB")
    colors = image.convert(base) if image.mode != base else image
    rgb = profiles.in_srgb(colors, profile)
    if image.has_transparency_data:
        has_band = image.mode in ("LA", "RGBA")
        alpha = (image if has_band else image.convert("RGBA")).getchannel("A")
        rgb.paste((255, 255, 255), mask=ImageChops.invert(alpha))
    return rgb, remark
