from __future__ import annotations

REVIVED = """
    const { all } = await import('/state/things.js');
    const { revived } = await import('/state/revived.js');
    const { SETTINGS: settings } = await import('/state/settings.js');
"""


def test_what_was_kept_by_an_older_page_becomes_the_one_thing_there_is(run):
    found = run(f"""{REVIVED}
        const clicks = [{{ image: 0, x: 0.5, y: 0.5, positive: true }}];
        const prompt = revived({{ clicks, settings }});
        const broken = revived({{ ...prompt, above: [3, {{ clicks: 1 }}], below: 'x' }});
        return [all(prompt).map(({{ name }}) => name), prompt.clicks.length, all(broken).length];
    """)
    assert found == [["Thing 1"], 1, 1]


def test_things_from_before_there_were_edits_have_none(run):
    found = run(f"""{REVIVED}
        const thing = (id) => ({{ id, name: `${{id}}`, color: [1, 2, 3], clicks: [], settings }});
        const prompt = revived({{ ...thing(1), above: [], below: [thing(2)], exclusive: true }});
        return [...all(prompt).map(({{ locks, strokes }}) => [locks, strokes]), prompt.skipped];
    """)
    assert found == [[[], []], [[], []], []]
