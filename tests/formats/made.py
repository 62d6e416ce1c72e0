"""Masks of things for the tests of formats, and what was written of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from pointprompt.formats.archive import write_zip
from pointprompt.formats.format import Format, Options
from pointprompt.formats.labelled import Labelled, LabelledImage
from pointprompt.things import THING_COLORS, Color, Thing
from pointprompt.types import BackboneChoice, BoolArray, ByteArray, Photo

GREY = 100
RECIPE = b"a recipe"
BACKBONE = BackboneChoice("efficientnet_lite0", "block", 4, 512)


def photo(name: str, height: int, width: int, source: Any = None, orientation: int = 1) -> Photo:
    """A grey photo, or one whose pixels come from elsewhere."""
    preview = io.BytesIO()
    Image.new("RGB", (max(1, width // 4), max(1, height // 4)), (GREY,) * 3).save(preview, "JPEG")
    pixels = np.full((height, width, 3), GREY, np.uint8) if source is None else source
    return Photo(name, height, width, preview.getvalue(), pixels, "", orientation)


def things(*names: str, clicks: Sequence[Any] = ()) -> list[Thing]:
    colors = list(THING_COLORS.values())
    return [Thing(name, tuple(clicks), color=Color(*colors[i])) for i, name in enumerate(names)]


def labelled(
    masks: Sequence[Sequence[BoolArray]],
    of: Sequence[Thing] | None = None,
    photos: Sequence[Photo] | None = None,
    keeps_overlaps: bool = False,
    skipped: Sequence[int] = (),
) -> Labelled:
    """What is exported where masks[t][i] is the mask of a thing in an image."""
    of = of or things(*(f"thing {i}" for i in range(len(masks))))
    photos = photos or [photo(f"image {i}.jpeg", *mask.shape) for i, mask in enumerate(masks[0])]
    rng = np.random.default_rng(0)
    heatmaps = rng.random((len(of), len(photos), 4, 6), np.float32)
    presence = rng.random((len(of), len(photos)), np.float32)
    return Labelled(
        photos,
        of,
        masks,
        heatmaps,
        presence,
        BACKBONE,
        keeps_overlaps,
        skipped=frozenset(skipped),
        recipe=lambda: RECIPE,
    )


def some_masks(things: int, sizes: Sequence[tuple[int, int]], seed: int = 0) -> list[Any]:
    """Masks of blobs with holes, which overlap."""
    rng = np.random.default_rng(seed)

    def blobs(size: tuple[int, int]) -> BoolArray:
        return np.asarray(ndimage.gaussian_filter(rng.random(size), 1.5, mode="wrap") > 0.5)

    return [[blobs(size) for size in sizes] for _ in range(things)]


def with_thin_parts(height: int, width: int) -> BoolArray:
    """A disc with holes, one in another's island, a ring of a pixel, a cross, and lone pixels."""
    y, x = np.indices((height, width))
    far = np.hypot(y - height * 0.4, x - width * 0.4) / min(height, width)
    mask = (far < 0.3) & ~((far > 0.05) & (far < 0.1)) & ~(np.hypot(y % 40 - 20, x % 40 - 20) < 6)
    mask |= np.abs(far - 0.35) * min(height, width) < 0.6
    mask |= (np.abs(y - height + 4) < 1) | (np.abs(x - y) < 1)
    mask[:: max(7, height // 4), :: max(9, width // 4)] = True
    return np.asarray(mask)


# Upright pixels as a file stores them, as Pillow undoes what `ImageOps.exif_transpose` does.
PILLOWS_TURNS: dict[int, Callable[[Image.Image], Image.Image]] = {
    1: lambda image: image,
    2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
    4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


def turned_as_stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    return np.asarray(PILLOWS_TURNS[orientation](Image.fromarray(upright)))


def members(
    given: Labelled, formats: Sequence[str], options: Options | None = None
) -> dict[str, bytes]:
    """The files of an archive."""
    file = io.BytesIO()
    write_zip(file, given, formats, options=options or Options())
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def files_of(
    kind: type[Format], given: Labelled, options: Options | None = None
) -> dict[str, bytes]:
    """The files of one format alone."""
    writer = kind(given, options or Options())
    images = (
        LabelledImage(given, index, writer.options.orientation)
        for index in range(len(given.photos))
    )
    files = dict(member for image in images for member in writer.add(image))
    return files | dict(writer.finish())


def document(
    given: Labelled, formats: Sequence[str] = (), options: Options | None = None
) -> dict[str, Any]:
    """What prompt.json says."""
    return dict(json.loads(members(given, formats, options)["prompt.json"]))


def opened(data: bytes) -> ByteArray:
    return np.asarray(Image.open(io.BytesIO(data)))


def iou(first: BoolArray, second: BoolArray) -> float:
    both = int((first & second).sum())
    return both / max(1, int((first | second).sum()))
