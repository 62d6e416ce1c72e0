from __future__ import annotations

import base64

# A prompt file that is refused, opened as the body of `input` says.
PROMPTS = """
    const { createPrompts } = await import('/server/prompts.js');
    const { createActions } = await import('/state/actions.js');
    const { initialLook } = await import('/state/look.js');
    const { initialState, troubled } = await import('/state/state.js');
    const { createStore } = await import('/state/store.js');
    const manifest = { session: 'one', images: [{ name: 'a.jpg', width: 2, height: 1 }] };
    const store = createStore({ ...initialState(initialLook()), manifest });
    const actions = createActions(store);
    const refused = { seq: 0, error: 'invalid', message: 'The prompt file is not JSON.' };
    let answer = () => refused;
    const applied = [];
    const { open, destroy } = createPrompts(store, {
      ask: async () => answer(), apply: (request) => applied.push(request), actions,
    });
    const said = () => store.get().trouble.told;
    const file = new File(['{'], 'prompt.json');
"""


def test_why_a_file_was_not_opened_stays_said_when_masks_are_answered(run):
    """As of the click before it, which a busy server answers later than the file."""
    found = run(f"""{PROMPTS}
        await open(file);
        store.set(troubled(store.get(), {{ refused: '' }}));
        return said();
    """)
    assert found == "The prompt file is not JSON."


def test_the_next_change_ends_what_was_said_of_a_file(run):
    found = run(f"""{PROMPTS}
        await open(file);
        actions.addThing();
        return said();
    """)
    assert found == ""


def test_a_file_is_answered_though_the_same_set_was_received_anew_meanwhile(run):
    found = run(f"""{PROMPTS}
        answer = () => {{ store.set({{ manifest: {{ ...manifest }} }}); return refused; }};
        await open(file);
        return said();
    """)
    assert found == "The prompt file is not JSON."


def test_nothing_is_said_of_a_file_once_another_set_is_open(run):
    found = run(f"""{PROMPTS}
        const other = {{ ...manifest, session: 'two' }};
        answer = () => {{ store.set({{ manifest: other }}); return refused; }};
        await open(file);
        return said();
    """)
    assert found == ""


def test_a_server_that_does_not_answer_is_said(run):
    found = run(f"""{PROMPTS}
        answer = () => {{ throw new Error('lost'); }};
        await open(file);
        return said();
    """)
    assert found == "The server did not answer: the prompt file was not opened. Try again."


def test_a_recipe_goes_to_the_server_as_its_bytes_are(run):
    found = run(f"""{PROMPTS}
        const bytes = Uint8Array.from({{ length: 70000 }}, (_, index) => index % 251);
        await open(new File([bytes], 'Cat.SafeTensors'));
        return [applied, said()];
    """)
    data = base64.b64encode(bytes(index % 251 for index in range(70000))).decode()
    assert found == [[{"session": "one", "data": data}], ""]


def test_a_recipe_that_no_message_can_hold_is_for_the_command_line(run):
    found = run(f"""{PROMPTS}
        await open(new File([new Uint8Array(7 << 20)], 'cat.safetensors'));
        return [applied.length, said()];
    """)
    assert found == [
        0,
        "This recipe is too large for the page. From the command line it opens: "
        "pointprompt apply RECIPE FOLDER.",
    ]
