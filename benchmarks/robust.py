"""What becomes of a thing's mask when images join its set that have nothing to do with it.

    python -m benchmarks.robust
    python -m benchmarks.robust DATA --sets 8

One click on the thing, built-in backbone, by the default rule. The made scene is a red disc on blue
and green, with noise; each set of photos is analysed with and without the others. DATA is as
`benchmarks.labelled` describes: of every set the first photo and a click on its innermost point.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import report
from benchmarks.analysis import analyze_set
from benchmarks.labelled import iou, read_sets
from benchmarks.person import innermost
from benchmarks.stages import BACKBONE
from benchmarks.table import Table
from pointprompt import backbones
from pointprompt.backbones.backbone import Backbone
from pointprompt.pipeline import predict
from pointprompt.sources.photos import read_set
from pointprompt.types import BoolArray, ByteArray, Click

SKY, GROUND, DISC = (120, 170, 230), (90, 140, 70), (200, 40, 40)
HEIGHT, WIDTH = 240, 320
ALONE = "alone"


@dataclass(frozen=True)
class Scene:
    """A picture of one thing.

    Attributes:
        pixels: (H, W, 3) uint8.
        truth: (H, W) bool, where the thing is.
    """

    pixels: ByteArray
    truth: BoolArray


def disc_scene(seed: int = 1, x: float = 0.5, y: float = 0.5) -> Scene:
    """A red disc under a blue sky, its centre at (x, y) from 0 to 1, with noise of this seed."""
    return draw_scene(WIDTH, radius=0.2 * HEIGHT, seed=seed, x=x, y=y)


def draw_scene(width: int, *, radius: float, seed: int, x: float = 0.5, y: float = 0.5) -> Scene:
    """The same in an image of this width, the disc of this radius in pixels."""
    rows, columns = np.mgrid[:HEIGHT, :width]
    truth: BoolArray = np.hypot(columns - x * width, rows - y * HEIGHT) < radius
    pixels = np.empty((HEIGHT, width, 3))
    pixels[:] = GROUND
    pixels[rows < 0.4 * HEIGHT] = SKY
    pixels[truth] = DISC
    noise = np.random.default_rng(seed).normal(0, 6, pixels.shape)
    return Scene(np.clip(pixels + noise, 0, 255).astype(np.uint8), truth)


def plain(*color: int) -> ByteArray:
    """A picture of one colour."""
    return np.full((HEIGHT, WIDTH, 3), color, np.uint8)


def dark(seed: int) -> ByteArray:
    """What a camera sees under its lens cap: almost black, and never the same twice."""
    return np.random.default_rng(seed).integers(0, 6, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def grey_noise() -> ByteArray:
    """A picture of nothing but noise."""
    grey = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 1))
    return np.repeat(grey, 3, axis=2).astype(np.uint8)


def text_page() -> ByteArray:
    """A page of black text on white."""
    page = Image.new("RGB", (WIDTH, 420), "white")
    draw = ImageDraw.Draw(page)
    letters = np.random.default_rng(0).choice(list("etaoinshrdlu   "), (27, 45))
    for row, line in enumerate(letters):
        draw.text((20, 20 + 14 * row), "".join(line), fill="black")
    return np.asarray(page)


def companions(pixels: ByteArray) -> dict[str, list[ByteArray]]:
    """What joins a picture, by name."""
    black, white = plain(0, 0, 0), plain(255, 255, 255)
    return {
        ALONE: [],
        "black": [black],
        "white": [white],
        "black, white": [black, white],
        "orange": [plain(240, 150, 20)],
        "text": [text_page()],
        "noise": [grey_noise()],
        "3 black": [black] * 3,
        "20 black": [black] * 20,
        "20 text": [text_page()] * 20,
        "itself": [pixels],
        "20 of itself": [pixels] * 20,
        "3 dark": [dark(seed) for seed in range(3)],
        "20 dark": [dark(seed) for seed in range(20)],
    }


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robust", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, nargs="?", help="folder with a manifest.json")
    parser.add_argument("--sets", type=int, help="only so many sets, evenly spaced")
    report.add_option(parser)
    options = parser.parse_args()

    model = backbones.load(BACKBONE)
    discs = [disc_scene(seed, x) for seed, x in ((1, 0.5), (2, 0.3))]
    found = {"discs": _table_row(discs, model)}
    if options.data is not None:
        photos = [
            Scene(labelled.photos[0], labelled.masks[0])
            for labelled in read_sets(options.data, options.sets)
        ]
        found[f"{len(photos)} photos"] = _table_row(photos, model)
    print(f"IoU after one click with the thing, {model.name}, beside these images:\n")
    columns = ["beside", *found]
    rows = [
        [name, *(f"{values[name]:.3f}" for values in found.values())] for name in found["discs"]
    ]
    table = Table(columns, rows)
    print(table)
    if options.docs:
        report.publish("foreign images", table, parser.prog)


def _table_row(scenes: list[Scene], model: Backbone) -> dict[str, float]:
    """The mean IoU of the scenes beside each kind of company."""
    values: dict[str, list[float]] = {}
    for scene in scenes:
        for name, others in companions(scene.pixels).items():
            values.setdefault(name, []).append(beside(scene, others, model))
    return {name: float(np.mean(of_scenes)) for name, of_scenes in values.items()}


def beside(scene: Scene, others: list[ByteArray], model: Backbone) -> float:
    """The IoU of the scene's mask with its thing after one click in the thing's middle."""
    analysis = analyze_set(read_set([scene.pixels, *others], model.framing), model)
    return iou(predict(analysis, [click_on(scene)]).masks[0], scene.truth)


def click_on(scene: Scene) -> Click:
    """A click on the innermost point of the thing, in the first image."""
    row, column = innermost(scene.truth)
    height, width = scene.truth.shape
    return Click(0, (column + 0.5) / width, (row + 0.5) / height)


if __name__ == "__main__":
    main()
