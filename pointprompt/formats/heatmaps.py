"""Heatmaps -> grey PNG of 16 bits: how well each pixel fits a thing, before the threshold.

Knows heatmaps. Does not know masks, nor photos' pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pointprompt.formats.format import Format, Member, as_png
from pointprompt.formats.labelled import LabelledImage

_MOST = np.iinfo(np.uint16).max


class Heatmaps(Format):
    """heatmaps/THING/cat.png: 0 fits least, 65535 most; interpolated to the image's size."""

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """One file a thing."""
        for thing in range(len(self.labelled.things)):
            heatmap = image.heatmap(thing)
            heatmap *= _MOST
            grey = np.rint(heatmap, out=heatmap).astype(np.uint16)
            yield image.path("heatmaps", thing, ".png"), as_png(grey)
