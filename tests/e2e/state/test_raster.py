from __future__ import annotations

import numpy as np
import pytest

from pointprompt.grid import upscale


def test_a_mask_of_tokens_has_the_pixels_that_python_gives_it(run):
    mask = np.random.default_rng(0).random((5, 7)) > 0.5
    for grid in ((5, 7), (50, 71), (3, 2), (1, 1)):
        pixels = run(
            """
            const { resized } = await import('/state/raster.js');
            const mask = Uint8Array.from(input.mask);
            return [...resized({ mask, grid: [5, 7] }, input.grid).mask];
            """,
            {"mask": mask.ravel().astype(int).tolist(), "grid": grid},
        )
        np.testing.assert_array_equal(np.reshape(pixels, grid) == 1, upscale(mask, *grid))


FILLED = """
    const { filled } = await import('/state/raster.js');
    const points = Float32Array.from(input.lines.flat(2));
    const starts = [0];
    for (const line of input.lines) starts.push(starts.at(-1) + line.length);
    return [...filled({ points, starts: Uint32Array.from(starts) }, input.grid).mask];
"""
SQUARE = [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]
HOLE = [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]]


def test_what_an_odd_number_of_lines_is_around_is_filled(run):
    pixels = np.reshape(run(FILLED, {"lines": [SQUARE, HOLE], "grid": [20, 40]}), (20, 40))
    expected = np.zeros((20, 40), int)
    expected[5:15, 10:30] = 1
    expected[8:12, 16:24] = 0
    np.testing.assert_array_equal(pixels, expected)


def test_lines_that_leave_the_image_are_filled_up_to_its_edge(run):
    around = [[-0.1, -0.1], [1.1, -0.1], [1.1, 1.1], [-0.1, 1.1]]
    assert run(FILLED, {"lines": [around], "grid": [4, 4]}) == [1] * 16


def test_no_line_fills_nothing(run):
    assert run(FILLED, {"lines": [], "grid": [2, 2]}) == [0] * 4


@pytest.mark.parametrize("seed", range(3))
def test_a_contour_is_filled_where_its_values_are_above_0(run, seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=(6, 8)).astype(np.float32)
    pixels = run(
        """
        const { contour } = await import('/rule/contour.js');
        const { filled } = await import('/state/raster.js');
        const found = contour(Float32Array.from(input), [6, 8]);
        return [...filled(found, [6, 8]).mask];
        """,
        values.ravel().tolist(),
    )
    np.testing.assert_array_equal(np.reshape(pixels, (6, 8)) == 1, values > 0)
