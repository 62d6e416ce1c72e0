"""Draw the six tables of the example set "still-life": a small ray tracer, and what stands on them.

    python assets/draw_examples.py

The same pictures come out every time. Knows where the package keeps them, and nothing else of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pointprompt.types import BoolArray, ByteArray, FloatArray

TABLES = Path(__file__).parent.parent / "pointprompt" / "sources" / "still_life"
_QUALITY = 90


def main() -> None:
    """Draw them all."""
    TABLES.mkdir(exist_ok=True)
    for number, scene in enumerate(_SCENES, start=1):
        picture = Image.fromarray(_drawn(scene))
        picture.save(TABLES / f"table-{number}.jpg", quality=_QUALITY, optimize=True)


def true_mask(table: int, name: str) -> BoolArray:
    """Return where a thing is seen on a table, (H, W) bool: all of them, if there are several.

    Args:
        table: Its number, from 1.
        name: Of `NAMES`.
    """
    scene = _SCENES[table - 1]
    eye, directions = _camera_rays(scene, (0.5, 0.5))
    _, which = _met(scene, np.broadcast_to(eye, directions.shape), directions)
    color = NAMES[name].color
    numbers = [number for number, one in enumerate(scene.solids, start=1) if one.color == color]
    return np.isin(which, numbers).reshape(_HEIGHT, _WIDTH)


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


def _drawn(scene: _Scene) -> ByteArray:
    """Return the picture of a scene, (H, W, 3) uint8, by casting rays through every pixel."""
    rng = np.random.default_rng(0)
    linear = np.zeros((_WIDTH * _HEIGHT, 3), np.float32)
    for sample in _PIXEL_SAMPLES:
        eye, directions = _camera_rays(scene, sample)
        linear += np.clip(_ray_colors(scene, eye, directions, rng), 0, 1) / len(_PIXEL_SAMPLES)
    pixels: FloatArray = linear.reshape(_HEIGHT, _WIDTH, 3) ** np.float32(1 / 2.2) * 255 + 0.5
    return pixels.astype(np.uint8)


def _ray_colors(
    scene: _Scene, eye: FloatArray, directions: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return (m, 3) linear RGB of what is seen along each of m rays."""
    origins = np.broadcast_to(eye, directions.shape)
    nearest, which = _met(scene, origins, directions)
    wall = np.array(_WALL, np.float32)
    colors = np.broadcast_to(wall, directions.shape).copy()
    for number in range(len(scene.solids) + 1):
        rays = which == number
        points = origins[rays] + nearest[rays, None] * directions[rays]
        colors[rays] = _lit(scene, number, points, directions[rays], rng)
    # The far end of the table fades into the wall.
    fade = np.where(which == 0, np.clip((nearest - 9) / 14, 0, 1), 0)[:, None].astype(np.float32)
    return colors * (1 - fade) + wall * fade


def _met(
    scene: _Scene, origins: FloatArray, directions: FloatArray
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return how far along each of m rays something is, and what: -1 nothing, 0 the table, 1 ..."""
    nearest = _plane_distances(origins, directions, 0)
    which = np.where(nearest < _FAR, 0, -1)
    for number, solid in enumerate(scene.solids, start=1):
        distances = solid.distances(origins, directions)
        which = np.where(distances < nearest, number, which)
        nearest = np.minimum(nearest, distances)
    return nearest, which


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
# What stands on the tables; no two are of one colour.
NAMES = {
    "red ball": _RED_BALL,
    "green ball": _GREEN_BALL,
    "orange": _ORANGE,
    "blue jar": _BLUE_JAR,
    "white jar": _WHITE_JAR,
    "yellow jar": _YELLOW_JAR,
}
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


if __name__ == "__main__":
    main()
