"""The server's answers in the page's state."""

from __future__ import annotations

import numpy as np
import pytest

from pointprompt.server import wire

# A set of two images of two tokens; requests are answered, or fail, when told to.
MASKS = """
    const { createMasks } = await import('/server/masks.js');
    const { open } = await import('/state/opening.js');
    const { initialLook } = await import('/state/look.js');
    const { initialState } = await import('/state/state.js');
    const { createStore } = await import('/state/store.js');
    const image = { name: 'a.jpg', width: 2, height: 1, remark: '', tile: '' };
    const manifest = { session: 'one', ticket: '', joins: '', grid: [1, 2], eigvecs: 2,
                       outlines: ['photo', 'tokens'], colors: '', images: [image, image] };
    const store = createStore(initialState(initialLook()));
    const sent = [], answers = [], downloads = [];
    const masks = createMasks(store, {
      predict: (request) => {
        sent.push(request);
        return new Promise((resolve) => answers.push(resolve));
      },
      download: (request) => downloads.push(request),
    });
    const openSet = (changes) =>
      store.set(open(store.get(), { ...manifest, ...changes }, null));
    const click = (x) => {
      const { history } = store.get();
      const clicks = [{ image: 0, x, y: 0, positive: true }];
      store.set({ history: { ...history, present: { ...history.present, clicks } } });
    };
    // After an answer has been decoded, which takes some turns of the browser's own.
    const until = async (isSo) => {
      while (!isSo()) await new Promise((done) => setTimeout(done, 0));
    };
    const answer = (index, presence) =>
      answers[index]({ seq: sent[index].seq, masks: input, presence });
    const plain = ({ seq, masks, presence, edged }) =>
      ({ seq, presence, edged, masks: masks.map((mask) => [...mask]) });
"""
ENCODED = wire.encode_masks(np.array([[[True, False]], [[False, False]]]))
ANSWER = {"presence": [0.9, 0.1], "edged": [], "masks": [[1, 0], [0, 0]]}


@pytest.fixture
def state(run):
    return lambda body: run(MASKS + body, ENCODED)


def test_an_answer_replaces_what_the_server_said_before_whole(state):
    seen = state("""
        openSet({});
        click(0.1);
        answer(0, []);
        await until(() => sent.length === 2);
        const old = { seq: 1, masks: ['old'], presence: [], edged: ['old'], keys: () => 'old' };
        store.set({ answer: old });
        answer(1, [0.9, 0.1]);
        await until(() => store.get().answer.seq === 2);
        return plain(store.get().answer);
    """)
    assert seen == {"seq": 2, **ANSWER, "edged": [None]}


def test_an_answer_with_an_older_number_is_dropped(state):
    seen = state("""
        openSet({});
        const newer = { seq: 7, masks: [], presence: [], edged: [], keys: () => '' };
        store.set({ answer: newer });
        click(0.1);
        answer(0, [0.9, 0.1]);
        await until(() => sent.length === 2);
        return [store.get().answer, newer];
    """)
    assert seen[0] == seen[1]


def test_an_answer_of_another_set_changes_nothing(state):
    seen = state("""
        openSet({});
        openSet({ session: 'two' });
        answer(0, [0.5, 0.5]);
        await until(() => sent.length === 2);
        const before = store.get().answer.seq;
        answer(1, []);
        await until(() => store.get().answer.seq === 2);
        return [before, sent.map(({ session, seq }) => [session, seq])];
    """)
    assert seen == [0, [["one", 1], ["two", 2]]]


def test_a_download_waits_until_the_newest_prompt_is_answered(state):
    seen = state("""
        openSet({});
        click(0.1);
        store.set({ exporting: true });
        answer(0, []);
        await until(() => sent.length === 2);
        const before = downloads.length;
        answer(1, [0.9, 0.1]);
        await until(() => downloads.length === 1);
        const [{ seq, things }] = downloads;
        return [before, seq, things[0].clicks.length, store.get().exporting];
    """)
    assert seen == [0, 2, 1, False]


def test_a_filter_and_an_order_from_before_a_reload_wait_for_the_first_masks(state):
    seen = state("""
        store.set({ look: { ...store.get().look, filter: 'found', order: 'presence' } });
        openSet({});
        const arranged = [store.get().arranged];
        answer(0, []);
        click(0.1);
        await until(() => sent.length === 2);
        arranged.push(store.get().arranged);
        answer(1, [0.9, 0.1]);
        await until(() => store.get().answer.seq === 2);
        arranged.push(store.get().arranged);
        // Another answer moves nothing.
        click(0.2);
        await until(() => sent.length === 3);
        answer(2, [0.1, 0.9]);
        await until(() => store.get().answer.seq === 3);
        return [...arranged, store.get().arranged];
    """)
    assert seen == [None, None, [0], [0]]


def test_after_destroy_nothing_is_asked_and_no_answer_changes_anything(state):
    seen = state("""
        openSet({});
        masks.destroy();
        const before = store.get();
        answer(0, [0.9, 0.1]);
        await new Promise((done) => setTimeout(done, 20));
        const same = store.get() === before;
        click(0.1);
        return [same, sent.length];
    """)
    assert seen == [True, 1]


def test_edges_of_images_about_which_the_same_is_asked_stay(state):
    """As of locked ones, whatever is clicked elsewhere."""
    found = state("""
        const { NO_ANSWER, stillRight } = await import('/state/state.js');
        const { askedOfEach } = await import('/state/messages.js');
        const lock = { images: [1], clicks: [], settings: {} };
        const before = askedOfEach({ clicks: [1], settings: {}, locks: [lock] });
        const now = askedOfEach({ clicks: [2], settings: {}, locks: [lock] });
        const unlocked = askedOfEach({ clicks: [2], settings: {}, locks: [] });
        const edged = ['first', 'second'];
        return [now, unlocked, before].map((keys) => stillRight({ keys: before, edged }, keys))
          .map((list) => list.map((one) => one ?? null));
    """)
    assert found == [[None, "second"], [None, None], ["first", "second"]]


def test_what_changes_nothing_about_masks_asks_for_none(state):
    found = state("""
        openSet({});
        click(0.1);
        const before = sent.length;
        const { history } = store.get();
        const stroke = { image: 0, adds: true, radius: 0.1, points: [[0, 0]] };
        for (const changes of [{ strokes: [stroke] }, { name: 'cat' }, { skipped: [1] }]) {
          store.set({ history: { ...history, present: { ...history.present, ...changes } } });
        }
        const asked = store.get().asked;
        click(0.2);
        return [before, sent.length, asked, store.get().asked];
    """)
    # One request at a time: the newest waits for the answer to the first.
    assert found[0] == found[1]
    assert found[3] == found[2] + 1
