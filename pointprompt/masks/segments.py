"""A photo -> regions of one look, coarse and fine, and means over them.

Knows arrays. Does not know what is averaged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb

from pointprompt.types import ByteArray, FloatArray

# How much a region of few pixels is merged with its neighbours: from finer to coarser.
SCALES = (50, 200)
# Blur of the photo, in pixels, and the fewest pixels of a region.
_BLUR = 0.6
_LEAST = 20

# Which region each pixel (H, W) is in, from 0 on; one for each scale.
Segments = Sequence[NDArray[np.int32]]


def segment(pixels: ByteArray) -> Segments:
    """The regions of a photo at all scales.

    Args:
        pixels: (H, W, 3) uint8, RGB.

    Source: Felzenszwalb and Huttenlocher 2004, Efficient Graph-Based Image Segmentation.
    """
    return [
        felzenszwalb(pixels, scale=scale, sigma=_BLUR, min_size=_LEAST).astype(np.int32)
        for scale in SCALES
    ]


def pooled(plane: FloatArray, segments: Segments) -> FloatArray:
    """Every pixel with the mean of its region, on average over the scales: (H, W) float32.

    Args:
        plane: (H, W) float32.
        segments: Of `segment`.
    """
    means = np.zeros(plane.shape, np.float32)
    for regions in segments:
        flat = regions.ravel()
        sums, counts = np.bincount(flat, plane.ravel()), np.bincount(flat)
        means += (sums / np.maximum(counts, 1)).astype(np.float32)[regions]
    return means / np.float32(len(segments))
