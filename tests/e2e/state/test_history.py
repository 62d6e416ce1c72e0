from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_a_history_begins_with_nothing_to_undo_or_redo(run):
    history = run("return (await import('/state/history.js')).start('only')")
    assert history == {"past": [], "present": "only", "future": []}


def test_undo_and_redo_have_no_limit(run):
    seen = run("""
        const { start, commit, undo, redo } = await import('/state/history.js');
        let history = start(0);
        for (let i = 1; i <= 3000; i += 1) history = commit(history, i);
        for (let i = 0; i < 3000; i += 1) history = undo(history);
        const first = history.present;
        for (let i = 0; i < 3000; i += 1) history = redo(history);
        return [first, history.present];
    """)
    assert seen == [0, 3000]


def test_a_drag_is_one_entry_however_many_steps_it_had(run):
    history = run("""
        const { start, commit, preview, settle, undo, redo } = await import('/state/history.js');
        let history = commit(start('a'), 'b');
        const before = history.present;
        for (const step of ['c', 'd', 'e']) history = preview(history, step);
        const settled = settle(history, before);
        const undone = undo(settled);
        return { settled, undone, again: redo(undone) };
    """)
    assert history["settled"] == {"past": ["a", "b"], "present": "e", "future": []}
    assert history["undone"] == {"past": ["a"], "present": "b", "future": ["e"]}
    assert history["again"] == history["settled"]


def test_no_history_is_changed_in_place(run):
    frozen = run("""
        const { start, commit, preview, settle, undo, redo } = await import('/state/history.js');
        const freeze = (history) => {
          Object.values(history).forEach(Object.freeze);
          return Object.freeze(history);
        };
        let history = freeze(start('a'));
        for (const step of [
          (h) => commit(h, 'b'), undo, redo, (h) => preview(h, 'c'), (h) => settle(h, 'b'), undo,
        ]) history = freeze(step(history));
        return history;
    """)
    assert frozen == {"past": ["a"], "present": "b", "future": ["c"]}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(["commit", "drag", "undo", "redo"]), max_size=25))
def test_any_course_of_a_history_is_that_of_two_stacks(run, steps):
    past, present, future = [], 0, []
    for number, step in enumerate(steps, start=1):
        if step in ("commit", "drag"):
            past, present, future = [*past, present], number, []
        elif step == "undo" and past:
            past, present, future = past[:-1], past[-1], [present, *future]
        elif step == "redo" and future:
            past, present, future = [*past, present], future[0], future[1:]
    history = run(
        """
        const { start, commit, preview, settle, undo, redo } = await import('/state/history.js');
        const steps = {
          commit: commit,
          drag: (h, number) => settle(preview(preview(h, -1), number), h.present),
          undo, redo,
        };
        return input.reduce((h, step, index) => steps[step](h, index + 1), start(0));
        """,
        steps,
    )
    assert history == {"past": past, "present": present, "future": future}


def test_the_newest_of_what_can_be_undone_is_kept_as_far_as_there_is_room(run):
    found = run(
        """
        const { latest } = await import('/state/history.js');
        const history = { past: [1, 2, 3, 4], present: 5, future: [6, 7] };
        return [1000, 26, 13, 9, 4, 0].map((most) => latest(history, (size) => size, most));
        """
    )
    assert [(kept["past"], kept["future"]) for kept in found] == [
        ([1, 2, 3, 4], [6, 7]),
        ([1, 2, 3, 4], [6]),
        ([2, 3, 4], []),
        ([3, 4], []),
        ([], []),
        ([], []),
    ]
    assert {kept["present"] for kept in found} == {5}
