"""What was found of every set -> tables.

Knows numbers of sets. Knows nothing of how they were measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np

from benchmarks.loss import Loss
from benchmarks.oracles import Agreement, Best
from benchmarks.person import CLICKS, Course
from benchmarks.sizes import CLASSES
from benchmarks.table import Table

# The numbers of clicks that the tables show.
SHOWN = (1, 2, 3, 5, CLICKS)
FEW_SHOWN = (1, 3, CLICKS)
GOALS = (0.7, 0.8)


@dataclass(frozen=True)
class Findings:
    """What was found of one set.

    Attributes:
        kind: Of the set.
        size: The class of the thing's size, one of `sizes.CLASSES`.
        courses: By rule.
        slow: The same of peers that are too slow for all sets; none where they were left out.
        own: The masks at the rule's own threshold, by the number of clicks.
        best: Those at the best threshold of the set.
        sized: After the first click, which is in the first image, those of the best of three sizes.
        losses: By the number of clicks.
        bounds: What true tokens and the best linear rules reach, by their names.
    """

    kind: str
    size: str
    courses: dict[str, Course]
    slow: dict[str, Course]
    own: dict[int, Best]
    best: dict[int, Best]
    sized: Best
    losses: dict[int, Loss]
    bounds: dict[str, Agreement]


def summary(found: Sequence[Findings]) -> Table:
    """How the courses of all rules went."""
    columns = ["rule", *map(str, SHOWN), *(f">= {g}" for g in GOALS)]
    columns += [*(f"clicks to {g}" for g in GOALS), "lowered", "by > .01", "boundary F", "ms"]
    rows = []
    for name in found[0].courses:
        of_sets = [one.courses[name] for one in found]
        iou = np.array([course.iou for course in of_sets])
        row: list[object] = [name, *(f"{iou[:, k - 1].mean():.3f}" for k in SHOWN)]
        row += [f"{(iou[:, -1] >= goal).mean():.0%}" for goal in GOALS]
        for goal in GOALS:
            reached = [int((i >= goal).argmax()) + 1 for i in iou if (i >= goal).any()]
            row.append(f"{np.mean(reached):.1f}" if reached else "-")
        # Only of the clicks that were made.
        steps = np.concatenate([np.diff(c.iou)[: len(c.clicks) - 1] for c in of_sets])
        row += [f"{(steps < 0).mean():.0%}", f"{(steps < -0.01).mean():.0%}"]
        row.append(f"{np.mean([course.boundary for course in of_sets]):.3f}")
        row.append(f"{1000 * np.mean([course.seconds for course in of_sets]):.0f}")
        rows.append(row)
    return Table(columns, rows)


def peers(found: Sequence[Findings]) -> Table:
    """The same, with the slow peers, of the sets that those were tried on."""
    tried = [replace(one, courses={**one.courses, **one.slow}) for one in found if one.slow]
    return summary(tried)


def by_kind(found: Sequence[Findings]) -> Table:
    """The mean IoU of every rule by kind of set."""
    return _by(found, lambda one: one.kind)


def by_size(found: Sequence[Findings]) -> Table:
    """The mean IoU of every rule by size of the thing."""
    return _by(sorted(found, key=lambda one: CLASSES.index(one.size)), lambda one: one.size)


def thresholds(found: Sequence[Findings]) -> Table:
    """The mean IoU at the rule's own threshold, at the best one and at the best of three sizes."""
    columns = ["sets"]
    for clicks in FEW_SHOWN:
        columns += [f"{clicks}, own", f"{clicks}, best"]
    columns += [
        "median best after 1",
        "1, best size",
        "1, own, its image",
        "1, best size, its image",
    ]
    rows = []
    for name, sets in _with_all(found):
        row = [name]
        for clicks in FEW_SHOWN:
            row.append(_mean(one.own[clicks].mean for one in sets))
            row.append(_mean(one.best[clicks].mean for one in sets))
        row.append(f"{np.median([one.best[1].choice for one in sets]):.2f}")
        row.append(_mean(one.sized.mean for one in sets))
        row.append(_mean(one.own[1].iou[0] for one in sets))
        row.append(_mean(one.sized.iou[0] for one in sets))
        rows.append(row)
    return Table(columns, rows)


def bounds(found: Sequence[Findings]) -> Table:
    """What true tokens and the best linear rules reach, on all sets and on those of parts."""
    parts = [one for one in found if one.kind == "part"]
    rows = []
    for name in found[0].bounds:
        row = [name]
        for sets in (found, parts):
            row.append(_mean(one.bounds[name].iou for one in sets))
            row.append(_mean(one.bounds[name].boundary for one in sets))
        rows.append(row)
    return Table(["what", "IoU", "boundary F", "parts: IoU", "parts: boundary F"], rows)


def losses(found: Sequence[Findings]) -> Table:
    """Where the masks lose, by kind of set and number of clicks."""
    rows = []
    for name, sets in _with_all(found):
        for clicks in found[0].losses:
            of_sets = [one.losses[clicks] for one in sets]
            parts = np.mean([astuple(loss) for loss in of_sets], axis=0)
            total = _mean(loss.total for loss in of_sets)
            rows.append([name, clicks, total, *(f"{part:.3f}" for part in parts)])
    places = ["missed image", "outline", "background taken", "part missed"]
    return Table(["sets", "clicks", "1 - IoU", *places], rows)


def _by(found: Sequence[Findings], label: Callable[[Findings], str]) -> Table:
    """The mean IoU of every rule after a few numbers of clicks, in groups of sets."""
    groups = _groups(found, label)
    rows = []
    for name in found[0].courses:
        row = [name]
        for sets in groups.values():
            iou = np.mean([one.courses[name].iou for one in sets], axis=0)
            row.append(" ".join(f"{iou[k - 1]:.2f}" for k in FEW_SHOWN))
        rows.append(row)
    return Table(["rule", *(f"{group} ({len(sets)})" for group, sets in groups.items())], rows)


def _groups(
    found: Sequence[Findings], label: Callable[[Findings], str]
) -> dict[str, list[Findings]]:
    groups: dict[str, list[Findings]] = {}
    for one in found:
        groups.setdefault(label(one), []).append(one)
    return groups


def _with_all(found: Sequence[Findings]) -> list[tuple[str, Sequence[Findings]]]:
    """All sets, and those of each kind, with a name and their number."""
    kinds = _groups(found, lambda one: one.kind)
    return [(f"{name} ({len(sets)})", sets) for name, sets in [("all", found), *kinds.items()]]


def _mean(values: Iterable[float]) -> str:
    listed = list(values)
    return f"{np.mean(listed):.3f}" if listed else "-"
