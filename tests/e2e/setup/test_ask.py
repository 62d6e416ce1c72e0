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


def test_before_an_image_is_removed_what_is_on_it_is_counted(run):
    found = run("""
        const { ofImage } = await import('/setup/ask.js');
        const on = (image) => ({ image });
        const thing = { clicks: [on(0), on(1)], strokes: [on(1), on(1)] };
        const present = { ...thing, above: [{ clicks: [on(1)], strokes: [] }], below: [] };
        return [0, 1, 2].map((focus) => ofImage({ history: { present }, focus })?.text ?? null);
    """)
    assert found == [
        "1 click on this image would go with it. That cannot be undone.",
        "2 clicks and 2 strokes on this image would go with it. That cannot be undone.",
        None,
    ]


def test_the_question_counts_them(run):
    text = "const { askText } = await import('/setup/ask.js'); return askText(input);"
    assert run(text, 1).startswith("Your click belongs to the set that is open.")
    assert run(text, 3).startswith("Your 3 clicks belong to the set that is open.")
