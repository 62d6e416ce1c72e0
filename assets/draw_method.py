"""Draw docs/method.md's figure: the steps from photos to masks, by the project's own code.

    python assets/draw_method.py

Run it again when the method changes, and look at what it made.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from sklearn.decomposition import PCA

import pointprompt
from pointprompt import backbones
from pointprompt.masks.draw import overlay
from pointprompt.masks.lazy import MASK_RGB
from pointprompt.sources.examples import example_set
from pointprompt.types import ByteArray, FloatArray

FIGURE = Path(__file__).parent / "method.jpg"
BACKBONE = "efficientnet_lite0"
SET = "cat-or-not"
CLICK = pointprompt.Click(image=0, x=0.5, y=0.5)
STEPS = ("photo", "features", "eigenvectors", "heatmap", "mask")

PANEL = (264, 198)
GAP, HEAD = 8, 30
MARK = 6


def main() -> None:
    """Draw the photos of the set that show the thing, and one that does not."""
    photos = [image.load() for image in example_set(SET).images]
    analysis = pointprompt.analyze(photos, backbone=BACKBONE)
    prediction = pointprompt.predict(analysis, [CLICK])
    features = _as_colors(_features(photos))
    rows = [
        (
            photos[index],
            features[index],
            analysis.colors[index],
            _as_grey(prediction.heatmaps[index]),
            overlay(photos[index], [prediction.masks[index]], [MASK_RGB], 0.45, outline=True),
        )
        for index in _shown(prediction.presence)
    ]
    _figure(rows).save(FIGURE, quality=88, optimize=True)


def _shown(presence: FloatArray) -> list[int]:
    """The image that was clicked, the other one that is surest to show the thing, and the last."""
    others = [int(index) for index in np.argsort(-presence) if index != CLICK.image]
    return [CLICK.image, others[0], others[-1]]


def _features(photos: list[ByteArray]) -> FloatArray:
    """(n, h, w, c), what the backbone says of the photos."""
    model = backbones.load(BACKBONE)
    side = (model.input_size, model.input_size)
    squares = [np.asarray(Image.fromarray(photo).resize(side)) for photo in photos]
    return model.features(np.stack(squares))


def _as_colors(features: FloatArray) -> ByteArray:
    """(n, h, w, 3) uint8: the three axes along which features (n, h, w, c) vary most."""
    n, h, w, c = features.shape
    axes = PCA(3, random_state=0).fit_transform(features.reshape(-1, c))
    low, high = np.quantile(axes, [0.02, 0.98], axis=0)
    shares = ((axes - low) / (high - low)).clip(0, 1)
    return (255 * shares).astype(np.uint8).reshape(n, h, w, 3)


def _as_grey(heatmap: FloatArray) -> ByteArray:
    """(h, w, 3) uint8, for a heatmap (h, w) in [0, 1]."""
    return np.repeat((255 * heatmap.clip(0, 1)).astype(np.uint8)[..., None], 3, axis=-1)


def _figure(rows: list[tuple[ByteArray, ...]]) -> Image.Image:
    """The rows of pictures under the names of the steps, the click marked in the first."""
    width, height = PANEL
    size = (len(STEPS) * (width + GAP) - GAP, HEAD + len(rows) * (height + GAP) - GAP)
    figure = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(figure)
    for column, step in enumerate(STEPS):
        left = column * (width + GAP)
        draw.text((left, 4), step, "black", ImageFont.load_default(18))
        for row, pictures in enumerate(rows):
            top = HEAD + row * (height + GAP)
            figure.paste(_panel(pictures[column]), (left, top))
    x, y = CLICK.x * width, HEAD + CLICK.y * height
    for radius, color in ((MARK + 2, "white"), (MARK, "green")):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), color)
    return figure


def _panel(pixels: ByteArray) -> Image.Image:
    """A picture at the size of a panel; tokens keep their edges."""
    enlarged = pixels.shape[0] < PANEL[1]
    how = Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS
    return Image.fromarray(pixels).resize(PANEL, how)


if __name__ == "__main__":
    main()
