from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pointprompt.edits import Stroke
from pointprompt.masks import edits
from pointprompt.masks.edits import cleaned, painted


def drawn(*rows: str) -> np.ndarray:
    """A mask as it is seen: # inside."""
    return np.array([[letter == "#" for letter in row] for row in rows])


MASK = drawn(
    "######..",
    "#.##.#..",
    "#.####.#",
    "###.##..",
    "######..",
    ".......#",
)


def test_holes_of_fewer_pixels_are_filled_and_the_background_never_is():
    assert (cleaned(MASK, holes=1, specks=0) == MASK).all()
    np.testing.assert_array_equal(
        cleaned(MASK, holes=2, specks=0),
        drawn(
            "######..",
            "#.####..",
            "#.####.#",
            "######..",
            "######..",
            ".......#",
        ),
    )
    filled = cleaned(MASK, holes=100, specks=0)
    assert filled[:5, :6].all()
    np.testing.assert_array_equal(filled[:, 6:], MASK[:, 6:])


def test_what_touches_over_a_corner_is_no_hole_but_a_way_out():
    ring = drawn("###", "#.#", "##.")
    assert cleaned(ring, holes=100, specks=0)[1, 1]
    assert not cleaned(drawn("##.", "#.#", "#.#"), holes=100, specks=0)[1, 1]


def test_regions_of_fewer_pixels_are_removed():
    assert (cleaned(MASK, holes=0, specks=1) == MASK).all()
    kept = cleaned(MASK, holes=0, specks=2)
    assert not kept[:, 6:].any()
    np.testing.assert_array_equal(kept[:, :6], MASK[:, :6])
    assert not cleaned(MASK, holes=0, specks=100).any()


def test_regions_are_connected_over_corners():
    corner = drawn("#..", ".#.", "...")
    assert cleaned(corner, holes=0, specks=2).sum() == 2
    assert not cleaned(corner, holes=0, specks=3).any()


def test_a_hole_counts_before_a_speck_does():
    ring = drawn(".....", ".###.", ".#.#.", ".###.", ".....")
    assert cleaned(ring, holes=2, specks=9).sum() == 9
    assert not cleaned(ring, holes=0, specks=9).any()


def stroke(*points: tuple[float, float], adds: bool = True, radius: float = 0.1) -> Stroke:
    return Stroke(0, adds=adds, radius=radius, points=points)


def test_a_dot_is_a_disc_of_the_image_however_its_mask_is_squeezed():
    size = (300, 600)
    dot = [stroke((0.25, 0.5), radius=0.1)]
    whole = painted(np.zeros(size, bool), dot, size)
    rows, columns = np.mgrid[:300, :600] + 0.5
    inside = (columns - 150) ** 2 + (rows - 150) ** 2 <= 60**2
    assert (whole == inside).mean() > 0.9999
    squeezed = painted(np.zeros((100, 100), bool), dot, size)
    assert abs(squeezed.mean() - inside.mean()) < 0.002


def test_a_line_is_all_that_is_near_it():
    mask = painted(np.zeros((100, 100), bool), [stroke((0.2, 0.5), (0.8, 0.5))], (100, 100))
    assert mask[41:59, 20:80].all()
    assert not mask[:40].any()
    assert not mask[60:].any()
    assert mask[50, 11]
    assert not mask[50, 9]
    assert not mask[41, 11]  # Its ends are round.


def test_an_eraser_takes_out_and_later_strokes_win():
    everything = np.ones((50, 50), bool)
    out, back = stroke((0.5, 0.5), adds=False, radius=0.3), stroke((0.5, 0.5), radius=0.1)
    mask = painted(everything, [out, back], (50, 50))
    assert mask[25, 25]
    assert not mask[25, 15]
    assert mask[25, 5]
    assert not painted(everything, [back, out], (50, 50))[25, 25]
    assert everything.all()


def test_a_stroke_may_begin_beside_the_image():
    mask = painted(np.zeros((40, 40), bool), [stroke((-0.5, 0.5), (0.1, 0.5))], (40, 40))
    assert mask[20, 0]
    assert not mask[20, 10]
    assert not painted(mask & False, [stroke((-1.0, -1.0))], (40, 40)).any()


places = st.tuples(st.floats(-1, 2), st.floats(-1, 2))


@given(
    points=st.lists(places, min_size=1, max_size=4),
    radius=st.floats(0.001, 1),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_the_box_around_a_segment_holds_all_that_is_touched(points, radius, size):
    found = painted(np.zeros(size, bool), [stroke(*points, radius=radius)], size)
    longer = max(size)
    rows, columns = (np.mgrid[: size[0], : size[1]] + 0.5) / longer
    expected = np.zeros(size, bool)
    scaled = [(x * size[1] / longer, y * size[0] / longer) for x, y in points]
    for (x, y), (to_x, to_y) in zip(scaled, scaled[1:] or scaled, strict=False):
        dx, dy = to_x - x, to_y - y
        length = dx * dx + dy * dy
        along = ((columns - x) * dx + (rows - y) * dy) / length if length else 0
        along = np.clip(along, 0, 1)
        distance = np.hypot(columns - x - along * dx, rows - y - along * dy)
        expected |= distance <= radius
    # On the very line, where a rounding decides.
    assert (found != expected).sum() <= 2


def test_a_wide_brush_on_a_large_image_takes_little_memory():
    mask = np.zeros((3000, 4000), bool)
    wide = stroke((0.1, 0.1), (0.9, 0.9), radius=0.3)
    tracemalloc.start()
    found = painted(mask, [wide], mask.shape)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.mean() > 0.5
    assert peak < 5 * mask.size


def test_bands_meet_without_a_gap(monkeypatch):
    size = (97, 61)
    line = [stroke((0.2, 0.1), (0.7, 0.9), radius=0.2)]
    whole = painted(np.zeros(size, bool), line, size)
    monkeypatch.setattr(edits, "_BAND_PIXELS", 1)
    np.testing.assert_array_equal(painted(np.zeros(size, bool), line, size), whole)
