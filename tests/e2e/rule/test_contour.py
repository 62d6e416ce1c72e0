"""The line where values are 0, as the browser finds it and fills it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

# Which middles of tokens are inside the lines, by the browser's own even-odd rule.
INSIDE = """
    const { contour } = await import('/rule/contour.js');
    return input.map(([values, h, w]) => {
      const { points, starts } = contour(Float32Array.from(values), [h, w]);
      const path = new Path2D();
      for (let line = 0; line + 1 < starts.length; line += 1) {
        for (let point = starts[line]; point < starts[line + 1]; point += 1) {
          const place = [1000 * points[2 * point], 1000 * points[2 * point + 1]];
          if (point === starts[line]) path.moveTo(...place);
          else path.lineTo(...place);
        }
        path.closePath();
      }
      const context = new OffscreenCanvas(1, 1).getContext('2d');
      return values.map((_, token) => context.isPointInPath(
        path, 1000 * (token % w + 0.5) / w, 1000 * (Math.floor(token / w) + 0.5) / h, 'evenodd'));
    });
"""


def lines(run: Any, values: list[list[float]]) -> list[list[list[float]]]:
    """Each line of a contour as its points, in tokens."""
    h, w = len(values), len(values[0])
    points, starts = run(
        """
        const { contour } = await import('/rule/contour.js');
        const { points, starts } = contour(Float32Array.from(input.flat()),
                                           [input.length, input[0].length]);
        return [[...points], [...starts]];
        """,
        values,
    )
    places = np.array(points).reshape(-1, 2) * [w, h]
    return [places[a:b].tolist() for a, b in pairwise(starts)]


def test_nothing_inside_has_no_line(run):
    assert lines(run, [[-1, -1], [-1, 0]]) == []


def test_a_token_in_the_middle_has_a_diamond_through_the_zeros_around_it(run):
    (line,) = lines(run, [[-1, -1, -1], [-1, 3, -1], [-1, -1, -1]])
    found = sorted([round(x, 4), round(y, 4)] for x, y in line)
    # Three quarters of the way from its middle to the next.
    assert found == [[0.75, 1.5], [1.5, 0.75], [1.5, 2.25], [2.25, 1.5]]


def test_a_hole_has_a_line_of_its_own(run):
    found = lines(run, [[1, 1, 1], [1, -1, 1], [1, 1, 1]])
    assert len(found) == 2


def test_what_reaches_the_edge_of_the_image_is_closed_beyond_it(run):
    (line,) = lines(run, [[1, 1], [1, 1]])
    for x, y in line:
        assert x < 0 or x > 2 or y < 0 or y > 2


@pytest.mark.parametrize(("middle", "count"), [(1.0, 1), (0.1, 2)])
def test_two_corners_hang_together_where_the_middle_between_them_is_inside(run, middle, count):
    found = lines(
        run,
        [[-1, -1, -1, -1], [-1, 1, -0.8, -1], [-1, -0.8, middle, -1], [-1, -1, -1, -1]],
    )
    assert len(found) == count


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    grids=st.lists(
        arrays(
            np.float32,
            st.tuples(st.integers(1, 9), st.integers(1, 9)),
            elements=st.sampled_from([-1.0, -0.5, -0.01, 0.01, 0.5, 0.999]).map(np.float32),
        ),
        min_size=20,
        max_size=40,
    )
)
def test_whatever_is_above_0_is_inside_and_nothing_else(run, grids):
    found = run(INSIDE, [[grid.ravel().tolist(), *grid.shape] for grid in grids])
    for grid, inside in zip(grids, found, strict=True):
        assert inside == (grid.ravel() > 0).tolist()
