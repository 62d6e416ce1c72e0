from __future__ import annotations

import numpy as np

# A region with a hole of four tokens, a speck of one, and a region that leaves the image.
VALUES = np.full((12, 16), -1.0)
VALUES[2:9, 2:9] = 1
VALUES[4:6, 4:6] = -1
VALUES[3, 12] = 1
VALUES[9:, 12:] = 1

TIDY = """
    const { contour } = await import('/rule/contour.js');
    const { filled } = await import('/state/raster.js');
    const { tidy } = await import('/state/tidy.js');
    const found = tidy(contour(Float32Array.from(input.values), [12, 16]), input.least);
    return [...filled(found, [12, 16]).mask];
"""


def tidied(run, **tokens: float) -> np.ndarray:
    """What is inside after lines around fewer tokens were taken out, (12, 16) bool."""
    least = {name: count / VALUES.size for name, count in tokens.items()}
    pixels = run(TIDY, {"values": VALUES.ravel().tolist(), "least": least})
    return np.reshape(pixels, VALUES.shape) == 1


def test_nothing_is_taken_out_where_nothing_is_too_small(run):
    np.testing.assert_array_equal(tidied(run, holes=0, specks=0), VALUES > 0)
    np.testing.assert_array_equal(tidied(run, holes=1, specks=0.2), VALUES > 0)


def test_a_small_hole_is_filled_and_no_speck_is_removed(run):
    found = tidied(run, holes=5, specks=0)
    assert found[4:6, 4:6].all()
    assert found[3, 12]


def test_a_speck_is_removed_and_no_hole_is_filled(run):
    found = tidied(run, holes=0, specks=2)
    assert not found[3, 12]
    assert not found[4:6, 4:6].any()
    assert found[2:9, 2].all()
    assert found[10, 14]


def test_all_may_be_too_small(run):
    assert not tidied(run, holes=0, specks=1000).any()
