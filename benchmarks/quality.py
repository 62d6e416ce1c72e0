"""How good the masks are, on folders of photos with known masks: the project's rules side by side.

    python -m benchmarks.quality DATA
    python -m benchmarks.quality DATA --sets 8
    python -m benchmarks.quality DATA --absence

DATA holds a `manifest.json`: `{"sets": [{"name", "kind", "images": [...], "masks": [...]}]}`, paths
relative to it, one mask (0 and 255) an image. A simulated person clicks: first on the innermost
point of the thing in the first image, then, again and again, on the innermost point of the largest
region, over all images of the set, that is missing or wrongly taken. IoU is taken at image
resolution, averaged over the images of a set, then over sets.

With --absence, every set of the kind "class" is mixed with another of them, the clicks stay in the
first, and the tables tell what becomes of the images without the thing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pointprompt import backbones
from pointprompt.images import read_set
from pointprompt.pipeline import analyze_set, predict
from pointprompt.predictor import Predictor
from pointprompt.refine import image_masks, upscale
from pointprompt.scoring import token_of
from pointprompt.types import Analysis, BoolArray, ByteArray, Click, FloatArray, Settings

BACKBONE = "efficientnet_lite0"
# The numbers of clicks that the tables show.
SHOWN = (1, 2, 3, 5, 10)
CLICKS = SHOWN[-1]
GOALS = (0.7, 0.8)
# Boundary F-score: pixels of tolerance, when the image has so many rows.
TOLERANCE = 2
ROWS = 480

SETTINGS = {
    "tutorial": Settings(rule="tutorial", edges=False),
    "ours, no edges": Settings(edges=False),
    "ours": Settings(),
    "ours, this one only": Settings(one_only=True),
}

_TOUCHING = np.ones((3, 3), bool)

# Clicks to the masks of all images, each (H, W) bool, and the seconds until they were scored.
Rule = Callable[[Sequence[Click]], tuple[list[BoolArray], float]]


@dataclass(frozen=True)
class LabelledSet:
    """Photos with known masks.

    Attributes:
        name: Of the set.
        kind: Of the set: class, part, video, egocentric, instance.
        photos: (H, W, 3) uint8.
        masks: (H, W) bool, one a photo.
    """

    name: str
    kind: str
    photos: list[ByteArray]
    masks: list[BoolArray]


@dataclass(frozen=True)
class Course:
    """How one set went with one rule, after 1, 2, ... `CLICKS` clicks.

    Attributes:
        iou: (CLICKS,) mean over its images.
        seconds: (CLICKS,) of scoring.
        boundary: After the last click, the mean boundary F-score of the images with the thing.
    """

    iou: NDArray[np.float64]
    seconds: NDArray[np.float64]
    boundary: float


def main() -> None:
    """Measure all rules on all sets and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, help="folder with a manifest.json")
    parser.add_argument("--sets", type=int, help="only so many sets, evenly spaced")
    parser.add_argument("--absence", action="store_true", help="measure mixed sets instead")
    options = parser.parse_args()

    entries = json.loads((options.data / "manifest.json").read_text())["sets"]
    if options.sets:
        count = min(options.sets, len(entries))
        entries = [entries[i * len(entries) // count] for i in range(count)]
    sets = [_read(options.data, entry) for entry in entries]
    if options.absence:
        _measure_absence([labelled for labelled in sets if labelled.kind == "class"])
    else:
        _measure_masks(sets)


def _measure_masks(sets: Sequence[LabelledSet]) -> None:
    kinds = [labelled.kind for labelled in sets]
    courses: dict[str, list[Course]] = {}
    for labelled in sets:
        for name, rule in _rules(labelled).items():
            courses.setdefault(name, []).append(run(rule, labelled.masks))
        last = ", ".join(f"{name} {course[-1].iou[-1]:.2f}" for name, course in courses.items())
        print(f"{labelled.name}: {last}", flush=True)
    print(f"\n{len(sets)} sets, {BACKBONE}. Mean IoU after that many clicks:")
    print(_summary(courses))
    print(f"\nMean IoU after {SHOWN[0]}, {SHOWN[2]} and {SHOWN[-1]} clicks, by kind of set:")
    print(_by_kind(courses, kinds))


def _measure_absence(sets: Sequence[LabelledSet]) -> None:
    shown = SHOWN[:4]
    auroc: dict[str, list[list[float]]] = {}
    painted: dict[str, list[list[float]]] = {}
    for here, there in mixed_pairs(sets):
        analysis, _ = _analyze([*here.photos, *there.photos])
        clicks = _clicks_on(here, analysis)
        for name, settings in SETTINGS.items():
            found = [predict(analysis, clicks[:count], settings) for count in shown]
            with_it = len(here.photos)
            # The clicked image says nothing: its own token is present by definition.
            auroc.setdefault(name, []).append(
                [separation(f.presence[1:with_it], f.presence[with_it:]) for f in found]
            )
            painted.setdefault(name, []).append(
                [float(f.token_masks[with_it:].mean()) for f in found]
            )
        print(f"{here.name} with {there.name}", flush=True)
    counts = [f"{count} clicks" for count in shown]
    print("\nAUROC of presence, images with the thing against those without:")
    print(_means(auroc, counts, ".3f"))
    print("\nShare of the tokens that is taken in images without the thing:")
    print(_means(painted, counts, ".1%"))


def mixed_pairs(sets: Sequence[LabelledSet]) -> list[tuple[LabelledSet, LabelledSet]]:
    """Each set of the first half with one of the second: neighbours are often of one class."""
    half = len(sets) // 2
    return list(zip(sets[:half], sets[half:], strict=False))


def separation(present: FloatArray, absent: FloatArray) -> float:
    """The AUROC: how often an image with the thing has the higher presence; a tie is half."""
    higher = present[:, None] > absent[None]
    return float((higher + 0.5 * (present[:, None] == absent[None])).mean())


def run(rule: Rule, truth: Sequence[BoolArray]) -> Course:
    """The course of one set: the simulated person clicks, the rule answers."""
    first = truth[0]
    clicks = [_click(0, innermost(first), first.shape, positive=True)]
    iou: list[float] = []
    seconds: list[float] = []
    while True:
        masks, spent = rule(clicks)
        iou.append(float(np.mean([_iou(m, t) for m, t in zip(masks, truth, strict=True)])))
        seconds.append(spent)
        correction = next_click(masks, truth)
        if len(iou) == CLICKS or correction is None:
            break
        clicks.append(correction)
    short = CLICKS - len(iou)  # nothing was left to mend
    outlines = [boundary_f(m, t) for m, t in zip(masks, truth, strict=True) if t.any()]
    return Course(
        np.pad(np.array(iou), (0, short), "edge"),
        np.pad(np.array(seconds), (0, short), "edge"),
        float(np.mean(outlines)),
    )


def next_click(masks: Sequence[BoolArray], truth: Sequence[BoolArray]) -> Click | None:
    """The innermost point of the largest wrong region of all images; None where all is right."""
    largest = 0
    found: tuple[int, bool, BoolArray] | None = None
    for image, (mask, true) in enumerate(zip(masks, truth, strict=True)):
        for positive, wrong in ((True, true & ~mask), (False, mask & ~true)):
            regions, _ = ndimage.label(wrong, structure=_TOUCHING)
            sizes = np.bincount(regions.ravel())
            sizes[0] = 0
            if sizes.max() > largest:
                largest = int(sizes.max())
                found = image, positive, regions == sizes.argmax()
    if found is None:
        return None
    image, positive, region = found
    return _click(image, innermost(region), region.shape, positive=positive)


def innermost(region: BoolArray) -> tuple[int, int]:
    """The row and column that is furthest from all that is not region, the outside included."""
    depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return int(row), int(column)


def boundary_f(mask: BoolArray, truth: BoolArray) -> float:
    """How well the outlines agree, in [0, 1]: the harmonic mean of precision and recall.

    Source: Martin, Fowlkes and Malik 2004, Learning to Detect Natural Image Boundaries, with the
        matching relaxed to distance, as DAVIS does.
    """
    ours, true = (_outline(_at_rows(m)) for m in (mask, truth))
    if not ours.any() or not true.any():
        return float(ours.any() == true.any())
    precision = (ndimage.distance_transform_edt(~true)[ours] <= TOLERANCE).mean()
    recall = (ndimage.distance_transform_edt(~ours)[true] <= TOLERANCE).mean()
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def _rules(labelled: LabelledSet) -> dict[str, Rule]:
    """What is measured, by its name in the tables."""
    analysis, features = _analyze(labelled.photos)
    rules = {name: _predicted(analysis, settings) for name, settings in SETTINGS.items()}
    rules["cosine"] = _cosine(features, [mask.shape for mask in labelled.masks])
    return rules


def _analyze(photos: Sequence[ByteArray]) -> tuple[Analysis, FloatArray]:
    """The analysis and the features it was made from."""
    model = backbones.load(BACKBONE)
    image_set = read_set(photos, model.input_size)
    return analyze_set(image_set, model), model.features(image_set.squares)


def _clicks_on(labelled: LabelledSet, analysis: Analysis) -> list[Click]:
    """The clicks of the simulated person who sees only these images, the first of the analysis."""
    clicks: list[Click] = []

    def rule(so_far: Sequence[Click]) -> tuple[list[BoolArray], float]:
        clicks[:] = so_far
        return list(predict(analysis, so_far, Settings()).masks[: len(labelled.masks)]), 0.0

    run(rule, labelled.masks)
    return clicks


def _predicted(analysis: Analysis, settings: Settings) -> Rule:
    predictor = Predictor(analysis)

    def rule(clicks: Sequence[Click]) -> tuple[list[BoolArray], float]:
        start = time.perf_counter()
        prediction = predictor.predict(clicks, settings)
        spent = time.perf_counter() - start
        return list(image_masks(prediction, analysis.photos, settings)), spent

    return rule


def _cosine(features: FloatArray, sizes: Sequence[tuple[int, ...]]) -> Rule:
    """No cut: cosine of the features to the nearest positive less that to the nearest negative.

    The threshold is Otsu's, over all images. There is none in the tutorial's place that does better
    without a cut: of the fixed ones the best differs from set to set.
    """
    from skimage.filters import threshold_otsu

    n, h, w, c = features.shape
    tokens = features.reshape(-1, c)

    def similarity(clicks: Sequence[Click], positive: bool) -> FloatArray:
        rows = [
            (click.image * h + row) * w + column
            for click in clicks
            if click.positive == positive
            for row, column in [token_of(click, h, w)]
        ]
        if not rows:
            return np.zeros(len(tokens), np.float32)
        nearest: FloatArray = (tokens @ tokens[rows].T).max(axis=1)
        return nearest

    def rule(clicks: Sequence[Click]) -> tuple[list[BoolArray], float]:
        start = time.perf_counter()
        scores = similarity(clicks, True) - similarity(clicks, False)
        masks = (scores > threshold_otsu(scores)).reshape(n, h, w)
        spent = time.perf_counter() - start
        return [upscale(m, *size[:2]) for m, size in zip(masks, sizes, strict=True)], spent

    return rule


def _summary(courses: dict[str, list[Course]]) -> str:
    columns = ["rule", *map(str, SHOWN), *(f">= {g}" for g in GOALS)]
    columns += [*(f"clicks to {g}" for g in GOALS), "lowered", "boundary F", "ms"]
    rows = []
    for name, of_sets in courses.items():
        iou = np.array([course.iou for course in of_sets])
        steps = np.diff(iou, axis=1)
        row: list[object] = [name, *(f"{iou[:, k - 1].mean():.3f}" for k in SHOWN)]
        row += [f"{(iou[:, -1] >= goal).mean():.0%}" for goal in GOALS]
        for goal in GOALS:
            reached = [int((i >= goal).argmax()) + 1 for i in iou if (i >= goal).any()]
            row.append(f"{np.mean(reached):.1f}" if reached else "-")
        row.append(f"{(steps < 0).mean():.0%}")
        row.append(f"{np.mean([course.boundary for course in of_sets]):.3f}")
        row.append(f"{1000 * np.mean([course.seconds for course in of_sets]):.0f}")
        rows.append(row)
    return _table(columns, rows)


def _by_kind(courses: dict[str, list[Course]], kinds: Sequence[str]) -> str:
    shown = list(dict.fromkeys(kinds))
    rows = []
    for name, of_sets in courses.items():
        cells = []
        for kind in shown:
            iou = np.array([c.iou for c, k in zip(of_sets, kinds, strict=True) if k == kind])
            cells.append(" ".join(f"{iou[:, k - 1].mean():.2f}" for k in (1, 3, 10)))
        rows.append([name, *cells])
    return _table(["rule", *(f"{kind} ({list(kinds).count(kind)})" for kind in shown)], rows)


def _means(of_sets: dict[str, list[list[float]]], columns: Sequence[str], form: str) -> str:
    rows = [
        [name, *(format(mean, form) for mean in np.mean(values, axis=0))]
        for name, values in of_sets.items()
    ]
    return _table(["rule", *columns], rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The rows under their columns, set right, the columns as wide as they need to be."""
    lines = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def _read(folder: Path, entry: dict[str, list[str]]) -> LabelledSet:
    masks = [np.asarray(Image.open(folder / name).convert("L")) > 127 for name in entry["masks"]]
    # As stored, since the masks are drawn so: an orientation in a photo's EXIF does not count.
    photos = [np.asarray(Image.open(folder / name).convert("RGB")) for name in entry["images"]]
    return LabelledSet(str(entry["name"]), str(entry["kind"]), photos, masks)


def _click(image: int, at: tuple[int, int], shape: tuple[int, ...], *, positive: bool) -> Click:
    row, column = at
    return Click(image, (column + 0.5) / shape[1], (row + 0.5) / shape[0], positive)


def _iou(mask: BoolArray, truth: BoolArray) -> float:
    union = (mask | truth).sum()
    return float((mask & truth).sum() / union) if union else 1.0


def _at_rows(mask: BoolArray) -> BoolArray:
    width = max(1, round(mask.shape[1] * ROWS / mask.shape[0]))
    return np.asarray(Image.fromarray(mask).resize((width, ROWS), Image.Resampling.NEAREST))


def _outline(mask: BoolArray) -> BoolArray:
    """The pixels of the mask that touch one outside it; the image's border is no outline."""
    inner: BoolArray = mask & ~ndimage.binary_erosion(mask, border_value=1)
    return inner


if __name__ == "__main__":
    main()
