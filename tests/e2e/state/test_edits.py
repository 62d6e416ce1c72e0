from __future__ import annotations

EDITS = """
    const edits = await import('/state/edits.js');
    const click = (image) => ({ image, x: 0.5, y: 0.5, positive: true });
    const stroke = (image, adds = true) => ({ image, adds, radius: 0.1, points: [[0.5, 0.5]] });
    const said = (threshold) => ({ clicks: [click(0)], settings: { threshold } });
"""


def test_images_locked_alike_are_in_one_lock_and_each_in_one_alone(run):
    found = run(f"""{EDITS}
        let locks = edits.locked([], 1, said(0.5));
        locks = edits.locked(locks, 2, said(0.5));
        locks = edits.locked(locks, 0, said(0.7));
        const moved = edits.locked(locks, 1, said(0.7));
        const images = (list) => list.map((lock) => lock.images);
        return [images(locks), images(moved), images(edits.unlocked(moved, 2)),
          edits.isLocked({{ locks }}, 2), edits.isLocked({{ locks }}, 3)];
    """)
    assert found == [[[1, 2], [0]], [[2], [0, 1]], [[0, 1]], True, False]


def test_edits_go_with_their_images_and_end_with_them(run):
    found = run(f"""{EDITS}
        const lock = {{ images: [0, 2], clicks: [click(1), click(2)], settings: {{}} }};
        const gone = {{ images: [1], clicks: [click(0)], settings: {{}} }};
        const marks = {{ clicks: [click(0), click(1)], strokes: [stroke(1), stroke(2)] }};
        const thing = {{ ...marks, locks: [lock, gone] }};
        const {{ clicks, strokes, locks }} = edits.move(thing, [2, -1, 0]);
        return [clicks.map((one) => one.image), strokes.map((one) => one.image),
          locks.map(({{ images, clicks: of }}) => [images, of.map((one) => one.image)]),
          edits.moveAll([0, 1, 2], [2, -1, 0])];
    """)
    assert found == [[2], [0], [[[2, 0], [0]]], [2, 0]]


def test_a_thing_is_blank_without_clicks_strokes_and_locks(run):
    found = run(f"""{EDITS}
        const settings = {{ rule: 'joint', joint: {{ concept: '' }} }};
        const blank = {{ clicks: [], settings, strokes: [], locks: [] }};
        const ofRecipe = {{ ...settings, joint: {{ concept: 'one' }} }};
        return [blank, {{ ...blank, clicks: [click(0)] }}, {{ ...blank, strokes: [stroke(0)] }},
          {{ ...blank, locks: [1] }}, {{ ...blank, settings: ofRecipe }},
          {{ ...blank, settings: {{ ...ofRecipe, rule: 'tutorial' }} }},
        ].map((thing) => [edits.isBlank(thing), edits.isAsked(thing)]);
    """)
    assert found == [
        [True, False],
        [False, True],
        [False, False],
        [False, True],
        [False, True],
        [True, False],
    ]
