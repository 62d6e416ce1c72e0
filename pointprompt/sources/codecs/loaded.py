"""What every reader of a format hands to `decode`: a picture with its pixels, as it is stored.

Knows Pillow images. Does not know formats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pointprompt.types import BoolArray

# Told the width and the height, before anything is decoded. Raises ImageError for too large ones.
SizeCheck = Callable[[int, int], None]

# A file that lacks more of its picture than this is refused.
MOST_MISSING = 0.75
# Said of what no reader makes sense of.
RARE = "The file is damaged, or a rare kind of its format."


class ImageError(ValueError):
    """An image that cannot be used, or no usable image at all; the message says why."""


@dataclass(frozen=True)
class Loaded:
    """A picture as it is stored: neither upright, nor in sRGB, nor on white.

    Attributes:
        image: Its pixels are in memory. Its info has the colour profile, EXIF and XMP.
        remarks: What is shown otherwise than it is stored, a sentence each.
        missing: (H, W) bool, where the file has no pixels; None where it has all.
        turned: The orientation of its file, as EXIF counts, where its decoder turned it upright.
    """

    image: Image.Image
    remarks: tuple[str, ...] = ()
    missing: BoolArray | None = None
    turned: int = 1


def load(reopen: Callable[[], Image.Image], check: SizeCheck) -> Loaded:
    """Return the picture, or what is there of it where the file is damaged or ends early.

    Args:
        reopen: Opens the file from its start, with nothing decoded.
        check: As `SizeCheck`.

    Raises:
        ImageError: It is too large, or most of it is missing.
    """
    image = reopen()
    check(*image.size)
    try:
        image.load()
    except MemoryError:
        raise
    # Damaged or hostile data can make Pillow raise nearly anything.
    except Exception:
        return what_is_there(reopen)
    check(*image.size)
    return Loaded(image)


def incomplete(missing: BoolArray) -> tuple[str, ...]:
    """Return the remark for a picture that lacks these pixels.

    Raises:
        ImageError: It lacks most of them.
    """
    share = float(missing.mean())
    if share == 1:
        raise ImageError("The file is damaged or incomplete.")
    if share > MOST_MISSING:
        raise ImageError(f"The file is damaged or incomplete: it lacks {_percent(share)}.")
    if share > 0:
        return (f"The file is damaged or incomplete: it lacks {_percent(share)}, shown grey.",)
    return ("The file is damaged or incomplete; all of the picture is there.",)


def _percent(share: float) -> str:
    return f"{share:.0%} of the picture" if share >= 0.01 else "less than 1% of the picture"


def what_is_there(reopen: Callable[[], Image.Image]) -> Loaded:
    """Return what can be decoded of a damaged file.

    What a decoder did not reach keeps what was there before it. So it runs on two grounds, and
    where they still differ nothing was decoded. Pillow's own switch for this is the whole
    process's, and does not say what is missing.

    Raises:
        ImageError: Most of it is missing.
    """
    dark, light = (_decoded_onto(reopen(), level) for level in (0, 255))
    differ = np.asarray(dark) != np.asarray(light)
    missing = differ.any(axis=2) if differ.ndim == 3 else differ
    return Loaded(dark, incomplete(missing), missing)


def _decoded_onto(image: Image.Image, level: int) -> Image.Image:
    ground = level if len(image.getbands()) == 1 else (level,) * len(image.getbands())
    image.im = Image.new(image.mode, image.size, ground).im
    try:
        image.load()
    except MemoryError:
        raise
    except Exception:
        # Nothing more to decode: the next load takes what is there.
        image.tile = []  # type: ignore[attr-defined]
        image.load()
    return image
