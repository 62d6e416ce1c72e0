"""The tables of `make quality`, of two sets whose numbers are known."""

import numpy as np
import pytest

from benchmarks import findings
from benchmarks.findings import Findings
from benchmarks.loss import Loss
from benchmarks.oracles import Agreement, Best
from benchmarks.person import CLICKS, Course
from benchmarks.sizes import CLASSES
from pointprompt.types import Click


def course(first, last):
    iou = np.linspace(first, last, CLICKS)
    return Course((Click(0, 0.5, 0.5),) * CLICKS, iou, np.full(CLICKS, 0.004), boundary=last)


def found(kind, size, level, slow):
    return Findings(
        kind=kind,
        size=size,
        courses={"ours": course(level, level + 0.45)},
        slow={"a peer": course(0.1, 0.1)} if slow else {},
        own={k: Best(0.5, [level, level]) for k in (1, 3, 10)},
        best={k: Best(level, [level, level + 0.2]) for k in (1, 3, 10)},
        sized=Best(0.75, [level + 0.3, level]),
        losses={k: Loss(0, 0.1, 0.1, 0.8 - level) for k in (1, 10)},
        bounds={"true tokens": Agreement(level, level / 2)},
    )


@pytest.fixture
def sets():
    return [found("class", CLASSES[2], 0.4, slow=False), found("part", CLASSES[0], 0.2, slow=True)]


def test_the_summary_is_of_all_sets(sets):
    table = findings.summary(sets)
    (row,) = table.rows
    cells = dict(zip(table.columns, row, strict=True))
    assert (cells["rule"], cells["1"], cells["10"]) == ("ours", "0.300", "0.750")
    assert (cells[">= 0.7"], cells[">= 0.8"], cells["lowered"]) == ("50%", "50%", "0%")
    assert (cells["boundary F"], cells["ms"]) == ("0.750", "4")


def test_peers_are_compared_on_the_sets_that_they_were_tried_on(sets):
    rows = findings.peers(sets).rows
    assert [row[:2] for row in rows] == [["ours", "0.200"], ["a peer", "0.100"]]


def test_kinds_stand_side_by_side_as_they_come_and_sizes_from_small_to_large(sets):
    by_kind, by_size = findings.by_kind(sets), findings.by_size(sets)
    assert by_kind.columns == ["rule", "class (1)", "part (1)"]
    assert by_kind.rows == [["ours", "0.40 0.50 0.85", "0.20 0.30 0.65"]]
    assert by_size.columns == ["rule", "below 1% (1)", "3% to 10% (1)"]
    assert by_size.rows == [["ours", "0.20 0.30 0.65", "0.40 0.50 0.85"]]


def test_the_best_thresholds_stand_beside_the_own_ones(sets):
    rows = findings.thresholds(sets).rows
    own_and_best = ["0.300", "0.400"] * 3
    assert rows[0] == ["all (2)", *own_and_best, "0.30", "0.450", "0.300", "0.600"]
    assert [row[0] for row in rows] == ["all (2)", "class (1)", "part (1)"]


def test_bounds_are_of_all_sets_and_of_parts(sets):
    assert findings.bounds(sets).rows == [["true tokens", "0.300", "0.150", "0.200", "0.100"]]
    assert findings.bounds(sets[:1]).rows == [["true tokens", "0.400", "0.200", "-", "-"]]


def test_losses_add_up_in_every_row(sets):
    rows = findings.losses(sets).rows
    places = ["0.700", "0.000", "0.100", "0.100", "0.500"]
    assert rows[:2] == [["all (2)", clicks, *places] for clicks in (1, 10)]
    assert len(rows) == 6
