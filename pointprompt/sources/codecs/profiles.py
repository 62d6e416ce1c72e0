"""Colours by an embedded ICC profile -> sRGB.

Knows profiles. Does not know files, transparency or orientation.
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

# Profiles of sRGB differ by rounding; any other moves some colour further than this, of 255.
_SAME = 2
# A profile with tables for every colour has a few megabytes.
_MAX_BYTES = 64 << 20

_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}


def in_srgb(colors: Image.Image, embedded: bytes | None) -> Image.Image:
    """Return the colours, mode RGB, by the embedded profile if it works.

    Args:
        colors: Mode RGB, L, CMYK or LAB.
        embedded: The profile that came with it. One that is broken, or made for another kind of
            image, is as good as none. One of sRGB itself changes nothing, as its name would say
            it, or not: its content decides.
    """
    try:
        profile = _profile(colors.mode, embedded)
        if profile is not None:
            converted = ImageCms.profileToProfile(colors, profile, _srgb(), outputMode="RGB")
            if converted is not None:
                return converted
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        pass
    return colors.convert("RGB")


def _profile(
    mode: str, embedded: bytes | None
) -> ImageCms.ImageCmsProfile | ImageCms.core.CmsProfile | None:
    """Return the profile to convert from, or None where plain conversion is right."""
    if mode == "LAB":
        return ImageCms.createProfile("LAB")
    if not embedded or len(embedded) > _MAX_BYTES:
        return None
    profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
    if profile.profile.xcolor_space.strip() != _SPACES[mode]:
        return None
    # From sRGB to sRGB would only round every pixel.
    return None if mode == "RGB" and _changes_nothing(embedded) else profile


@lru_cache(maxsize=16)
def _changes_nothing(embedded: bytes) -> bool:
    """Return whether colours from all over the cube stay what they are in sRGB."""
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(27, 27, 3)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
    converted = ImageCms.profileToProfile(Image.fromarray(cube), profile, _srgb())
    return bool((np.abs(np.asarray(converted).astype(int) - cube) <= _SAME).all())


def _srgb() -> ImageCms.core.CmsProfile:
    # Made anew: one profile must not be used by two threads.
    return ImageCms.createProfile("sRGB")
