"""When it is asked before clicks are dropped, and in which words."""

from __future__ import annotations

import pytest

AT_STAKE = """
    const { clicksAtStake } = await import('/setup/ask.js');
    const { manifest, clicks, files } = input;
    // Of one thing, and of another one above it.
    const above = [{ clicks: clicks.slice(1) }];
    const present = { clicks: clicks.slice(0, 1), above, below: [] };
    return clicksAtStake({ manifest, history: { present } }, files);
"""
OWN = {"example": "", "images": [{"name": "a.jpg"}, {"name": "b.jpg"}]}
EXAMPLE = {**OWN, "example": "Click the cat."}
SAME = [{"name": "b.jpg"}, {"name": "a.jpg"}]


@pytest.mark.parametrize(
    ("manifest", "clicks", "files", "count"),
    [
        (OWN, 3, None, 3),
        (OWN, 0, None, 0),
        (None, 3, None, 0),
        (EXAMPLE, 3, None, 0),
        (OWN, 3, SAME, 0),
        (OWN, 3, SAME[:1], 3),
        (OWN, 3, [*SAME, {"name": "c.jpg"}], 3),
        # One of them twice is another set.
        (OWN, 3, [SAME[0], SAME[0]], 3),
    ],
)
def test_clicks_are_at_stake_on_ones_own_set_alone_and_for_other_images(
    run, manifest, clicks, files, count
):
    told = {"manifest": manifest, "clicks": [{}] * clicks, "files": files}
    assert run(AT_STAKE, told) == count


def test_the_question_counts_them(run):
    text = "const { askText } = await import('/setup/ask.js'); return askText(input);"
    assert run(text, 1).startswith("Your click belongs to the set that is open.")
    assert run(text, 3).startswith("Your 3 clicks belong to the set that is open.")
