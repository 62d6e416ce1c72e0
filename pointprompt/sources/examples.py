"""Built-in example sets: photos that scikit-image ships, and a still life drawn here.

Needs no network. Knows nothing of how images are analysed or shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np
from PIL import Image
from PIL.Image import Transpose

from pointprompt.types import ByteArray, FloatArray


@dataclass(frozen=True)
class ExampleImage:
    """One image of an example set.

    Attributes:
        name: File name, unique within its set.
        load: Returns the pixels, (H, W, 3) uint8; the same at every call, not to be written to.
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

_Color = tuple[float, float, float]

_WIDTH, _HEIGHT = 512, 384
# Where within a pixel its rays go through.
_PIXEL_SAMPLES = ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))
_FAR = np.float32(1e9)
# Rays leave a surface from slightly above it, so as not to meet it again at once.
_LIFT = 1e-3
_LAMP_RADIUS = np.float32(0.22)
_WALL: _Color = (0.80, 0.78, 0.74)


@dataclass(frozen=True)
class _Solid:
    """A ball or an upright cylinder that stands on the table; lengths in decimetres.

    Attributes:
        x: To the right of the middle.
        z: Behind the middle.
        radius: Of the ball or cylinder.
        height: Of the cylinder; 0 for a ball.
        color: RGB in [0, 1].
        band: The colour of a band around it, if any.
        gloss: How much it shines, in [0, 1].
    """

    x: float
    z: float
    radius: float
    height: float
    color: _Color
    band: _Color | None = None
    gloss: float = 0.6

    def moved(self, x: float, z: float) -> _Solid:
        """Return the same thing elsewhere."""
        return _Solid(x, z, self.radius, self.height, self.color, self.band, self.gloss)

    def distances(self, origins: FloatArray, directions: FloatArray) -> FloatArray:
        """Return (m,) how far along each of m rays the solid is met, `_FAR` where it is not."""
        if not self.height:
            center = np.array([self.x, self.radius, self.z], np.float32)
            return _nearest_root(origins - center, directions, self.radius)
        center = np.array([self.x, 0, self.z], np.float32)
        flat = np.array([1, 0, 1], np.float32)
        side = _nearest_root((origins - center) * flat, directions * flat, self.radius)
        side_y = origins[:, 1] + side * directions[:, 1]
        side = np.where((side_y >= 0) & (side_y <= self.height), side, _FAR)
        top = _plane_distances(origins, directions, self.height)
        offset = origins + np.minimum(top, 1e4)[:, None] * directions - center
        on_top = offset[:, 0] ** 2 + offset[:, 2] ** 2 <= self.radius**2
        return np.minimum(side, np.where(on_top, top, _FAR))

    def normals(self, points: FloatArray) -> FloatArray:
        """Return (m, 3) unit vectors that stand on the surface."""
        if not self.height:
            center = np.array([self.x, self.radius, self.z], np.float32)
            return _unit(points - center)
        outward = points - np.array([self.x, 0, self.z], np.float32)
        outward[:, 1] = 0
        is_top = points[:, 1] > self.height - 2 * _LIFT
        outward[is_top] = (0, 1, 0)
        return _unit(outward)

    def colors(self, points: FloatArray) -> FloatArray:
        """Return (m, 3) RGB of points on the surface, before any light falls on it."""
        colors = np.broadcast_to(np.array(self.color, np.float32), points.shape).copy()
        if self.band is not None:
            level = points[:, 1] / (self.height or 2 * self.radius)
            colors[(level > 0.40) & (level < 0.62)] = self.band
        return colors


@dataclass(frozen=True)
class _Scene:
    """A table with things on it, and from where it is seen and lit.

    Attributes:
        solids: The things.
        cloth: The two colours of a checked cloth; None for bare wood.
        azimuth: Degrees, of the camera around the table.
        elevation: Degrees, of the camera above the table.
        distance: Of the camera from the middle.
        light: Where the lamp is.
    """

    solids: tuple[_Solid, ...]
    cloth: tuple[_Color, _Color] | None
    azimuth: float
    elevation: float
    distance: float
    light: tuple[float, float, float]


@lru_cache(maxsize=8)
def _drawn(scene: _Scene) -> ByteArray:
    """Return the picture of a scene, (H, W, 3) uint8, by casting rays through every pixel.

    It takes most of a second, so it is kept, and cannot be written to.
    """
    rng = np.random.default_rng(0)
    linear = np.zeros((_WIDTH * _HEIGHT, 3), np.float32)
    for sample in _PIXEL_SAMPLES:
        eye, directions = _camera_rays(scene, sample)
        linear += np.clip(_ray_colors(scene, eye, directions, rng), 0, 1) / len(_PIXEL_SAMPLES)
    pixels = (linear.reshape(_HEIGHT, _WIDTH, 3) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)
    pixels.setflags(write=False)
    return pixels


def _ray_colors(
    scene: _Scene, eye: FloatArray, directions: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return (m, 3) linear RGB of what is seen along each of m rays."""
    origins = np.broadcast_to(eye, directions.shape)
    nearest = _plane_distances(origins, directions, 0)
    which = np.where(nearest < _FAR, 0, -1)
    for number, solid in enumerate(scene.solids, start=1):
        distances = solid.distances(origins, directions)
        which = np.where(distances < nearest, number, which)
        nearest = np.minimum(nearest, distances)
    wall = np.array(_WALL, np.float32)
    colors = np.broadcast_to(wall, directions.shape).copy()
    for number in range(len(scene.solids) + 1):
        rays = which == number
        points = origins[rays] + nearest[rays, None] * directions[rays]
        colors[rays] = _lit(scene, number, points, directions[rays], rng)
    # The far end of the table fades into the wall.
    fade = np.where(which == 0, np.clip((nearest - 9) / 14, 0, 1), 0)[:, None].astype(np.float32)
    return colors * (1 - fade) + wall * fade


def _camera_rays(scene: _Scene, sample: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """Return the eye, (3,), and the directions of one ray a pixel, (m, 3) unit vectors."""
    azimuth, elevation = np.deg2rad([scene.azimuth, scene.elevation])
    forward = np.array(
        [
            -np.sin(azimuth) * np.cos(elevation),
            -np.sin(elevation),
            np.cos(azimuth) * np.cos(elevation),
        ]
    )
    right = np.array([np.cos(azimuth), 0, np.sin(azimuth)])
    up = np.cross(forward, right)
    x = (np.arange(_WIDTH) + sample[0]) / _WIDTH - 0.5
    y = (0.5 * _HEIGHT - np.arange(_HEIGHT) - sample[1]) / _WIDTH
    across, upward = np.meshgrid(x, y)
    directions = across.reshape(-1, 1) * right + upward.reshape(-1, 1) * up + forward * 1.25
    eye = np.array([0, 0.45, 0]) - forward * scene.distance
    return eye.astype(np.float32), _unit(directions.astype(np.float32))


def _lit(
    scene: _Scene,
    number: int,
    points: FloatArray,
    directions: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Return (m, 3) linear RGB of points on the table (number 0) or on a solid (from 1 on)."""
    if number:
        solid = scene.solids[number - 1]
        normals, colors, gloss = solid.normals(points), solid.colors(points), solid.gloss
    else:
        normals = np.broadcast_to(np.array([0, 1, 0], np.float32), points.shape)
        colors, gloss = _table_colors(scene, points), 0.08
    to_light = _unit(np.array(scene.light, np.float32) - points)
    facing = np.clip(_dot(normals, to_light), 0, 1)
    share = _light_share(scene, points + normals * _LIFT, rng)
    halfway = _unit(to_light - directions)
    shine = gloss * np.clip(_dot(normals, halfway), 0, 1) ** 60 * share
    sky = (0.24 + 0.14 * normals[:, 1]) * _openness(scene, number, points)
    return colors * (0.85 * facing * share + sky)[:, None] + shine[:, None]


def _light_share(scene: _Scene, points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return (m,) 1 where a point sees a random point of the lamp, a small ball, else 0.

    The several rays of a pixel average to a soft edge of the shadow.
    """
    jitter = _LAMP_RADIUS * rng.standard_normal(points.shape, np.float32)
    directions = _unit(np.array(scene.light, np.float32) + jitter - points)
    blocked = np.zeros(len(points), bool)
    for solid in scene.solids:
        blocked |= solid.distances(points, directions) < _FAR
    return (~blocked).astype(np.float32)


def _openness(scene: _Scene, number: int, points: FloatArray) -> FloatArray:
    """Return (m,) how much of the room's light reaches points: less beside other solids."""
    open_share = np.ones(len(points), np.float32)
    for other, solid in enumerate(scene.solids, start=1):
        if other != number:
            away = np.hypot(points[:, 0] - solid.x, points[:, 2] - solid.z) / solid.radius
            open_share *= 1 - 0.55 * np.exp(-1.6 * np.clip(away - 0.6, 0, None) ** 2)
    return open_share


def _table_colors(scene: _Scene, points: FloatArray) -> FloatArray:
    x, z = points[:, 0], points[:, 2]
    if scene.cloth is not None:
        stripes = (np.floor(x * 1.6) % 2 + np.floor(z * 1.6) % 2)[:, None] / 2
        weave = 1 + 0.04 * (np.sin(x * 90) * np.sin(z * 90))[:, None]
        first, second = (np.array(color, np.float32) for color in scene.cloth)
        return (first * (1 - stripes) + second * stripes) * weave
    plank = np.floor(z / 1.1)
    grain = np.sin(38 * z + 2.2 * np.sin(0.9 * x + 5 * plank) + 1.3 * np.sin(2.3 * x + plank))
    fine = np.sin(190 * z + 6 * np.sin(1.7 * x + 3 * plank))
    tone = 1 + 0.10 * grain + 0.05 * fine + 0.12 * np.sin(12.9 * plank)
    gap = np.abs(z / 1.1 - np.round(z / 1.1)) < 0.012
    wood = np.array([0.42, 0.25, 0.13], np.float32) * tone[:, None]
    wood[gap] *= 0.35
    return wood


def _nearest_root(offsets: FloatArray, directions: FloatArray, radius: float) -> FloatArray:
    """Return the smallest t > 0 at which |offset + t direction| is the radius, else `_FAR`."""
    a = _dot(directions, directions)
    b = _dot(offsets, directions)
    c = _dot(offsets, offsets) - radius**2
    inside = b * b - a * c
    root = np.sqrt(np.clip(inside, 0, None))
    near = (-b - root) / np.maximum(a, 1e-12)
    return np.where((inside > 0) & (near > 0), near, _FAR).astype(np.float32)


def _plane_distances(origins: FloatArray, directions: FloatArray, height: float) -> FloatArray:
    """Return (m,) how far along each ray the level `height` is met from above."""
    falling = directions[:, 1] < -1e-6
    distances = (height - origins[:, 1]) / np.where(falling, directions[:, 1], -1)
    return np.where(falling & (distances > 0), distances, _FAR).astype(np.float32)


def _dot(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return (m,) the scalar products of m pairs of vectors."""
    return first[:, 0] * second[:, 0] + first[:, 1] * second[:, 1] + first[:, 2] * second[:, 2]


def _unit(vectors: FloatArray) -> FloatArray:
    lengths: FloatArray = np.sqrt(_dot(vectors, vectors))
    return vectors / lengths[:, None]


_RED_BALL = _Solid(0, 0, 0.62, 0, (0.62, 0.03, 0.03), band=(0.90, 0.88, 0.84))
_GREEN_BALL = _Solid(0, 0, 0.45, 0, (0.05, 0.30, 0.08))
_ORANGE = _Solid(0, 0, 0.42, 0, (0.85, 0.32, 0.02), gloss=0.15)
_BLUE_JAR = _Solid(0, 0, 0.50, 1.35, (0.03, 0.12, 0.48), band=(0.80, 0.82, 0.86))
_WHITE_JAR = _Solid(0, 0, 0.42, 0.85, (0.80, 0.78, 0.72))
_YELLOW_JAR = _Solid(0, 0, 0.38, 1.10, (0.80, 0.55, 0.04))
_BLUE_CLOTH: tuple[_Color, _Color] = ((0.78, 0.80, 0.82), (0.16, 0.26, 0.42))
_GREEN_CLOTH: tuple[_Color, _Color] = ((0.82, 0.80, 0.72), (0.24, 0.40, 0.26))

_SCENES = (
    _Scene(
        (
            _RED_BALL.moved(-0.75, -0.35),
            _BLUE_JAR.moved(0.55, 0.55),
            _WHITE_JAR.moved(1.35, -0.45),
            _ORANGE.moved(0.30, -0.95),
        ),
        None, 8, 24, 5.6, (-3.5, 5.5, -3.0),
    ),
    _Scene(
        (
            _RED_BALL.moved(0.90, 0.10),
            _BLUE_JAR.moved(-0.75, 0.35),
            _GREEN_BALL.moved(-0.15, -0.80),
        ),
        _BLUE_CLOTH, -22, 30, 5.2, (3.2, 5.2, -2.6),
    ),
    _Scene(
        (
            _RED_BALL.moved(0.10, 0.70),
            _WHITE_JAR.moved(-1.10, -0.10),
            _YELLOW_JAR.moved(1.25, 0.15),
            _ORANGE.moved(0.35, -0.70),
        ),
        None, 35, 38, 5.4, (-2.2, 6.0, -3.4),
    ),
    _Scene(
        (
            _BLUE_JAR.moved(0.95, 0.20),
            _RED_BALL.moved(-0.35, -0.75),
            _YELLOW_JAR.moved(-1.15, 0.65),
            _GREEN_BALL.moved(0.55, -1.10),
        ),
        _GREEN_CLOTH, -12, 20, 5.0, (3.0, 4.6, -3.6),
    ),
    _Scene(
        (
            _WHITE_JAR.moved(0.15, 0.55),
            _RED_BALL.moved(1.10, -0.30),
            _ORANGE.moved(-0.70, -0.55),
            _BLUE_JAR.moved(-1.25, 0.50),
        ),
        None, -30, 46, 5.8, (-3.0, 5.6, -1.6),
    ),
    _Scene(
        (
            _YELLOW_JAR.moved(0.75, 0.45),
            _GREEN_BALL.moved(-0.95, -0.25),
            _WHITE_JAR.moved(-0.20, 0.60),
            _ORANGE.moved(0.45, -0.75),
        ),
        _BLUE_CLOTH, 18, 28, 5.2, (-3.2, 5.0, -3.2),
    ),
)  # fmt: skip


# --- The sets ------------------------------------------------------------------------------------

_SKIMAGE = "as shipped with scikit-image"
_CAT_CREDITS = f"Chelsea the cat, by Stéfan van der Walt, CC0; {_SKIMAGE}."

_SETS = (
    ExampleSet(
        key="still-life",
        title="Still life",
        description=(
            "Six drawn tables. The red ball lies on five of them: click on it once, and see that "
            "the last one stays empty. Then try the blue jar."
        ),
        credits="Drawn by pointprompt itself.",
        images=tuple(
            ExampleImage(f"table-{number}.png", partial(_drawn, scene))
            for number, scene in enumerate(_SCENES, start=1)
        ),
    ),
    ExampleSet(
        key="motorcycle",
        title="Motorcycle, two views",
        description=(
            "A motorcycle seen by the left and the right eye, and closer up. Click on the tank, a "
            "wheel or the seat."
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
            "The same cat closer, tilted, mirrored and darker. Click on the nose or an eye."
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
            "Six overlapping parts of a stained section of the colon. Click on the brown rim of "
            "one gland to find the others."
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
        description=(
            "A cat among other things. Click on the cat, and see which images stay empty. Clicks "
            "on what is wrongly found say what it is not."
        ),
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
