from __future__ import annotations

import numpy as np
import pytest

from pointprompt.types import Click


@pytest.mark.parametrize("x", [-3, -1e-9, 0, 0.5, 0.999999999, 1, 1.0000001, 7])
def test_a_click_anywhere_near_an_edge_is_one_the_server_takes(run, x):
    made = run("return (await import('/state/clicks.js')).clickAt(2, input, input, true)", x)
    click = Click(**made)
    assert np.float32(click.x) < 1
    assert click.x == click.y == pytest.approx(min(max(x, 0), 1), abs=1e-6)


def test_clicks_are_added_and_removed_without_changing_the_list(run):
    lists = run("""
        const { add, removeAt } = await import('/state/clicks.js');
        const clicks = Object.freeze(['a', 'b', 'c']);
        return [add(clicks, 'd'), removeAt(clicks, 1), removeAt(clicks, -1), clicks];
    """)
    assert lists == [
        ["a", "b", "c", "d"],
        ["a", "c"],
        ["a", "b", "c"],
        ["a", "b", "c"],
    ]


@pytest.mark.parametrize(
    ("dx", "dy", "index"),
    [(0, 0, 0), (9, 0, 0), (0, -9, 0), (6, 6, 0), (9.1, 0, -1), (0, 9.1, -1), (6.5, 6.5, -1)],
)
def test_a_click_is_hit_within_its_radius_in_pixels_of_the_tile(run, dx, dy, index):
    # A tile of 400 x 100 pixels: the same share is four times as far across as down.
    found = run(
        """
        const { hit } = await import('/state/clicks.js');
        const clicks = [{ image: 3, x: 0.5, y: 0.5, positive: true }];
        return hit(clicks, 3, 0.5 + input[0] / 400, 0.5 + input[1] / 100, 400, 100, 9);
        """,
        [dx, dy],
    )
    assert found == index


def test_the_nearest_click_of_the_same_image_is_hit(run):
    found = run("""
        const { hit } = await import('/state/clicks.js');
        const at = (image, x) => ({ image, x, y: 0.5, positive: true });
        const clicks = [at(0, 0.50), at(0, 0.54), at(1, 0.53), at(0, 0.9)];
        return [0.51, 0.53, 0.7, 0.9].map((x) => hit(clicks, 0, x, 0.5, 200, 200, 9));
    """)
    assert found == [0, 1, -1, 3]


def test_clicks_are_counted_by_their_kind(run):
    counts = run("""
        const { clickAt, count } = await import('/state/clicks.js');
        const clicks = [true, false, true].map((positive) => clickAt(0, 0.5, 0.5, positive));
        return [count(clicks), count([])];
    """)
    assert counts == [{"positive": 2, "negative": 1}, {"positive": 0, "negative": 0}]


@pytest.mark.parametrize(
    ("side", "mouse", "touch"), [(800, 8, 12), (120, 6.4, 10.4), (60, 4.5, 8.5)]
)
def test_on_a_small_tile_a_click_takes_less_room_from_its_neighbours(run, side, mouse, touch):
    radii = run(
        """
        const { hitRadius } = await import('/state/clicks.js');
        const size = { width: 2 * input, height: input };
        return [hitRadius(size, false), hitRadius(size, true)];
        """,
        side,
    )
    assert radii == pytest.approx([mouse, touch])
