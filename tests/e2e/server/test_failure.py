from __future__ import annotations

FAILURE = """
    const { receiveFailure } = await import('/server/failure.js');
    const { initialLook } = await import('/state/look.js');
    const { initialState } = await import('/state/state.js');
    const { createStore } = await import('/state/store.js');
    const manifest = { session: 'one', images: [{ name: 'a.jpg', width: 2, height: 1 }] };
    const store = createStore({ ...initialState(initialLook()), manifest });
    const gone = { seq: 1, error: 'gone', message: 'It is gone.' };
"""


def test_a_set_that_is_gone_is_said_to_be(run):
    found = run(f"""{FAILURE}
        await receiveFailure(store, gone);
        return store.get().trouble.gone;
    """)
    assert found["images"] == [{"name": "a.jpg", "width": 2, "height": 1}]
    assert found["restarted"] is False


def test_what_was_gone_before_another_set_came_is_not_said_of_that(run):
    """As of edges that were asked for together with the masks which found it out first."""
    found = run(f"""{FAILURE}
        const late = receiveFailure(store, gone);
        store.set({{ manifest: {{ ...manifest, session: 'two' }} }});
        await late;
        return store.get().trouble.gone;
    """)
    assert found is None
