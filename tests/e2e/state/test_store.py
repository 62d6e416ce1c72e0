from __future__ import annotations

STORE = """
    const { createStore } = await import('/state/store.js');
    const store = createStore(Object.freeze({ left: 1, right: 2 }));
    const told = [];
    const tell = (...parts) => told.push(parts);
"""


def test_what_is_set_takes_the_place_of_its_part_and_of_no_other(run):
    seen = run(f"""{STORE}
        const before = store.get();
        store.set({{ left: 5 }});
        return [before, store.get()];
    """)
    assert seen == [{"left": 1, "right": 2}, {"left": 5, "right": 2}]


def test_a_subscriber_is_told_now_and_at_each_change_of_what_it_selects(run):
    told = run(f"""{STORE}
        store.subscribe(({{ left }}) => [left], tell);
        const course = [{{ right: 9 }}, {{ left: 1 }}, {{ left: 3 }}, {{ left: 3, right: 4 }}];
        course.forEach(store.set);
        return told;
    """)
    assert told == [[1], [3]]


def test_whoever_has_unsubscribed_is_told_nothing_even_of_a_change_under_way(run):
    told = run(f"""{STORE}
        store.subscribe(({{ left }}) => [left], (left) => {{ if (left === 3) unsubscribe(); }});
        const unsubscribe = store.subscribe(({{ left }}) => [left], tell);
        store.set({{ left: 2 }});
        store.set({{ left: 3 }});
        store.set({{ left: 4 }});
        return told;
    """)
    assert told == [[1], [2]]


def test_a_change_made_while_telling_is_told_to_all_and_nothing_is_told_twice(run):
    told = run(f"""{STORE}
        // What follows from the left is the right.
        store.subscribe(({{ left }}) => [left], (left) => store.set({{ right: 10 * left }}));
        store.subscribe(({{ left, right }}) => [left, right], tell);
        store.set({{ left: 2 }});
        return told;
    """)
    assert told == [[1, 10], [2, 20]]
