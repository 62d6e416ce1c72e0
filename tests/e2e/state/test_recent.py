from __future__ import annotations

BEGUN = """
    const recent = await import('/state/recent.js');
    const { initialState } = await import('/state/state.js');
    const { initialLook } = await import('/state/look.js');
    localStorage.clear();
    const stateOf = (name, recall, clicks = []) => {
      const state = initialState(initialLook());
      const images = ['a.jpg', name].map((one) => ({ name: one, width: 4, height: 3 }));
      const present = { ...state.history.present, clicks };
      return { ...state, manifest: { recall, images }, history: { ...state.history, present } };
    };
    const CLICK = { image: 0, x: 0.5, y: 0.5, positive: true };
    const names = () => recent.recents().map(({ images }) => images[1].name);
"""


def test_the_newest_comes_first_and_each_set_once(run):
    found = run(
        BEGUN
        + """
        recent.noteRecent(stateOf('b', 'one'), 1);
        recent.noteRecent(stateOf('c', 'two'), 2);
        recent.noteRecent(stateOf('b', 'one', [CLICK]), 3);
        return [names(), recent.described(recent.recents()[0])];
    """
    )
    assert found == [["b", "c"], "a.jpg and 1 more, 1 click"]


def test_what_is_not_stored_is_not_promised(run):
    found = run(
        BEGUN
        + """
        recent.noteRecent(stateOf('b', ''), 1);
        return names();
    """
    )
    assert found == []


def test_one_can_be_left_out_and_the_oldest_goes_by_itself(run):
    found = run(
        BEGUN
        + """
        for (let number = 0; number < 15; number += 1) {
          recent.noteRecent(stateOf(String(number), `set ${number}`), number);
        }
        const before = names();
        recent.forgetRecent('set 13');
        return [before, names()];
    """
    )
    newest = [str(number) for number in range(14, 2, -1)]
    assert found == [newest, [name for name in newest if name != "13"]]


def test_storage_that_is_full_keeps_the_newest(run):
    found = run(
        BEGUN
        + """
        const long = new Array(30_000).fill(CLICK);
        for (const name of 'bcdef') recent.noteRecent(stateOf(name, name, long), 1);
        return names();
    """
    )
    assert found[0] == "f"
    assert len(found) < 5


def test_what_others_have_written_there_is_no_set(run):
    found = run(
        BEGUN
        + """
        const seen = [];
        for (const text of ['{', '3', '[3, null, {"recall": "x", "images": []}]']) {
          localStorage.setItem('pointprompt-recent', text);
          seen.push(names());
        }
        return seen;
    """
    )
    assert found == [[], [], []]
