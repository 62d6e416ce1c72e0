"""Built-in example sets: photos that scikit-image ships, and the tables that lie beside this file.

Needs no network. Knows nothing of how images are analysed or shown, nor how the tables were drawn
(`assets/draw_examples.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.Image import Transpose

from pointprompt.types import ByteArray


@dataclass(frozen=True)
class ExampleImage:
    """One image of an example set.

    Attributes:
        name: File name, unique within its set.
        load: Returns the pixels, (H, W, 3) uint8; the same at every call.
    """

    name: str
    load: Callable[[], ByteArray] = field(repr=False)


@dataclass(frozen=True)
class ExampleSet:
    """Several images in which there is something to click on.

    Attributes:
        key: Short name for use in programs.
        title: What to call it on a page.
        description: What it shows, and what to try.
        credits: Who made the images, and under which terms they are used.
        images: The images; the first is the one to show as a thumbnail.
    """

    key: str
    title: str
    description: str
    credits: str
    images: tuple[ExampleImage, ...]


def example_sets() -> tuple[ExampleSet, ...]:
    """Return all built-in sets, the one to show first at the front; no image is made yet."""
    return _SETS


def example_set(key: str) -> ExampleSet:
    """Return the set of that key.

    Raises:
        ValueError: There is no such set.
    """
    for candidate in _SETS:
        if candidate.key == key:
            return candidate
    keys = ", ".join(candidate.key for candidate in _SETS)
    raise ValueError(f"There is no example set {key}. There are: {keys}.")


def opening_example() -> ExampleSet:
    """Return the set that a page opens with."""
    return example_set("cat-or-not")


# --- Photos --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _View:
    """How another view is taken of a photo.

    Attributes:
        box: Left, top, right and bottom of the part shown, as fractions of the photo.
        tilt: Degrees, counterclockwise.
        brightness: Times as bright.
        mirrored: Left and right change places.
    """

    box: tuple[float, float, float, float] = (0, 0, 1, 1)
    tilt: float = 0
    brightness: float = 1
    mirrored: bool = False


def _photo(name: str) -> Image.Image:
    """Return a photo from the files that scikit-image is installed with."""
    from skimage import data

    if name.startswith("motorcycle"):
        left, right, _ = data.stereo_motorcycle()
        return Image.fromarray(left if name == "motorcycle_left" else right)
    return Image.fromarray(getattr(data, name)())


def _seen(photo: str, view: _View) -> ByteArray:
    image = _photo(photo)
    if view.tilt:
        image = image.rotate(view.tilt, Image.Resampling.BICUBIC)
    left, top, right, bottom = view.box
    width, height = image.size
    image = image.crop(
        (round(left * width), round(top * height), round(right * width), round(bottom * height))
    )
    if view.mirrored:
        image = image.transpose(Transpose.FLIP_LEFT_RIGHT)
    pixels = np.asarray(image, dtype=np.float32) * view.brightness
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8)


def _view(name: str, photo: str, view: _View = _View()) -> ExampleImage:
    return ExampleImage(f"{name}.png", partial(_seen, photo, view))


# --- The still life ------------------------------------------------------------------------------

_TABLES = Path(__file__).parent / "still_life"


def _table(number: int) -> ByteArray:
    with Image.open(_TABLES / f"table-{number}.jpg") as image:
        return np.array(image)


# --- The sets ------------------------------------------------------------------------------------

_SKIMAGE = "as shipped with scikit-image"
_CAT_CREDITS = f"Chelsea the cat, by Stéfan van der Walt, CC0; {_SKIMAGE}."

_SETS = (
    ExampleSet(
        key="still-life",
        title="Still life",
        description=(
            "Six drawn tables. Click on the red ball, and see the balls on all of them. “Not this” "
            "on the orange ball takes it away again."
        ),
        credits="Drawn by a program of pointprompt's own.",
        images=tuple(
            ExampleImage(f"table-{number}.png", partial(_table, number)) for number in range(1, 7)
        ),
    ),
    ExampleSet(
        key="motorcycle",
        title="Motorcycle, two views",
        description=(
            "A motorcycle seen by the left and the right eye, and closer up. Click a tyre: the "
            "wheels are found in all views."
        ),
        credits=(
            "From the Middlebury 2014 stereo benchmark, by D. Scharstein, H. Hirschmüller, "
            "Y. Kitajima, G. Krathwohl, N. Nešić, X. Wang and P. Westling: High-resolution stereo "
            f"datasets with subpixel-accurate ground truth, GCPR 2014; scaled down, {_SKIMAGE}."
        ),
        images=(
            _view("left", "motorcycle_left"),
            _view("right", "motorcycle_right"),
            _view("left-closer", "motorcycle_left", _View(box=(0.12, 0.18, 0.72, 0.86))),
            _view("right-closer", "motorcycle_right", _View(box=(0.30, 0.22, 0.90, 0.94))),
        ),
    ),
    ExampleSet(
        key="cat",
        title="One cat, six views",
        description=(
            "The same cat closer, tilted, mirrored and darker. Click an eye: both are found in "
            "all six."
        ),
        credits=_CAT_CREDITS,
        images=(
            _view("cat", "chelsea"),
            _view("cat-mirrored", "chelsea", _View(mirrored=True)),
            _view("cat-closer", "chelsea", _View(box=(0.18, 0.05, 0.76, 0.92))),
            _view("cat-dark", "chelsea", _View(box=(0.05, 0, 0.85, 1), brightness=0.6)),
            _view("cat-tilted", "chelsea", _View(box=(0.17, 0.17, 0.83, 0.83), tilt=14)),
            _view(
                "cat-bright",
                "chelsea",
                _View(box=(0.14, 0.14, 0.86, 0.90), tilt=-9, brightness=1.2, mirrored=True),
            ),
        ),
    ),
    ExampleSet(
        key="tissue",
        title="Tissue under the microscope",
        description=(
            "Six overlapping parts of a stained section of the colon. Click on the pale tissue "
            "with blue nuclei: it is found around the brown glands, which stay out."
        ),
        credits=(
            "Colonic glands, immunohistochemical staining, from the Center for Microscopy and "
            f"Molecular Imaging (CMMI); no known copyright restrictions; {_SKIMAGE}."
        ),
        images=tuple(
            _view(
                f"tissue-{row + 1}-{column + 1}",
                "immunohistochemistry",
                _View(box=(column / 4, row / 2, column / 4 + 0.5, row / 2 + 0.5)),
            )
            for row in range(2)
            for column in range(3)
        ),
    ),
    ExampleSet(
        key="cat-or-not",
        title="Cat or no cat?",
        description=("Click the cat: its mask appears in the images that show it."),
        credits=(
            f"{_CAT_CREDITS} Coffee, by Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0. "
            "Eileen Collins, by NASA, public domain. Rocket, by SpaceX, public domain."
        ),
        images=(
            _view("cat", "chelsea"),
            _view("coffee", "coffee"),
            _view("cat-closer", "chelsea", _View(box=(0.18, 0.05, 0.76, 0.92), mirrored=True)),
            _view("astronaut", "astronaut"),
            _view("rocket", "rocket"),
        ),
    ),
)
