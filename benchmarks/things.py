"""Whether a "this" of one thing should be a "not this" of the others.

    python -m benchmarks.things DATA

DATA is as `benchmarks.labelled` describes. Two things are looked for in the photos that are in both
of two sets, and in pairs of sets of the kind "class" put together, where each thing is in its own
half alone. A simulated person clicks on what is most wrong of the one, then of the other, in turn:
once where a "this" of one is a "not this" of the other, and once where it is not.

Prints, for each pair and for means of both kinds, the IoU of both things after so many clicks each.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import report
from benchmarks.analysis import analyze_set
from benchmarks.labelled import LabelledSet, mean_iou, read_sets
from benchmarks.mixed import pairs_of
from benchmarks.person import click_at, innermost, next_click
from benchmarks.stages import BACKBONE
from benchmarks.table import Table
from pointprompt import backbones
from pointprompt.analysis.analysis import Analysis
from pointprompt.pipeline import image_masks
from pointprompt.rules.predictor import Predictor
from pointprompt.sources.photos import read_set
from pointprompt.things import Thing, clicks_of
from pointprompt.types import BoolArray, ByteArray, Click

# The numbers of clicks on each thing that the table shows.
SHOWN = (1, 2, 3, 5)
# Of fewer photos little can be said.
LEAST = 5

WAYS = {"not this of the other": True, "nothing to the other": False}


class Pair(NamedTuple):
    """Photos, and the masks of two things in all of them.

    Attributes:
        name: Of both.
        kind: "same photos" or "other photos".
        photos: (H, W, 3) uint8.
        masks: Of each thing, (H, W) bool, one a photo.
    """

    name: str
    kind: str
    photos: list[ByteArray]
    masks: tuple[list[BoolArray], list[BoolArray]]


def main() -> None:
    """Measure both ways on all pairs and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.things", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, help="folder with a manifest.json")
    report.add_option(parser)
    options = parser.parse_args()

    model = backbones.load(BACKBONE)
    found: dict[str, dict[str, list[list[float]]]] = {}
    for pair in pairs(read_sets(options.data)):
        analysis = analyze_set(read_set(pair.photos, model.framing), model)
        by_way = found.setdefault(pair.kind, {way: [] for way in WAYS})
        for way, exclusive in WAYS.items():
            by_way[way].append(course(analysis, pair, exclusive=exclusive))
        last = ", ".join(f"{way} {by_way[way][-1][-1]:.3f}" for way in WAYS)
        print(f"{pair.name}, {len(pair.photos)} photos: {last}", flush=True)
    rows = [
        [kind, len(values), way, *(f"{value:.3f}" for value in np.mean(values, axis=0))]
        for kind, by_way in found.items()
        for way, values in by_way.items()
    ]
    counts = [f"{count} clicks" if count > 1 else "1 click" for count in SHOWN]
    table = Table(["two things in", "pairs", "a “this” is", *counts], rows)
    print(f"\nMean IoU of both things after so many clicks on each, {model.name}:\n{table}")
    if options.docs:
        report.publish("things", table, parser.prog)


def pairs(sets: Sequence[LabelledSet]) -> Iterator[Pair]:
    """The pairs of things that are looked for."""
    for one, other in combinations(sets, 2):
        both = [(i, j) for i, a in enumerate(one.photos) for j, b in _same(a, other.photos)]
        if len(both) >= LEAST:
            yield Pair(
                f"{one.name} and {other.name}",
                "the same photos",
                [one.photos[i] for i, _ in both],
                ([one.masks[i] for i, _ in both], [other.masks[j] for _, j in both]),
            )
    for one, other in pairs_of([labelled for labelled in sets if labelled.kind == "class"]):
        yield Pair(
            f"{one.name} and {other.name}",
            "other photos",
            [*one.photos, *other.photos],
            ([*one.masks, *_empty(other)], [*_empty(one), *other.masks]),
        )


def _same(photo: ByteArray, photos: Sequence[ByteArray]) -> list[tuple[int, ByteArray]]:
    return [(j, other) for j, other in enumerate(photos) if np.array_equal(photo, other)]


def _empty(labelled: LabelledSet) -> list[BoolArray]:
    return [np.zeros_like(mask) for mask in labelled.masks]


def course(analysis: Analysis, pair: Pair, *, exclusive: bool) -> list[float]:
    """The mean IoU of both things after each number of clicks that is shown."""
    predictor = Predictor(analysis)
    things = [Thing("one", (_first(pair.masks[0]),)), Thing("other", (_first(pair.masks[1]),))]
    values = []
    for count in range(1, SHOWN[-1] + 1):
        masks = [_masks(analysis, predictor, things, index, exclusive) for index in range(2)]
        if count in SHOWN:
            each = [mean_iou(m, truth) for m, truth in zip(masks, pair.masks, strict=True)]
            values.append(float(np.mean(each)))
        for index, truth in enumerate(pair.masks):
            click = next_click(_masks(analysis, predictor, things, index, exclusive), truth)
            if click:
                thing = things[index]
                things[index] = replace(thing, clicks=(*thing.clicks, click))
    return values


def _first(truth: Sequence[BoolArray]) -> Click:
    """In the middle of the thing in the first photo that has it."""
    image = next(index for index, mask in enumerate(truth) if mask.any())
    return click_at(image, innermost(truth[image]), truth[image].shape, positive=True)


def _masks(
    analysis: Analysis,
    predictor: Predictor,
    things: Sequence[Thing],
    index: int,
    exclusive: bool,
) -> list[BoolArray]:
    clicks = clicks_of(things, index, exclusive=exclusive)
    settings = things[index].settings
    tokens = predictor.predict(clicks, settings)
    return list(image_masks(analysis, tokens, clicks, settings))


if __name__ == "__main__":
    main()
