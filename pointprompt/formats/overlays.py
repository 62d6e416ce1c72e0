"""Masks and photos -> pictures to look at: each photo with its things tinted and outlined.

Knows photos, masks and colours. Does not know other formats.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image

from pointprompt.formats.format import Format, Member, as_png
from pointprompt.formats.labelled import LabelledImage
from pointprompt.masks.draw import overlay
from pointprompt.types import ByteArray

OVERLAY_OPACITY = 0.45
JPEG_QUALITY = 90
# JPEG has 16 bits for a side; Pillow refuses the last few.
JPEG_MAX_SIDE = 65_500


class Overlays(Format):
    """overlays/cat.jpg: at the photo's own size; a PNG where a side is too long for JPEG."""

    lacks = "overlay"

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """One file."""
        colors = [thing.color for thing in self.labelled.things]
        drawn = overlay(image.pixels, image.masks(), colors, OVERLAY_OPACITY, outline=True)
        if max(image.shape) > JPEG_MAX_SIDE:
            yield f"overlays/{image.stem}.png", as_png(drawn)
        else:
            yield f"overlays/{image.stem}.jpg", as_jpeg(drawn)


def as_jpeg(pixels: ByteArray) -> bytes:
    """The content of a JPEG: (H, W, 3) uint8, no side above `JPEG_MAX_SIDE`."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
