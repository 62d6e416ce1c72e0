"""Margins of tokens -> one plane of a photo's pixels, fused of nine that each know something else.

Knows the planes by their modules. Does not know masks, clicks, or sizes other than the photo's.

Where margins change steeply from token to token, they say by themselves where the edge is. Where
they are flat they do not, and the photo's regions, edges and colours say it. So each plane's
weight depends on the contrast of the margins around it. The weights are fitted on photos with known
masks (`python -m benchmarks.fit_outline`). All planes are odd: margins of the other sign give the
plane of the other sign, so nothing is said of how large things are.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

from pointprompt.grid import enlarge
from pointprompt.masks import colour_models
from pointprompt.masks.guided_filter import guided
from pointprompt.masks.segments import Segments, pooled
from pointprompt.masks.smoother import Smoother
from pointprompt.types import ByteArray, FloatArray

# Side of the squares of tokens that contrast is taken in: among neighbours, and around.
NEAR, AROUND = 3, 7
# Margin beyond which the colours of the whole photo hardly count any more.
_UNSURE = 0.3
# Of the last smoothing, and the contrasts from and up to which less and less of it is done.
_LAST = (100.0, 6.0)
_SHARP_FROM, _SHARP = 0.8, 1.4

# Of each plane of `evidence`, in their order: its weight, and what is added to it for each unit of
# contrast near and around.
WEIGHTS: FloatArray = np.array(
    [
        [0.143, 1.679, 1.358],
        [-0.182, 0.162, -0.434],
        [0.469, -0.419, -0.390],
        [0.753, -0.922, 0.387],
        [0.552, -0.121, 0.483],
        [0.487, -0.130, 0.202],
        [1.431, -0.548, 0.145],
        [1.602, -0.570, -0.015],
        [1.978, -0.515, 0.079],
    ],
    np.float32,
)


def fuse(
    margins: FloatArray, pixels: ByteArray, segments: Segments, weights: FloatArray = WEIGHTS
) -> FloatArray:
    """How far inside each pixel is, (H, W) float32 in [-1, 1]; above 0 is inside.

    With e the planes of `evidence`, k3 and k7 their contrasts, and (A, B, C) the weights:

        x = tanh(sum of (A + B k3 + C k7) e)
        y = x + clip((1.4 - k3) / 0.6, 0, 1) (smoothed x - x)

    Args:
        margins: (h, w) float32 in [-1, 1]; 1 or -1 where a person clicked.
        pixels: (H, W, 3) uint8, RGB.
        segments: Of `segments.segment`, of the pixels.
        weights: (9, 3) float32.
    """
    smoother = Smoother(pixels)
    near, around = contrasts(margins, pixels.shape[:2])
    sums = np.zeros(pixels.shape[:2], np.float32)
    for plane, (weight, by_near, by_around) in zip(
        evidence(margins, pixels, segments, smoother), weights, strict=True
    ):
        sums += (weight + by_near * near + by_around * around) * plane
    fused: FloatArray = np.tanh(sums)
    flat = np.clip((_SHARP - near) / (_SHARP - _SHARP_FROM), 0, 1).astype(np.float32)
    fused += flat * (smoother.smooth(fused, *_LAST) - fused)
    return fused


def contrasts(margins: FloatArray, size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """How much margins differ near, and around, every pixel: each (H, W) float32 in [0, 2]."""
    quiet = _without_spikes(margins)
    near, around = (
        enlarge(maximum_filter(quiet, side) - minimum_filter(quiet, side), *size)
        for side in (NEAR, AROUND)
    )
    return near, around


def evidence(
    margins: FloatArray, pixels: ByteArray, segments: Segments, smoother: Smoother
) -> list[FloatArray]:
    """Nine planes that each say how far inside a pixel is, each (H, W) float32.

    Args:
        margins: (h, w) float32 in [-1, 1].
        pixels: (H, W, 3) uint8, RGB.
        segments: Of the pixels.
        smoother: Of the pixels.
    """
    interpolated = enlarge(_without_spikes(margins), *pixels.shape[:2])
    filtered = guided(margins, pixels)
    of_regions = pooled(filtered, segments)
    colour = colour_models.of_photo(filtered, pixels)
    return [
        interpolated,
        filtered,
        of_regions,
        colour_models.near_by(filtered, pixels),
        colour * np.exp(-np.abs(filtered) / np.float32(_UNSURE)),
        pooled(colour, segments),
        smoother.smooth(interpolated, 1000.0, 8.0),
        smoother.smooth((filtered + of_regions) * np.float32(0.5), 1000.0, 4.0),
        # The regions' vote.
        pooled((filtered > 0).astype(np.float32), segments) - np.float32(0.5),
    ]


def _without_spikes(margins: FloatArray) -> FloatArray:
    """Clicked tokens say where the thing is, not where its edge is: they count half."""
    return np.where(np.abs(margins) == 1, margins / 2, margins).astype(np.float32)
