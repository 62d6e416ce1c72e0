"""What the outline's weights are fitted to: images, margins of their tokens, and the truth.

Knows the planes that `fusion` fuses. Knows nothing of weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.oracles import coverage
from benchmarks.person import run
from benchmarks.prepared import PreparedSet, bounded
from benchmarks.rules import OURS, SETTINGS, predicted
from pointprompt.masks.fusion import contrasts, evidence
from pointprompt.masks.photo_edges import PhotoEdges
from pointprompt.masks.smoother import Smoother
from pointprompt.rules.predictor import Predictor
from pointprompt.types import BoolArray, FloatArray

# The clicks of the simulated person after which margins are taken.
CLICKS_TAKEN = (1, 3, 5, 10)
TRUE = "true tokens"
# Pixels of an image that weights are fitted to.
PIXELS = 1000


@dataclass(frozen=True)
class Example:
    """An image with its true mask, and margins of its tokens from poor to perfect.

    Attributes:
        kind: Of its set.
        edges: Of the photo.
        truth: (H, W) bool, as large as the pixels of the edges.
        margins: (h, w) float32 each, by what they know: `TRUE`, or a number of clicks.
    """

    kind: str
    edges: PhotoEdges
    truth: BoolArray
    margins: dict[str, FloatArray]


@dataclass(frozen=True)
class Samples:
    """Pixels of images, s times p of them.

    Attributes:
        planes: (s, p, planes) float32, of `fusion.evidence`.
        factors: (s, p, 3) float32: 1, and the contrasts near and around.
        truth: (s, p) float32; 1 inside, else 0.
    """

    planes: FloatArray
    factors: FloatArray
    truth: FloatArray


def examples(prepared: PreparedSet) -> list[Example]:
    """All images of a set, with the margins of the default rule's own course."""
    truth = prepared.small.masks
    course = run(predicted(prepared.small_analysis, SETTINGS[OURS]), truth)
    predictor = Predictor(prepared.analysis)
    true = bounded(2 * coverage(prepared.full.masks, prepared.grid) - 1)
    margins = {TRUE: true}
    for count in CLICKS_TAKEN:
        clicks = course.clicks[:count]
        margins[str(count)] = predictor.predict(clicks, SETTINGS[OURS]).margins
    return [
        Example(
            prepared.full.kind,
            PhotoEdges.of(photo),
            truth[i],
            {name: of_images[i] for name, of_images in margins.items()},
        )
        for i, photo in enumerate(prepared.small_analysis.photos)
    ]


def sample(example: Example, random: np.random.Generator) -> Samples:
    """The same pixels of an image for each of its margins, drawn with replacement."""
    size = example.truth.shape
    at = random.integers(0, example.truth.size, PIXELS)
    pixels, segments = example.edges.pixels, example.edges.segments
    smoother = Smoother(pixels)

    def taken(planes: Iterable[FloatArray]) -> FloatArray:
        return np.stack([plane.ravel()[at] for plane in planes], axis=-1)

    of_all = example.margins.values()
    ones = np.ones(size, np.float32)
    return Samples(
        planes=np.stack([taken(evidence(m, pixels, segments, smoother)) for m in of_all]),
        factors=np.stack([taken([ones, *contrasts(m, size)]) for m in of_all]),
        truth=np.tile(example.truth.ravel()[at].astype(np.float32), (len(of_all), 1)),
    )


def joined(samples: list[Samples]) -> Samples:
    """All of them as one."""
    return Samples(
        np.concatenate([one.planes for one in samples]),
        np.concatenate([one.factors for one in samples]),
        np.concatenate([one.truth for one in samples]),
    )
