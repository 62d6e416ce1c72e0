"""How good the masks of a recipe are on images that it was not made on.

    python -m benchmarks.held_back DATA
    python -m benchmarks.held_back DATA --sets 4

DATA is as `benchmarks.labelled` describes. Of each set every second image is held back. A simulated
person clicks on the others, on what is most wrong there; what was clicked becomes a recipe, which
is applied to the images that were held back. Beside it one analysis of all images, held back or
not, as when all of them were opened on the page: with the same clicks, which were made where the
recipe's own analysis was wrong, and with those that mend this one, again on the others alone.

Prints, after so many clicks and by the kind of set, the mean IoU of the images that were held back.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import report
from benchmarks.analysis import analyze_set
from benchmarks.labelled import LabelledSet, mean_iou, read_sets
from benchmarks.person import click_at, innermost, next_click
from benchmarks.stages import BACKBONE
from benchmarks.table import Figure, Table
from pointprompt import backbones
from pointprompt.analysis.analysis import Analysis
from pointprompt.applying import apply
from pointprompt.backbones.backbone import Backbone
from pointprompt.engines.engine import ThisProcess
from pointprompt.pipeline import make_recipe, predict
from pointprompt.sources.photos import read_set
from pointprompt.things import Thing
from pointprompt.types import BoolArray, Click

# The numbers of clicks that the table shows.
SHOWN = (1, 3, 5, 10)
# Of a set of fewer images little is left on either side.
LEAST = 4
# Mean IoU that a recipe may lose against an analysis with its images.
MOST_LOST = 0.02

ALL = "all"


class Found(NamedTuple):
    """What was measured of one set.

    Attributes:
        kind: Of the set.
        recipe: After each number of clicks that is shown, the mean IoU of images held back.
        same: With these clicks in one analysis of all images.
        own: With clicks that mend that.
    """

    kind: str
    recipe: list[float]
    same: list[float]
    own: list[float]


def main() -> None:
    """Measure all sets and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.held_back", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, help="folder with a manifest.json")
    parser.add_argument("--sets", type=int, help="only so many sets, evenly spaced")
    report.add_option(parser)
    options = parser.parse_args()

    model = backbones.load(BACKBONE, device="cpu")
    found: list[Found] = []
    for labelled in read_sets(options.data, options.sets):
        if len(labelled.photos) < LEAST:
            continue
        found.append(measured(labelled, model))
        recipe, joint = found[-1].recipe[-1], found[-1].own[-1]
        print(f"{labelled.name}: recipe {recipe:.3f}, joint {joint:.3f}", flush=True)
    for half in (0, 1)[: len(found)]:
        print(f"\nOf every second set, from set {half + 1} on:\n{summary(found[half::2])}")
    title = f"Mean IoU of images that were held back, {model.name}:"
    report.show("held back", title, summary(found), prog=parser.prog, docs=options.docs)


def measured(labelled: LabelledSet, model: Backbone) -> Found:
    """What the clicks on every second image say of the others, both ways."""
    photos = [*labelled.photos[::2], *labelled.photos[1::2]]
    truth = [*labelled.masks[::2], *labelled.masks[1::2]]
    count = len(labelled.photos[::2])
    seen = analyze_set(read_set(photos[:count], model.framing), model)
    whole = analyze_set(read_set(photos, model.framing), model)
    found = Found(labelled.kind, [], [], [])
    for clicks in courses(seen, truth[:count]):
        recipe = make_recipe(seen, [Thing("it", clicks)], engine=ThisProcess("cpu"))
        applied = apply(recipe, photos[count:], engine=ThisProcess("cpu"))
        found.recipe.append(mean_iou([one.masks["it"] for one in applied], truth[count:]))
        found.same.append(_in(whole, clicks, truth, count))
    for clicks in courses(whole, truth[:count]):
        found.own.append(_in(whole, clicks, truth, count))
    return found


def _in(whole: Analysis, clicks: Sequence[Click], truth: Sequence[BoolArray], seen: int) -> float:
    """The mean IoU of the images behind those that are seen."""
    masks = predict(whole, clicks).masks
    return mean_iou([masks[image] for image in range(seen, len(truth))], truth[seen:])


def courses(analysis: Analysis, truth: Sequence[BoolArray]) -> list[tuple[Click, ...]]:
    """The clicks there are after each number that is shown; all, where nothing is left to mend.

    Args:
        analysis: What they mend.
        truth: (H, W) bool, of its first images, which alone are looked at.
    """
    first = next(image for image, mask in enumerate(truth) if mask.any())
    clicks = [click_at(first, innermost(truth[first]), truth[first].shape, positive=True)]
    while len(clicks) < SHOWN[-1]:
        masks = predict(analysis, clicks).masks
        correction = next_click([masks[image] for image in range(len(truth))], truth)
        if correction is None:
            break
        clicks.append(correction)
    return [tuple(clicks[:count]) for count in SHOWN]


def summary(found: Sequence[Found]) -> Table:
    """Means over sets, of all and of each kind, and what a recipe loses against the better one."""
    rows: list[list[object]] = []
    for kind in (ALL, *dict.fromkeys(one.kind for one in found)):
        of_kind = [one for one in found if kind in (ALL, one.kind)]
        ways = [
            np.mean([getattr(one, way) for one in of_kind], axis=0)
            for way in ("recipe", "same", "own")
        ]
        for count, *ious in zip(SHOWN, *ways, strict=True):
            lost = Figure(max(ious[1:]) - ious[0], 3, aim=MOST_LOST)
            rows.append([kind, len(of_kind), count, *(f"{iou:.3f}" for iou in ious), lost])
    columns = ["recipe", "joint, the same clicks", "joint, clicks of its own", "lost at most"]
    return Table(["sets", "of them", "clicks", *columns], rows)


if __name__ == "__main__":
    main()
