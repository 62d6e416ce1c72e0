from __future__ import annotations

from tests.e2e.modules import open_tab


def test_what_is_remembered_is_recalled_until_it_is_forgotten(run):
    seen = run("""
        const { remember, recall, forget } = await import('/state/memory.js');
        const state = { session: 'token', prompt: { clicks: [{ image: 0 }], settings: null } };
        const seen = [recall()];
        remember(state);
        seen.push(recall());
        remember({ session: 'other' });
        seen.push(recall());
        forget();
        seen.push(recall());
        return seen;
    """)
    state = {"session": "token", "prompt": {"clicks": [{"image": 0}], "settings": None}}
    assert seen == [None, state, {"session": "other"}, None]


def test_memory_survives_a_reload_and_never_reaches_another_tab(context):
    tab, other = open_tab(context), open_tab(context)
    tab.evaluate("async () => (await import('/state/memory.js')).remember({ session: 'token' })")
    tab.reload()
    recall = "async () => (await import('/state/memory.js')).recall()"
    assert tab.evaluate(recall) == {"session": "token"}
    assert other.evaluate(recall) is None
    tab.close()
    other.close()


def test_a_page_without_storage_works_without_memory(context):
    tab = open_tab(context)
    seen = tab.evaluate("""async () => {
        const { remember, recall, forget } = await import('/state/memory.js');
        sessionStorage.setItem('pointprompt', '{ broken');
        const seen = [recall()];
        for (const name of ['getItem', 'setItem', 'removeItem']) {
          Storage.prototype[name] = () => { throw new Error('denied'); };
        }
        remember({ session: 'token' });
        forget();
        seen.push(recall());
        return seen;
    }""")
    assert seen == [None, None]
    tab.close()
