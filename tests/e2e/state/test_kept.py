from __future__ import annotations

import pytest

from tests.e2e.modules import open_tab

STATE = """
    const { keep, kept } = await import('/state/kept.js');
    const prompt = (...images) => ({
      clicks: images.map((image) => ({ image, x: 0.5, y: 0.5, positive: true })), settings: {},
    });
    const state = {
      server: 's', images: [{ name: 'a', width: 3, height: 4 }], look: { view: 'both' },
      history: { past: [prompt()], present: prompt(0), future: [prompt(0, 0)] },
    };
    sessionStorage.clear();
    history.replaceState(null, '');
    const refuse = (name) => {
      const before = Storage.prototype[name];
      Storage.prototype[name] = () => { throw new DOMException('denied', 'SecurityError'); };
      return () => { Storage.prototype[name] = before; };
    };
"""


def test_what_is_kept_comes_back_whole(run):
    seen = run(f"{STATE} const before = kept(); return [before, keep(state), kept(), state];")
    assert seen[:2] == [None, True]
    assert seen[2] == seen[3]


def test_where_storage_is_blocked_as_in_a_frame_the_history_entry_keeps_it(context):
    tab = open_tab(context)
    blocked = "const allow = [refuse('getItem'), refuse('setItem')];"
    # Beside whatever else is there.
    body = "history.replaceState({ other: 1 }, '');"
    then = "return [keep(state), history.state.other, state];"
    seen = tab.evaluate(f"async () => {{ {STATE} {blocked} {body} {then} }}")
    assert seen[:2] == [True, 1]
    tab.reload()
    kept = tab.evaluate("async () => (await import('/state/kept.js')).kept()")
    assert kept == seen[2]
    tab.close()


def test_what_can_be_undone_is_left_out_where_it_does_not_fit(run):
    seen = run(f"""{STATE}
        const long = {{ clicks: new Array(200000).fill(prompt(0).clicks[0]), settings: {{}} }};
        const fits = keep({{ ...state, history: {{ ...state.history, past: [long] }} }});
        return [fits, kept(), state];
    """)
    fits, kept, state = seen
    assert fits is True
    assert kept == {**state, "history": {**state["history"], "past": [], "future": []}}


@pytest.mark.parametrize(
    "text",
    [
        "{ broken",
        "null",
        "7",
        "[]",
        "{}",
        '{"images": [], "history": {}}',
        '{"images": {}, "history": {"past": [], "present": {"clicks": []}, "future": []}}',
        '{"images": [], "history": {"past": [7], "present": {"clicks": []}, "future": []}}',
        '{"images": [], "history": {"past": [], "present": {"clicks": 1}, "future": []}}',
    ],
)
def test_what_was_kept_and_is_damaged_is_as_good_as_nothing(run, text):
    seen = run(
        f"{STATE} sessionStorage.setItem('pointprompt-kept', input); return kept();",
        text,
    )
    assert seen is None
