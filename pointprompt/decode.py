"""One image in any form that is accepted -> its upright pixels as an image viewer shows them.

Knows which reader a format has, and what makes pixels look right. Does not know sets, names,
previews or where files come from.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageChops,
    ImageOps,
    Jpeg2KImagePlugin,
    PsdImagePlugin,
    TgaImagePlugin,
    WebPImagePlugin,
)

from pointprompt import jpeg, jpegxl, png, pnm, profiles, qoi, signatures, tiff, tones
from pointprompt.loaded import ImageError, Loaded, SizeCheck, load

# A file, a file's bytes, or pixels.
Stored = str | Path | bytes | Image.Image | np.ndarray

# Told how many pixels a picture has.
Sized = Callable[[int], None]

# No camera, scanner or stitched panorama has a side as long, in pixels; and resizing one takes
# memory that grows with it, whatever the other side is.
_MAX_SIDE = 250_000

_MISSING = (128, 128, 128)
_RARE = "The file is damaged, or a rare kind of its format."

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
    """

    image: Image.Image
    remarks: tuple[str, ...] = ()


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
        with _opened(Path(source)) as file:
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


def _opened(path: Path) -> BinaryIO:
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

    read = _reader(file, name)
    try:
        return _upright(read(file, check))
    except (ImageError, MemoryError):
        raise
    # A hostile or damaged file can make a decoder raise nearly anything.
    except Exception as error:
        raise ImageError(_RARE) from error


def _reader(file: BinaryIO, name: str) -> Callable[[BinaryIO, SizeCheck], Loaded]:
    """Return what reads the format that the file's first bytes show."""
    start = file.read(signatures.START_BYTES)
    file.seek(0)
    found = signatures.format_of(start, name)
    if found not in _READERS:
        raise ImageError(signatures.refusal(start, found, name))
    return _READERS[found]


def _pillows(
    plugin: Callable[[BinaryIO], Image.Image],
) -> Callable[[BinaryIO, SizeCheck], Loaded]:
    """Return the reader of a format that one of Pillow's plugins is right for.

    Image.open is not used: it would consider every format Pillow knows (some start other programs)
    and compares sizes with a process-wide limit, where Limits decides here.
    """

    def read(file: BinaryIO, check: SizeCheck) -> Loaded:
        def reopen() -> Image.Image:
            file.seek(0)
            return plugin(file)

        return load(reopen, check)

    return read


def _read_heic(file: BinaryIO, check: SizeCheck) -> Loaded:
    from pillow_heif import HeifImageFile

    return _pillows(HeifImageFile)(file, check)


def _read_icon(file: BinaryIO, check: SizeCheck) -> Loaded:
    """Return the largest of an icon's pictures."""
    # A cursor differs from an icon in this byte, and in what its directory says beside the sizes.
    data = bytearray(file.read())
    data[2] = 1
    image = IcoImagePlugin.IcoImageFile(io.BytesIO(data))
    # It may be a PNG, whose own header counts.
    check(*image.ico.frame(image.ico.getentryindex(image.size)).size)
    image.load()
    return Loaded(image)


def _read_psd(file: BinaryIO, check: SizeCheck) -> Loaded:
    """Return the flattened picture."""
    loaded = _pillows(PsdImagePlugin.PsdImageFile)(file, check)
    if loaded.image.mode != "RGBA" or _psd_is_transparent(file):
        return loaded
    profile = loaded.image.info.get("icc_profile")
    opaque = loaded.image.convert("RGB")
    opaque.info["icc_profile"] = profile
    return Loaded(opaque, loaded.remarks, loaded.missing)


def _psd_is_transparent(file: BinaryIO) -> bool:
    """Return whether the fourth band is transparency, and not a selection that was saved.

    Source:
        Adobe Photoshop File Formats Specification, Layer info: a layer count below zero.
    """
    file.seek(26)
    for _ in ("the colours of a palette", "resources"):
        file.seek(int.from_bytes(file.read(4), "big"), io.SEEK_CUR)
    section, layers, count = file.read(4), file.read(4), file.read(2)
    has_count = int.from_bytes(section, "big") >= 6 and int.from_bytes(layers, "big") >= 2
    return has_count and count[:1] >= b"\x80"


_READERS: dict[str, Callable[[BinaryIO, SizeCheck], Loaded]] = {
    "JPEG": jpeg.read,
    "PNG": png.read,
    "TIFF": tiff.read,
    "PNM": pnm.read,
    "QOI": qoi.read,
    "JPEG XL": jpegxl.read,
    "HEIC": _read_heic,
    "ICO": _read_icon,
    "PSD": _read_psd,
    "AVIF": _pillows(AvifImagePlugin.AvifImageFile),
    "WebP": _pillows(WebPImagePlugin.WebPImageFile),
    "GIF": _pillows(GifImagePlugin.GifImageFile),
    "BMP": _pillows(BmpImagePlugin.BmpImageFile),
    "DIB": _pillows(BmpImagePlugin.DibImageFile),
    "TGA": _pillows(TgaImagePlugin.TgaImageFile),
    "JPEG 2000": _pillows(Jpeg2KImagePlugin.Jpeg2KImageFile),
}


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
    # Pillow would write the picture's other EXIF anew, which can fail, and nothing here reads it.
    rgb.info = {}
    rgb.getexif()[ExifTags.Base.Orientation] = _orientation(loaded.image)
    ImageOps.exif_transpose(rgb, in_place=True)
    return Decoded(rgb, loaded.remarks + ((remark,) if remark else ()))


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    # Broken metadata does not make the picture itself unusable.
    except Exception:
        return 1


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
