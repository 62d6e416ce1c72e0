from __future__ import annotations

import numpy as np
import pytest

from pointprompt.edits import MAX_STROKE_POINTS, Stroke

STROKE = """
    const { strokeOf } = await import('/state/brush.js');
    const way = input.way.map(([x, y]) => ({ x, y }));
    const brush = { adds: true, radius: input.radius, color: [1, 2, 3] };
    return strokeOf(3, way, { brush, other: input.other, size: { width: 200, height: 100 } });
"""


def stroke(run, way, *, radius=0.1, other=False):
    found = run(STROKE, {"way": way, "radius": radius, "other": other})
    points = tuple(map(tuple, found.pop("points")))
    # As the server checks it.
    return Stroke(**found, points=points)


def test_a_way_is_a_stroke_of_its_corners(run):
    close = [[0.5 + step / 10_000, 0.5] for step in range(100)]
    found = stroke(run, [[0.1, 0.1], *close, [0.9, 0.123456789]])
    assert (found.image, found.adds, found.radius) == (3, True, 0.1)
    assert found.points == ((0.1, 0.1), (0.5, 0.5), (0.9, 0.12346))


def test_a_press_is_a_dot_and_the_opposite_takes_out(run):
    found = stroke(run, [[0.25, 0.75]], other=True)
    assert found.points == ((0.25, 0.75),)
    assert not found.adds


def test_a_scribble_has_no_more_points_than_there_is_room_for_and_ends_where_it_ended(run):
    way = np.random.default_rng(0).random((5000, 2)).tolist()
    found = stroke(run, way, radius=0.002)
    assert 1 < len(found.points) <= MAX_STROKE_POINTS
    assert found.points[0] == pytest.approx(way[0], abs=1e-5)
    assert found.points[-1] == pytest.approx(way[-1], abs=1e-5)


def test_a_way_far_out_of_the_image_is_one_that_the_server_takes(run):
    assert stroke(run, [[-7, 0.5], [0.5, 9]]).points == ((-1, 0.5), (0.5, 2))


def test_each_place_of_the_slider_is_a_size_and_each_step_is_within(run):
    found = run("""
        const { radiusOf, sliderOf, stepped } = await import('/state/brush.js');
        const places = [0, 1, 37, 100];
        return [places.map((place) => sliderOf(radiusOf(place))), radiusOf(0), radiusOf(100),
          stepped(0.3, 1), stepped(0.002, -1), stepped(0.1, 1)];
    """)
    assert found[0] == pytest.approx([0, 1, 37, 100])
    assert found[1:] == pytest.approx([0.002, 0.3, 0.3, 0.002, 0.125])
