"""What the outline's weights are fitted to: images, margins of their tokens, and the truth.

Knows the planes that `fusion` fuses. Knows nothing of weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.oracles import coverage
from benchmarks.person import run
from benchmarks.prepared import PreparedSet, bounded
from benchmarks.rules import OURS, SETTINGS, predicted
from pointprompt.masks.fusion import contrasts, evidence
from pointprompt.masks.lazy import edges_of
from pointprompt.masks.photo_edges import PhotoEdges
from pointprompt.masks.smoother import Smoother
from pointprompt.rules.predictor import Predictor
from pointprompt.types import BoolArray, FloatArray

# The clicks of the simulated person after which margins are taken.
CLICKS_TAKEN = (1, 3, 5, 10)
TRUE = "true tokens"
# Those of them that are also mixed half and half with the truth: rules will become better.
_MIXED = (3, 10)
# Pixels of an image that weights are fitted to.
PIXELS = 1000


@dataclass(frozen=True)
class Example:
    """An image with its true mask, and margins of its tokens from poor to perfect.

    Attributes:
        kind: Of its set.
        edges: Of the photo.
        truth: (H, W) bool, as large as the pixels of the edges.
        margins: (h, w) float32 each, by what they know: `TRUE`, or a number of clicks, or both.
    """

    kind: str
    edges: PhotoEdges
    truth: BoolArray
    margins: dict[str, FloatArray]


@dataclass(frozen=True)
class Samples:
    """Pixels of images, s times p of them.

    Attributes:
        terms: (s, p, planes, 3) float32: each plane, and it times the contrast near and around.
        truth: (s, p) float32; 1 inside, else 0.
    """

    terms: FloatArray
    truth: FloatArray


def examples(prepared: PreparedSet) -> list[Example]:
    """All images of a set, with the margins of the default rule's own course."""
    truth = prepared.small.masks
    course = run(predicted(prepared.small_analysis, SETTINGS[OURS]), truth)
    predictor = Predictor(prepared.analysis)
    true = bounded(2 * coverage(prepared.full.masks, prepared.grid) - 1)
    margins = {TRUE: true}
    for count in CLICKS_TAKEN:
        real = predictor.predict(course.clicks[:count], SETTINGS[OURS]).margins
        margins[str(count)] = real
        if count in _MIXED:
            margins[f"{TRUE} and {count}"] = bounded((true + real) / np.float32(2))
    return [
        Example(
            prepared.full.kind,
            edges_of(photo),
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
    terms = []
    for margins in example.margins.values():
        planes = evidence(margins, pixels, segments, smoother)
        seen = np.stack([plane.ravel()[at] for plane in planes], axis=-1)
        near, around = (contrast.ravel()[at] for contrast in contrasts(margins, size))
        factors = np.stack([np.ones_like(near), near, around], axis=-1)
        terms.append(seen[:, :, None] * factors[:, None])
    truth = np.tile(example.truth.ravel()[at].astype(np.float32), (len(terms), 1))
    return Samples(np.stack(terms), truth)


def joined(samples: list[Samples]) -> Samples:
    """All of them as one."""
    return Samples(
        np.concatenate([one.terms for one in samples]),
        np.concatenate([one.truth for one in samples]),
    )
