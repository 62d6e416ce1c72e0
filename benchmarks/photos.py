"""Photos to measure with: varied views of the built-in examples, as a camera would have saved them.

Knows the examples and Pillow. The same photos come out every time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pointprompt.sources.examples import example_sets
from pointprompt.types import ByteArray

SIZE = (1280, 960)
_QUALITY = 90
# Grey levels. Enlarged pictures are smooth, and would be decoded faster than what a sensor saw.
_NOISE = 4.0


def make_photos(folder: Path, count: int, size: tuple[int, int] = SIZE) -> list[Path]:
    """That many JPEG files of so many pixels, no two alike; the first ones are always the same."""
    pictures = [image.load() for example in example_sets() for image in example.images]
    paths = [folder / f"photo-{index:03d}.jpg" for index in range(count)]
    for index, path in enumerate(paths):
        photo = _photo_of(pictures[index % len(pictures)], np.random.default_rng(index), size)
        photo.save(path, quality=_QUALITY)
    return paths


def make_blobs(folder: Path, count: int, seed: int, *, large: bool = False) -> list[Path]:
    """Photos (JPEG) of a blob on a ground, each its own."""
    folder.mkdir()
    paths = []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        height, width = 240, 320
        y, x = np.mgrid[:height, :width]
        pixels = np.empty((height, width, 3))
        pixels[:] = rng.integers(0, 256, 3)
        blob = np.hypot(y - rng.uniform(60, 180), x - rng.uniform(80, 240)) < rng.uniform(25, 60)
        pixels[blob] = rng.integers(0, 256, 3)
        pixels += rng.normal(0, 8, pixels.shape)
        path = folder / f"{seed}-{number}.jpg"
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        (image.resize((1280, 960)) if large else image).save(path)
        paths.append(path)
    return paths


def _photo_of(picture: ByteArray, rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """A part of the picture at this size and another brightness, perhaps mirrored, with noise."""
    image = Image.fromarray(picture)
    share = rng.uniform(0.7, 1)
    left, top = rng.uniform(0, 1 - share, 2) * image.size
    box = (left, top, left + share * image.width, top + share * image.height)
    image = image.resize(size, Image.Resampling.BICUBIC, box=box)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = np.asarray(image, np.float32) * np.float32(rng.uniform(0.8, 1.2))
    pixels += _NOISE * rng.standard_normal((*pixels.shape[:2], 1), np.float32)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
