from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

ROOM = {"width": 1000, "gap": 10, "height": 190}


def widths(run, aspects: list[float], room: dict[str, float]) -> list[float]:
    return run(
        "return (await import('/view/rows.js')).rowWidths(input.aspects, input.room);",
        {"aspects": aspects, "room": room},
    )


def rows_of(found: list[float], room: dict[str, float]) -> list[list[int]]:
    """As a browser breaks lines: whatever fits."""
    rows: list[list[int]] = [[]]
    used = -room["gap"]
    for index, width in enumerate(found):
        if rows[-1] and used + room["gap"] + width > room["width"]:
            rows.append([])
            used = -room["gap"]
        rows[-1].append(index)
        used += room["gap"] + width
    return rows


@pytest.mark.parametrize("width", [360, 740, 1000, 2400])
@pytest.mark.parametrize("seed", range(4))
def test_rows_are_full_and_each_of_one_height(run, seed, width):
    room = {**ROOM, "width": width, "height": 120 if width < 400 else 190}
    rng = np.random.default_rng(seed)
    aspects = rng.choice([0.5, 0.66, 1, 1.33, 1.5, 1.78, 2.5], 60).tolist()
    found = widths(run, aspects, room)
    rows = rows_of(found, room)
    for row in rows:
        heights = [found[index] / aspects[index] for index in row]
        assert max(heights) - min(heights) < 0.1
        used = sum(found[index] for index in row) + room["gap"] * (len(row) - 1)
        assert used <= width
        if row is not rows[-1]:
            assert used == pytest.approx(width, abs=0.5)
        assert 0.55 < heights[0] / room["height"] < 1.8


def test_no_other_breaks_are_nearer_to_the_wished_height(run):
    rng = np.random.default_rng(0)
    aspects = rng.choice([0.5, 1, 1.5, 2.5], 9).tolist()
    found = widths(run, aspects, ROOM)

    def cost(rows: list[list[int]]) -> float:
        total = 0.0
        for row in rows:
            room = ROOM["width"] - ROOM["gap"] * (len(row) - 1)
            ratio = room / sum(aspects[index] for index in row) / ROOM["height"]
            is_last = row[-1] == len(aspects) - 1
            weight = (0 if is_last else 2) if ratio > 1 else 1
            total += weight * math.log(ratio) ** 2
        return total

    def broken(at: tuple[int, ...]) -> list[list[int]]:
        edges = [0, *at, len(aspects)]
        return [list(range(a, b)) for a, b in itertools.pairwise(edges)]

    places = range(1, len(aspects))
    every = [broken(at) for n in range(len(aspects)) for at in itertools.combinations(places, n)]
    assert cost(rows_of(found, ROOM)) == pytest.approx(min(map(cost, every)))


def test_a_last_row_that_is_not_full_is_as_high_as_the_one_before(run):
    found = widths(run, [1.5] * 5, ROOM)
    assert len(set(found)) == 1
    (alone,) = widths(run, [1.5], ROOM)
    assert alone == pytest.approx(1.5 * ROOM["height"], abs=0.1)


def test_no_tiles_take_no_room(run):
    assert widths(run, [], ROOM) == []


@pytest.mark.parametrize(
    ("count", "least", "most"), [(1, 300, 340), (6, 200, 340), (100, 190, 190)]
)
def test_few_tiles_are_large_so_that_all_are_seen_and_many_are_of_the_usual_size(
    run, count, least, most
):
    height = run(
        """
        const { rowHeight } = await import('/view/rows.js');
        return rowHeight(Array(input).fill(4 / 3), { width: 1000, height: 650 });
        """,
        count,
    )
    assert least <= height <= most


def test_no_tile_at_all_has_a_height_too(run):
    height = run("""
        const { rowHeight } = await import('/view/rows.js');
        return rowHeight([], { width: 390, height: 600 });
    """)
    assert height == 300
