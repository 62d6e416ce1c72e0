from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pointprompt.things import Thing, clicks_of
from pointprompt.types import Click

BEGUN = """
    const things = await import('/state/things.js');
    const { SETTINGS } = await import('/state/settings.js');
    let prompt = things.begun(SETTINGS);
    const names = () => things.all(prompt).map(({ name }) => name);
"""


def test_a_thing_more_comes_below_the_others_and_is_chosen(run):
    found = run(
        BEGUN
        + """
        prompt = things.add(things.change(prompt, prompt.id, { name: 'cat' }));
        prompt = things.add(prompt);
        const colors = new Set(things.all(prompt).map(({ color }) => String(color)));
        return [names(), prompt.name, colors.size];
    """
    )
    assert found == [["cat", "Thing 2", "Thing 3"], "Thing 3", 3]


def test_no_two_things_get_the_same_name(run):
    found = run(
        BEGUN
        + """
        prompt = things.change(prompt, prompt.id, { name: 'thing 2' });
        prompt = things.add(prompt);
        return names();
    """
    )
    assert found == ["thing 2", "Thing 3"]


def test_choosing_moving_and_removing_keep_all_others_as_they_are(run):
    found = run(
        BEGUN
        + """
        prompt = things.add(things.add(prompt));
        const [first, second, third] = things.all(prompt).map(({ id }) => id);
        const seen = [];
        const short = (name) => name.at(-1);
        const note = () => seen.push([names().map(short).join(''), short(prompt.name)]);
        prompt = things.choose(prompt, first); note();
        prompt = things.move(prompt, first, 1); note();
        prompt = things.move(prompt, third, -9); note();
        prompt = things.remove(prompt, second); note();
        prompt = things.remove(prompt, first); note();
        prompt = things.remove(prompt, third); note();
        return seen;
    """
    )
    assert found == [
        ["123", "1"],
        ["213", "1"],
        ["321", "1"],
        ["31", "1"],
        ["3", "3"],
        ["3", "3"],
    ]


CLICKS = st.lists(
    st.builds(Click, st.integers(0, 3), st.just(0.25), st.just(0.5), st.booleans()), max_size=4
)


@settings(max_examples=30)
@given(st.lists(CLICKS, min_size=1, max_size=4), st.booleans())
def test_both_sides_know_a_thing_by_the_same_clicks(run, lists, exclusive):
    made = [Thing(str(number), tuple(clicks)) for number, clicks in enumerate(lists)]
    found = run(
        BEGUN
        + """
        const made = input.lists.map((clicks, index) => ({ ...prompt, id: index + 1, clicks }));
        prompt = { ...made[0], above: [], below: made.slice(1), exclusive: input.exclusive };
        return made.map(({ id }) => things.clicksOf(prompt, id));
        """,
        {
            "lists": [[vars(click) for click in clicks] for clicks in lists],
            "exclusive": exclusive,
        },
    )
    expected = [clicks_of(made, index, exclusive=exclusive) for index in range(len(made))]
    assert found == json.loads(json.dumps([[vars(one) for one in each] for each in expected]))
