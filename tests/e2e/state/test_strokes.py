from __future__ import annotations

from typing import Any

import numpy as np

from pointprompt.edits import Stroke
from pointprompt.masks.edits import painted

SIZES = [(30, 40), (64, 64), (1, 1), (7, 200), (90, 13)]


def some_strokes(random: np.random.Generator) -> list[Stroke]:
    return [
        Stroke(
            image=0,
            adds=bool(random.random() < 0.6),
            radius=round(float(random.uniform(0.002, 0.3)), 5),
            points=tuple(
                (round(float(x), 5), round(float(y), 5))
                for x, y in random.uniform(-0.2, 1.2, (random.integers(1, 9), 2))
            ),
        )
        for _ in range(random.integers(1, 7))
    ]


def as_sent(stroke: Stroke) -> dict[str, Any]:
    points = [list(point) for point in stroke.points]
    return {"image": 0, "adds": stroke.adds, "radius": stroke.radius, "points": points}


def test_strokes_are_painted_to_the_very_pixels_that_python_paints(run):
    random = np.random.default_rng(0)
    cases = []
    for number in range(60):
        grid, size = SIZES[number % 5], SIZES[(number // 5) % 5]
        mask = random.random(grid) > 0.7
        cases.append((mask, some_strokes(random), size))
    found = run(
        """
        const { painted } = await import('/state/strokes.js');
        return input.map(({ mask, grid, strokes, size: [height, width] }) =>
          [...painted({ mask: Uint8Array.from(mask), grid }, strokes, { width, height }).mask]);
        """,
        [
            {
                "mask": mask.ravel().astype(int).tolist(),
                "grid": mask.shape,
                "strokes": [as_sent(stroke) for stroke in strokes],
                "size": size,
            }
            for mask, strokes, size in cases
        ],
    )
    for (mask, strokes, size), pixels in zip(cases, found, strict=True):
        expected = painted(mask, strokes, size)
        np.testing.assert_array_equal(np.reshape(pixels, mask.shape) == 1, expected)


def test_what_is_painted_on_stays_as_it_is(run):
    before = run("""
        const { painted } = await import('/state/strokes.js');
        const drawn = { mask: new Uint8Array(4), grid: [2, 2] };
        const stroke = { image: 0, adds: true, radius: 1, points: [[0.5, 0.5]] };
        const after = painted(drawn, [stroke], { width: 2, height: 2 });
        return [[...drawn.mask], [...after.mask]];
    """)
    assert before == [[0, 0, 0, 0], [1, 1, 1, 1]]
