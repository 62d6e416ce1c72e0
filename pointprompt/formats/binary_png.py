"""Masks -> one black and white PNG a thing and image.

Knows masks. Does not know photos' pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pointprompt.formats.format import Format, Member, as_png
from pointprompt.formats.labelled import LabelledImage


class BinaryPng(Format):
    """masks/THING/cat.png: one channel of 8 bits, 255 in the mask and else 0.

    Annotation tools read this alike; of 1-bit images some make 0 and 1.
    """

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """One file a thing."""
        for thing, mask in enumerate(image.masks()):
            yield image.path("masks", thing, ".png"), as_png(mask.view(np.uint8) * np.uint8(255))
