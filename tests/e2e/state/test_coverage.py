from __future__ import annotations


def test_a_speck_is_not_found(run):
    """One token of a few thousand is a mask, but nobody would say that the thing was found."""
    found = run("""
        const { coverage, isFound } = await import('/state/coverage.js');
        const mask = (covered) => new Uint8Array(4096).fill(1, 0, covered);
        return [0, 1, 4, 5, 4096].map(mask).map((of) => [coverage(of), isFound(of)]);
    """)
    assert found == [
        [0, False],
        [1 / 4096, False],
        [4 / 4096, False],
        [5 / 4096, True],
        [1, True],
    ]
