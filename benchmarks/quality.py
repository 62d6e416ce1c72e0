"""How good the masks are, on folders of photos with known masks, and where they are not.

    python -m benchmarks.quality DATA
    python -m benchmarks.quality DATA --sets 4
    python -m benchmarks.quality DATA --peers 6

DATA is as `benchmarks.labelled` describes. A simulated person clicks: first on the innermost
point of the thing in the first image, then, again and again, on the innermost point of the largest
region, over all images of the set, that is missing or wrongly taken. IoU is taken at image
resolution, averaged over the images of a set, then over sets.

Beside the rules' courses: what the best threshold and the best of three sizes would have given,
what true tokens and linear rules reach, where the rest is lost, and drawn discs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks import discs, findings, report
from benchmarks.findings import FEW_SHOWN, Findings
from benchmarks.labelled import read_sets
from benchmarks.loss import loss, near_outline
from benchmarks.oracles import THRESHOLDS, best_linear, best_size, best_threshold, true_tokens
from benchmarks.peers import forest, ncut_clicks
from benchmarks.person import CLICKS, Course, run
from benchmarks.prepared import SMALL_SIDE, PreparedSet, prepare
from benchmarks.rules import OURS, SETTINGS, predicted, rules_of, with_threshold
from benchmarks.sizes import size_class
from benchmarks.stages import BACKBONE
from benchmarks.table import Table
from pointprompt import backbones

# Takes the place of a table in docs/, its title and the table.
Show = Callable[[str, str, Table], None]

# The numbers of clicks after which the loss is split.
LOSSES_SHOWN = (1, 3, 5, CLICKS)
# A person who finds the best threshold after the first click, and leaves it there.
ADJUSTED = "ours, threshold set once"


def main() -> None:
    """Measure all rules on all sets and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, help="folder with a manifest.json")
    parser.add_argument("--sets", type=int, help="only so many sets, evenly spaced")
    parser.add_argument("--peers", type=int, default=0, help="sets to try the slow peers on")
    parser.add_argument("--backbone", default=BACKBONE, help="of the registry")
    parser.add_argument("--input-size", type=int, help="one of the backbone's, in pixels")
    report.add_option(parser)
    options = parser.parse_args()

    model = backbones.load(options.backbone, input_size=options.input_size)
    sets = read_sets(options.data, options.sets)
    with_peers = {i * len(sets) // options.peers for i in range(options.peers)}
    found: list[Findings] = []
    for index, labelled in enumerate(sets):
        found.append(_found(prepare(labelled, model), slow_too=index in with_peers))
        courses = found[-1].courses.items()
        last = ", ".join(f"{name} {course.iou[-1]:.2f}" for name, course in courses)
        print(f"{labelled.name}: {last}", flush=True)

    show = partial(report.show, prog=parser.prog, docs=options.docs)
    print(f"\n{len(found)} sets, {model.name}, {model.input_size} pixels.")
    _show_courses(found, show)
    _show_losses(found, show)
    if with_peers:
        title = f"All rules on {len(with_peers)} of the sets, mean IoU after clicks:"
        show("peers", title, findings.peers(found))
    # Fewer sets are for a short look.
    seeds = discs.SEEDS if options.sets is None else discs.SEEDS[:1]
    title = "Drawn discs, IoU after one click, by share and aspect of the image:"
    show("discs", title, discs.measured(model, seeds))


def _show_courses(found: Sequence[Findings], show: Show) -> None:
    show("quality", "Mean IoU after clicks:", findings.summary(found))
    for half in (0, 1)[: len(found)]:
        print(f"\nOf every second set, from set {half + 1} on:\n{findings.summary(found[half::2])}")
    few = " ".join(map(str, FEW_SHOWN))
    title = f"Mean IoU after {few} clicks, by kind of set:"
    show("quality by kind", title, findings.by_kind(found))
    title = f"Mean IoU after {few} clicks, by size of the thing in its images:"
    show("quality by size", title, findings.by_size(found))


def _show_losses(found: Sequence[Findings], show: Show) -> None:
    drawn = f"drawn at most {SMALL_SIDE} pixels a side"
    show("losses", "Where ours loses:", findings.losses(found))
    show("thresholds", f"IoU of ours after clicks, {drawn}:", findings.thresholds(found))
    show("bounds", f"Bounds; the linear rules {drawn}:", findings.bounds(found))


def _found(prepared: PreparedSet, *, slow_too: bool) -> Findings:
    """All that is measured of one set; the slow peers only where they are asked for."""
    truth, settings = prepared.full.masks, SETTINGS[OURS]
    own_choice = [settings.rule.threshold]
    rules = rules_of(prepared)
    courses = {name: run(rule, truth) for name, rule in rules.items()}
    clicks = {count: courses[OURS].clicks[:count] for count in {*FEW_SHOWN, *LOSSES_SHOWN}}
    choose = partial(best_threshold, prepared, settings=settings)
    best = {k: choose(clicks[k], choices=[*own_choice, *THRESHOLDS]) for k in FEW_SHOWN}
    adjusted = with_threshold(settings, best[1].choice)
    courses[ADJUSTED] = run(predicted(prepared.analysis, adjusted), truth)
    near = [near_outline(mask, prepared.grid) for mask in truth]
    return Findings(
        kind=prepared.full.kind,
        size=size_class(truth),
        courses=courses,
        slow=_slow_courses(prepared) if slow_too else {},
        own={k: choose(clicks[k], choices=own_choice) for k in FEW_SHOWN},
        best=best,
        sized=best_size(prepared, clicks[1], settings),
        losses={k: loss(rules[OURS](clicks[k])[0], truth, near) for k in LOSSES_SHOWN},
        bounds={
            **true_tokens(prepared),
            "best linear rule on codes": best_linear(prepared, prepared.analysis.codes),
            "best linear rule on features": best_linear(prepared, prepared.features),
        },
    )


def _slow_courses(prepared: PreparedSet) -> dict[str, Course]:
    """How it goes with rules that take seconds a click."""
    labelled, features = prepared.full, prepared.features
    sizes = [mask.shape for mask in labelled.masks]
    rules = {
        "random forest": forest(labelled.photos, features, sizes),
        "ncut-pytorch 3's clicks": ncut_clicks(features, sizes),
    }
    return {name: run(rule, labelled.masks) for name, rule in rules.items()}


if __name__ == "__main__":
    main()
