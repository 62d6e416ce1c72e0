"""Which file a row of the field stands for."""

from __future__ import annotations

import pytest

FITTING = """
    const { fittingFiles } = await import('/setup/chosen.js');
    const named = (names) => names.map((name, id) => ({ name, id }));
    return fittingFiles(named(input.rows), named(input.known)).map((file) => file?.id ?? null);
"""


@pytest.mark.parametrize(
    ("rows", "known", "ids"),
    [
        (["a", "b"], ["a", "b"], [0, 1]),
        (["b"], ["a", "b"], [1]),
        # Of a name that was chosen again, the newest.
        (["a"], ["a", "b", "a"], [2]),
        # Two of one name at once, in their order.
        (["a", "a"], ["a", "a"], [0, 1]),
        # Chosen before a reload.
        (["x", "a"], ["a"], [None, 0]),
        ([], ["a"], []),
    ],
)
def test_a_row_is_of_the_newest_file_with_its_name(run, rows, known, ids):
    assert run(FITTING, {"rows": rows, "known": known}) == ids
