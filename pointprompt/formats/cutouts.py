"""Masks and photos -> each thing alone, on nothing.

Knows photos and masks. Does not know other formats.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pointprompt.formats.format import Format, Member, as_png
from pointprompt.formats.labelled import LabelledImage


class Cutouts(Format):
    """cutouts/THING/cat.png: red, green, blue and alpha, at the photo's own size.

    Where the thing is not, the photo's colours are not in the file either.
    """

    lacks = "cut-out"

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """One file a thing."""
        pixels = image.pixels
        for thing, mask in enumerate(image.masks()):
            cut = np.zeros((*mask.shape, 4), np.uint8)
            cut[..., :3] = pixels * mask[..., None]
            cut[..., 3] = mask * np.uint8(255)
            yield image.path("cutouts", thing, ".png"), as_png(cut)
