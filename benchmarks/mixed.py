"""What becomes of the masks when images without the thing join a set.

    python -m benchmarks.mixed DATA

DATA is as `benchmarks.labelled` describes. Every set of the kind "class" in its first half is
paired with one of the second, and a simulated person clicks in the first one, as in
`benchmarks.quality`.

    absence    both are analysed together, the clicks stay in the first: how well does presence
               tell the images apart, and how much is painted where the thing is not?
    stability  the first is analysed alone, then the second joins: how alike are the masks of the
               first before and after (mean IoU), where the analysis is extended, and where all
               images are cut anew?
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import report
from benchmarks.analysis import analyze_set
from benchmarks.labelled import LabelledSet, iou, read_sets, separation
from benchmarks.person import run
from benchmarks.rules import SETTINGS
from benchmarks.stages import BACKBONE
from benchmarks.table import Table
from pointprompt import backbones
from pointprompt.analysis.analysis import Analysis
from pointprompt.pipeline import predict
from pointprompt.settings import Settings
from pointprompt.sources.photos import read_set
from pointprompt.types import BoolArray, Click, Prediction

# The numbers of clicks that the tables show.
SHOWN = (1, 2, 3, 5)

# Rule, then pair, then number of clicks.
Values = dict[str, list[list[float]]]


def main() -> None:
    """Measure all rules on all pairs and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mixed", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, help="folder with a manifest.json")
    report.add_option(parser)
    options = parser.parse_args()

    model = backbones.load(BACKBONE)
    auroc: Values = {}
    painted: Values = {}
    touched: Values = {}
    extended: Values = {}
    cut_anew: Values = {}
    pairs = pairs_of([s for s in read_sets(options.data) if s.kind == "class"])
    for here, there in pairs:
        alone = analyze_set(read_set(here.photos, model.framing), model)
        framing = replace(model.framing, grid=alone.grid)
        joined = analyze_set(read_set(there.photos, framing), model, joins=alone)
        together = analyze_set(read_set([*here.photos, *there.photos], model.framing), model)
        n = len(here.photos)
        for name, settings in SETTINGS.items():
            clicks = _clicks_on(here, alone, settings)
            found = _predictions(together, clicks, settings)
            # The clicked image says nothing: its own token is present by definition.
            auroc.setdefault(name, []).append(
                [separation(f.presence[1:n], f.presence[n:]) for f in found]
            )
            taken = [[mask.mean() for mask in f.masks[n:]] for f in found]
            painted.setdefault(name, []).append([float(np.mean(shares)) for shares in taken])
            touched.setdefault(name, []).append(
                [float(np.mean([share > 0 for share in shares])) for shares in taken]
            )
            before = _predictions(alone, clicks, settings)
            for values, analysis in ((extended, joined), (cut_anew, together)):
                after = _predictions(analysis, clicks, settings)
                values.setdefault(name, []).append(
                    [_likeness(a.masks, b.masks) for a, b in zip(before, after, strict=True)]
                )
        last = f"AUROC {auroc['ours'][-1][-1]:.2f}, taken {painted['ours'][-1][-1]:.1%}"
        print(f"{here.name} with {there.name}: {last}", flush=True)
    print(f"\nAbove: ours, after {SHOWN[-1]} clicks, AUROC and pixels as below. Means of all")
    print(f"{len(pairs)} pairs of sets, {model.name}, after so many clicks in the first:")
    measures = (
        ("AUROC of presence, images with the thing against those without", auroc, ".3f"),
        ("Share of the pixels that is taken in images without the thing", painted, ".2%"),
        ("Share of the images without the thing in which anything is taken", touched, ".0%"),
        ("IoU of the masks before and after the set was extended", extended, ".3f"),
        ("IoU of the masks before and after all images were cut anew", cut_anew, ".3f"),
    )
    rows = [row for title, values, form in measures for row in _means(title, values, form)]
    counts = [f"{count} clicks" if count > 1 else "1 click" for count in SHOWN]
    table = Table(["what", "rule", *counts], rows)
    print(table)
    if options.docs:
        report.publish("mixed", table, parser.prog)


def pairs_of(sets: Sequence[LabelledSet]) -> list[tuple[LabelledSet, LabelledSet]]:
    """Each set of the first half with one of the second: neighbours are often of one class."""
    half = len(sets) // 2
    return list(zip(sets[:half], sets[half:], strict=False))


def _clicks_on(
    labelled: LabelledSet, analysis: Analysis, settings: Settings
) -> list[tuple[Click, ...]]:
    """The first clicks of the simulated person on this set, as many as are shown."""

    def rule(clicks: Sequence[Click]) -> tuple[list[BoolArray], float]:
        return list(predict(analysis, clicks, settings).masks), 0.0

    clicks = run(rule, labelled.masks).clicks
    return [clicks[:count] for count in SHOWN]


def _predictions(
    analysis: Analysis, clicks: Sequence[Sequence[Click]], settings: Settings
) -> list[Prediction]:
    return [predict(analysis, some, settings) for some in clicks]


def _likeness(before: Sequence[BoolArray], after: Sequence[BoolArray]) -> float:
    """Mean IoU of the masks of the images that there were before."""
    return float(np.mean([iou(b, a) for b, a in zip(before, after, strict=False)]))


def _means(title: str, values: Values, form: str) -> list[list[object]]:
    return [
        [title, name, *(format(mean, form) for mean in np.mean(of_pairs, axis=0))]
        for name, of_pairs in values.items()
    ]


if __name__ == "__main__":
    main()
