"""Which tiles stand, and in which order."""

from __future__ import annotations

import pytest

# Six images: two found, one of them clicked; one with a speck; three empty.
STATE = """
    const { arrangement, isOutdated, standing, passing, UNSURE } =
      await import('/state/arrangement.js');
    const { initialLook } = await import('/state/look.js');
    const { initialState, NO_ANSWER } = await import('/state/state.js');
    const mask = (covered) => new Uint8Array(4096).fill(1, 0, covered);
    const image = { name: 'a.jpg', width: 1, height: 1, remark: '', tile: '' };
    const empty = { ...initialState(initialLook()),
                    manifest: { images: new Array(6).fill(image) } };
    const clicks = [{ image: 1, x: 0, y: 0, positive: true }];
    const history = { ...empty.history, present: { ...empty.history.present, clicks } };
    const answer = { ...NO_ANSWER, seq: 1, masks: [0, 4096, 1, 100, 0, 0].map(mask),
                     presence: [0.1, 0.98, 0.3, 0.7, 0.29, 0.71] };
    const state = { ...empty, history, answer };
    const looked = (look, of = state) => ({ ...of, look: { ...of.look, ...look } });
"""


@pytest.mark.parametrize(
    ("chosen", "images"),
    [
        ("all", [0, 1, 2, 3, 4, 5]),
        ("clicked", [1]),
        ("found", [1, 3]),
        ("unsure", [2, 3]),
        ("empty", [0, 2, 4, 5]),
        ("of another version", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_a_filter_leaves_those_that_pass_it(run, chosen, images):
    found = run(
        f"{STATE} return [passing(state, input), arrangement(looked({{ filter: input }}))];", chosen
    )
    assert found == [images, images]


def test_best_first_orders_those_that_pass(run):
    found = run(f"{STATE} return arrangement(looked({{ filter: 'empty', order: 'presence' }}));")
    assert found == [5, 2, 4, 0]


def test_without_masks_none_is_found_unsure_or_empty(run):
    found = run(f"""{STATE}
        return ['all', 'clicked', 'found', 'unsure', 'empty'].map((f) => passing(empty, f).length);
    """)
    assert found == [6, 0, 0, 0, 0]


def test_what_stands_is_outdated_once_it_would_be_another(run):
    found = run(f"""{STATE}
        const found = looked({{ filter: 'found' }});
        const given = looked({{ order: 'presence' }}, empty);
        return [state, found, {{ ...found, arranged: [1, 3] }}, {{ ...found, arranged: [3, 1] }},
                given, looked({{ order: 'presence' }})].map(isOutdated);
    """)
    assert found == [False, True, False, True, False, True]


def test_the_unsure_are_around_the_middle(run):
    low, high = run(f"{STATE} return UNSURE;")
    assert low < 0.5 < high
    assert low + high == pytest.approx(1)
