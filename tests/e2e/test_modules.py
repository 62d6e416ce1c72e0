"""The page's JavaScript modules, each by itself, as real modules in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, BrowserContext, Error, Route
from playwright.sync_api import Page as Tab

from pointprompt.analysis.analysis import Analysis
from pointprompt.server import parsing, wire
from pointprompt.settings import RULES, JointRule, Settings, TutorialRule
from pointprompt.types import BackboneChoice, Click, Photo, TokenPrediction
from pointprompt.ui.canvas import STATIC

ORIGIN = "http://modules.test"

Run = Callable[..., Any]


def serve(route: Route) -> None:
    """The page's own files and an empty document, from no server."""
    name = route.request.url.removeprefix(ORIGIN).strip("/")
    file = STATIC / name
    if name == "":
        route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")
    elif file.suffix == ".js" and file.is_file():
        route.fulfill(body=file.read_text(encoding="utf-8"), content_type="text/javascript")
    else:
        route.fulfill(status=404)


def open_tab(context: BrowserContext) -> Tab:
    tab = context.new_page()
    tab.goto(ORIGIN)
    return tab


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 900, "height": 700}, device_scale_factor=2)
    context.route(f"{ORIGIN}/**", serve)
    yield context
    context.close()


@pytest.fixture(scope="module")
def run(context: BrowserContext) -> Run:
    """Runs a function's body; it may await, and takes `input`."""
    tab = open_tab(context)

    def run_body(body: str, value: object = None) -> Any:
        return tab.evaluate(f"async (input) => {{ {body} }}", value)

    return run_body


# History


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


# Clicks


@pytest.mark.parametrize("x", [-3, -1e-9, 0, 0.5, 0.999999999, 1, 1.0000001, 7])
def test_a_click_anywhere_near_an_edge_is_one_the_server_takes(run, x):
    made = run("return (await import('/state/clicks.js')).clickAt(2, input, input, true)", x)
    click = Click(**made)
    assert np.float32(click.x) < 1
    assert click.x == click.y == pytest.approx(min(max(x, 0), 1), abs=1e-6)


def test_clicks_are_added_and_removed_without_changing_the_list(run):
    lists = run("""
        const { add, removeAt } = await import('/state/clicks.js');
        const clicks = Object.freeze(['a', 'b', 'c']);
        return [add(clicks, 'd'), removeAt(clicks, 1), removeAt(clicks, -1), clicks];
    """)
    assert lists == [
        ["a", "b", "c", "d"],
        ["a", "c"],
        ["a", "b", "c"],
        ["a", "b", "c"],
    ]


@pytest.mark.parametrize(
    ("dx", "dy", "index"),
    [(0, 0, 0), (9, 0, 0), (0, -9, 0), (6, 6, 0), (9.1, 0, -1), (0, 9.1, -1), (6.5, 6.5, -1)],
)
def test_a_click_is_hit_within_its_radius_in_pixels_of_the_tile(run, dx, dy, index):
    # A tile of 400 x 100 pixels: the same share is four times as far across as down.
    found = run(
        """
        const { hit } = await import('/state/clicks.js');
        const clicks = [{ image: 3, x: 0.5, y: 0.5, positive: true }];
        return hit(clicks, 3, 0.5 + input[0] / 400, 0.5 + input[1] / 100, 400, 100, 9);
        """,
        [dx, dy],
    )
    assert found == index


def test_the_nearest_click_of_the_same_image_is_hit(run):
    found = run("""
        const { hit } = await import('/state/clicks.js');
        const at = (image, x) => ({ image, x, y: 0.5, positive: true });
        const clicks = [at(0, 0.50), at(0, 0.54), at(1, 0.53), at(0, 0.9)];
        return [0.51, 0.53, 0.7, 0.9].map((x) => hit(clicks, 0, x, 0.5, 200, 200, 9));
    """)
    assert found == [0, 1, -1, 3]


def test_clicks_are_counted_by_their_kind(run):
    counts = run("""
        const { clickAt, count } = await import('/state/clicks.js');
        const clicks = [true, false, true].map((positive) => clickAt(0, 0.5, 0.5, positive));
        return [count(clicks), count([])];
    """)
    assert counts == [{"positive": 2, "negative": 1}, {"positive": 0, "negative": 0}]


# Codec


DECODE = """
    const { decodeMasks } = await import('/server/codec.js');
    const masks = await decodeMasks(...input);
    return masks.map((mask) => mask.join(''));
"""


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1), (1, 1, 7), (7, 1, 1), (2, 3, 3), (3, 5, 7), (5, 2, 4), (1, 64, 64), (100, 64, 64)],
)
def test_masks_come_through_to_the_bit(run, shape):
    masks = np.random.default_rng(sum(shape)).random(shape) > 0.5
    decoded = run(DECODE, [wire.encode_masks(masks), *shape])
    expected = ["".join("01"[token] for token in mask.ravel().astype(int)) for mask in masks]
    assert decoded == expected


@pytest.mark.parametrize("filled", [True, False])
def test_full_and_empty_masks_come_through(run, filled):
    decoded = run(DECODE, [wire.encode_masks(np.full((3, 3, 5), filled)), 3, 3, 5])
    assert decoded == [str(int(filled)) * 15] * 3


@pytest.mark.parametrize("claimed", [(3, 4, 4), (2, 4, 5), (1, 4, 4)])
def test_masks_of_another_size_are_an_error(run, claimed):
    with pytest.raises(Error, match="do not fit"):
        run(DECODE, [wire.encode_masks(np.ones((2, 4, 4), bool)), *claimed])


@pytest.mark.parametrize("text", ["", "not base64!", "aGVsbG8=", "eJz7/x8A"])
def test_what_is_no_mask_is_an_error(run, text):
    with pytest.raises(Error):
        run(DECODE, [text, 1, 4, 4])


# Link

# A server that answers when told to, and waiting that ends when told to.
LINK = """
    const { createLink } = await import('/server/link.js');
    // Of requests that are waited for in vain, and between two attempts.
    const patience = 12345;
    const sent = [], received = [], lost = [], waits = [], timers = [];
    const options = {
      send: (request) => new Promise((resolve, reject) => sent.push({ request, resolve, reject })),
      receive: (answer, request) => { received.push([answer.seq, request.click]); },
      lost: (attempts) => lost.push(attempts),
      wait: (milliseconds) => new Promise((done) => {
        (milliseconds === patience ? timers : waits).push({ milliseconds, done });
      }),
      patience,
    };
    const link = createLink(options);
    // After all that is ready to run has run.
    const settled = () => new Promise((done) => setTimeout(done, 0));
    const answer = async (index) => {
      sent[index].resolve({ seq: sent[index].request.seq });
      await settled();
    };
    const fail = async (index) => {
      sent[index].reject(new Error('unreachable'));
      await settled();
    };
    const expire = async (index) => {
      timers[index].done();
      await settled();
    };
    const retry = async (index) => {
      waits[index].done();
      await settled();
    };
"""


def test_five_quick_changes_on_a_slow_server_end_with_the_fifth(run):
    seen = run(f"""{LINK}
        const numbers = ['a', 'b', 'c', 'd', 'e'].map((click) => link.push({{ click }}));
        await settled();
        const whileWaiting = sent.length;
        await answer(0);
        await answer(1);
        return {{ numbers, whileWaiting, sent: sent.map(({{ request }}) => request),
                  received, busy: link.busy() }};
    """)
    assert seen["numbers"] == [1, 2, 3, 4, 5]
    assert seen["whileWaiting"] == 1
    assert seen["sent"] == [{"click": "a", "seq": 1}, {"click": "e", "seq": 5}]
    assert seen["received"] == [[1, "a"], [5, "e"]]
    assert seen["busy"] is False


def test_a_link_is_busy_until_its_answer_was_received(run):
    seen = run(f"""{LINK}
        const busy = [link.busy()];
        link.push({{ click: 'a' }});
        busy.push(link.busy());
        await answer(0);
        busy.push(link.busy());
        return busy;
    """)
    assert seen == [False, True, False]


def test_a_change_after_the_answer_is_sent_at_once(run):
    seen = run(f"""{LINK}
        link.push({{ click: 'a' }});
        await answer(0);
        link.push({{ click: 'b' }});
        await settled();
        return sent.map(({{ request }}) => request.seq);
    """)
    assert seen == [1, 2]


# What gradio's client gives for a request that was lost or refused, and answers to none of ours.
@pytest.mark.parametrize("answer", ["undefined", "null", "{ seq: 99 }", "{}", "'1'", "[]"])
def test_what_is_no_answer_to_the_request_is_a_lost_request(run, answer):
    seen = run(f"""{LINK}
        link.push({{ click: 'a' }});
        sent[0].resolve({answer});
        await settled();
        const before = {{ received: [...received], lost: [...lost], busy: link.busy() }};
        await retry(0);
        await answer(1);
        return {{ before, received, lost, sent: sent.map(({{ request }}) => request.seq) }};
    """)
    assert seen == {
        "before": {"received": [], "lost": [1], "busy": True},
        "received": [[1, "a"]],
        "lost": [1, 0],
        "sent": [1, 1],
    }


def test_a_request_that_is_never_answered_is_sent_again_and_a_late_answer_is_dropped(run):
    seen = run(f"""{LINK}
        link.push({{ click: 'a' }});
        await expire(0);
        const afterPatience = [...lost];
        link.push({{ click: 'b' }});
        await retry(0);
        await answer(0);
        const afterLate = [...received];
        await answer(1);
        return {{ afterPatience, afterLate, received, sent: sent.map((one) => one.request.seq) }};
    """)
    assert seen == {"afterPatience": [1], "afterLate": [], "received": [[2, "b"]], "sent": [1, 2]}


def test_patience_that_ends_after_the_answer_changes_nothing(run):
    seen = run(f"""{LINK}
        link.push({{ click: 'a' }});
        await answer(0);
        await expire(0);
        return {{ received, lost, sent: sent.length, busy: link.busy() }};
    """)
    assert seen == {"received": [[1, "a"]], "lost": [], "sent": 1, "busy": False}


def test_a_server_that_may_be_back_is_asked_at_once(run):
    seen = run(f"""{LINK}
        link.hurry();
        link.push({{ click: 'a' }});
        await fail(0);
        link.hurry();
        await settled();
        const afterHurry = sent.length;
        // The pause that was cut short must not end the next one.
        await fail(1);
        await retry(0);
        const afterOldPause = sent.length;
        link.hurry();
        link.hurry();
        await settled();
        await answer(2);
        return {{ afterHurry, afterOldPause, received, sent: sent.length }};
    """)
    assert seen == {"afterHurry": 2, "afterOldPause": 2, "received": [[1, "a"]], "sent": 3}


def test_the_newest_request_can_be_repeated_under_its_own_number(run):
    seen = run(f"""{LINK}
        link.repeat();
        link.push({{ click: 'a' }});
        // Its answer is still to come: that one will do.
        link.repeat();
        await answer(0);
        const once = sent.length;
        link.repeat();
        link.push({{ click: 'b' }});
        await answer(1);
        await answer(2);
        return {{ once, received, sent: sent.map(({{ request }}) => request.seq) }};
    """)
    assert seen == {"once": 1, "received": [[1, "a"], [1, "a"], [2, "b"]], "sent": [1, 1, 2]}


def test_a_request_that_fails_is_sent_again_after_longer_and_longer_waits(run):
    seen = run(f"""{LINK}
        link.push({{ click: 'a' }});
        for (let attempt = 0; attempt < 7; attempt += 1) {{
          await fail(attempt);
          await retry(attempt);
        }}
        await answer(7);
        return {{ waits: waits.map(({{ milliseconds }}) => milliseconds), lost, received,
                  sent: sent.map(({{ request }}) => request.seq) }};
    """)
    assert seen["waits"] == [500, 1000, 2000, 4000, 5000, 5000, 5000]
    assert seen["sent"] == [1] * 8
    assert seen["lost"] == [1, 2, 3, 4, 5, 6, 7, 0]
    assert seen["received"] == [[1, "a"]]


def test_while_the_server_is_away_the_newest_change_takes_the_place_of_the_others(run):
    seen = run(f"""{LINK}
        link.push({{ click: 'a' }});
        await fail(0);
        link.push({{ click: 'b' }});
        link.push({{ click: 'c' }});
        await retry(0);
        await fail(1);
        await retry(1);
        await answer(2);
        return {{ sent: sent.map(({{ request }}) => request.click), lost, received,
                  waits: waits.map(({{ milliseconds }}) => milliseconds) }};
    """)
    assert seen["sent"] == ["a", "c", "c"]
    # The outage is one, though the request changed; and its end is told.
    assert seen["lost"] == [1, 2, 0]
    assert seen["waits"] == [500, 1000]
    assert seen["received"] == [[3, "c"]]


def test_a_server_that_is_back_is_told_though_the_request_has_changed(run):
    seen = run(f"""{LINK}
        link.push({{ click: 'a' }});
        await fail(0);
        link.push({{ click: 'b' }});
        await retry(0);
        await answer(1);
        return lost;
    """)
    assert seen == [1, 0]


def test_a_send_that_throws_is_a_failure_like_any_other(run):
    seen = run(f"""{LINK}
        let isFirst = true;
        const throwing = createLink({{ ...options, send: (request) => {{
          if (!isFirst) return options.send(request);
          isFirst = false;
          throw new Error('no connection');
        }} }});
        throwing.push({{ click: 'a' }});
        await settled();
        await retry(0);
        await answer(0);
        return received;
    """)
    assert seen == [[1, "a"]]


def test_an_answer_that_cannot_be_used_does_not_hold_up_the_changes_after_it(run):
    seen = run(f"""{LINK}
        const errors = [];
        window.addEventListener('error', (event) => {{
          errors.push(event.message);
          event.preventDefault();
        }}, {{ once: true }});
        const fragile = createLink({{ ...options, receive: async (answer) => {{
          if (answer.seq === 1) throw new Error('The masks do not fit.');
          received.push(answer.seq);
        }} }});
        fragile.push({{ click: 'a' }});
        fragile.push({{ click: 'b' }});
        await answer(0);
        await answer(1);
        return {{ received, errors, busy: fragile.busy() }};
    """)
    assert seen["received"] == [2]
    assert seen["busy"] is False
    assert len(seen["errors"]) == 1
    assert "The masks do not fit." in seen["errors"][0]


def test_a_slow_receiver_is_waited_for(run):
    seen = run(f"""{LINK}
        const done = [];
        const slow = createLink({{ ...options,
          receive: () => new Promise((resolve) => done.push(resolve)) }});
        slow.push({{ click: 'a' }});
        await answer(0);
        slow.push({{ click: 'b' }});
        await settled();
        const before = sent.length;
        done[0]();
        await settled();
        return [before, sent.length];
    """)
    assert seen == [1, 2]


# Edges

# Tiles that want edges, and a server that answers when told to.
EDGES = """
    const { createEdges } = await import('/server/edges.js');
    let wanted = [], atOnce = 4;
    const patience = 12345;
    const asked = [], answers = [], lost = [], waits = [];
    const edges = createEdges({
      missing: () => wanted,
      atOnce: () => atOnce,
      ask: (images) => new Promise((resolve, reject) => {
        asked.push(images);
        answers.push({ resolve, reject });
      }),
      show: (images) => { wanted = wanted.filter((image) => !images.includes(image)); },
      lost: (attempts) => lost.push(attempts),
      wait: (milliseconds) => new Promise((done) => {
        if (milliseconds !== patience) waits.push({ milliseconds, done });
      }),
      patience,
    });
    const settled = () => new Promise((done) => setTimeout(done, 0));
    const answer = async (index, images = asked[index]) => {
      answers[index].resolve(images);
      await settled();
    };
    const fail = async (index) => {
      answers[index].reject(new Error('unreachable'));
      await settled();
    };
    const retry = async (index) => {
      waits[index].done();
      await settled();
    };
    const want = async (images) => {
      wanted = images;
      edges.update();
      await settled();
    };
"""


def test_edges_are_asked_for_four_at_a_time_and_one_request_after_the_other(run):
    asked = run(f"""{EDGES}
        await want([0, 1, 2, 3, 4, 5, 6, 7, 8]);
        await want(wanted);
        const atFirst = asked.length;
        for (let index = 0; index < asked.length; index += 1) await answer(index);
        return [atFirst, asked, wanted];
    """)
    assert asked == [1, [[0, 1, 2, 3], [4, 5, 6, 7], [8]], []]


def test_as_many_are_asked_for_at_once_as_is_said_then(run):
    asked = run(f"""{EDGES}
        atOnce = 2;
        await want([0, 1, 2, 3]);
        atOnce = 1;
        for (let index = 0; index < asked.length; index += 1) await answer(index);
        return asked;
    """)
    assert asked == [[0, 1], [2], [3]]


def test_where_no_edges_are_wanted_none_are_asked_for(run):
    assert run(f"{EDGES} await want([]); return asked;") == []


def test_what_the_server_has_no_edges_for_is_not_asked_for_over_and_over(run):
    asked = run(f"""{EDGES}
        await want([3, 5]);
        await answer(0, []);
        const afterNothing = [...asked];
        // After the next change it may have them.
        await want([3, 5]);
        await answer(1);
        return [afterNothing, asked];
    """)
    assert asked == [[[3, 5]], [[3, 5], [3, 5]]]


def test_a_change_while_edges_are_awaited_asks_for_the_same_images_again(run):
    asked = run(f"""{EDGES}
        await want([0, 1]);
        await want([0, 1]);
        // The answer is stale: it shows nothing.
        await answer(0, []);
        await answer(1);
        return [asked, wanted];
    """)
    assert asked == [[[0, 1], [0, 1]], []]


def test_lost_edges_are_asked_for_until_they_come(run):
    seen = run(f"""{EDGES}
        await want([0, 1]);
        await fail(0);
        await retry(0);
        await fail(1);
        edges.hurry();
        await settled();
        await answer(2);
        return {{ asked, wanted, lost, waits: waits.map((one) => one.milliseconds) }};
    """)
    assert seen == {"asked": [[0, 1]] * 3, "wanted": [], "lost": [1, 2, 0], "waits": [500, 1000]}


def test_lost_edges_that_are_wanted_no_more_are_not_asked_for_and_not_missed(run):
    seen = run(f"""{EDGES}
        await want([0, 1]);
        await fail(0);
        await want([5]);
        await retry(0);
        await fail(1);
        await want([]);
        await retry(1);
        return {{ asked, lost }};
    """)
    assert seen == {"asked": [[0, 1], [5]], "lost": [1, 2, 0]}


def test_edges_that_cannot_be_shown_do_not_hold_up_the_others(run):
    asked = run(f"""{EDGES}
        const errors = [];
        window.addEventListener('error', (event) => {{
          errors.push(event.message);
          event.preventDefault();
        }}, {{ once: true }});
        await want([0]);
        await answer(0, {{}});
        await want([1]);
        await answer(1);
        return [asked, errors.length, wanted];
    """)
    assert asked == [[[0], [1]], 1, []]


# What was lost, in words


@pytest.mark.parametrize(
    ("restarted", "count", "total", "text"),
    [
        (
            True,
            3,
            3,
            "The server was restarted. Your 3 clicks are kept. To go on, choose the same 3 images "
            "again (0.jpg, 1.jpg, 2.jpg) and analyse.",
        ),
        (
            False,
            1,
            5,
            "This analysis is no longer in the server's memory. Your click is kept. To go on, "
            "choose the same 5 images again (0.jpg, 1.jpg, 2.jpg and 2 more) and analyse.",
        ),
        (
            True,
            0,
            1,
            "The server was restarted. To go on, choose the same image again (0.jpg) and analyse.",
        ),
    ],
)
def test_how_to_go_on_is_said_in_whole_sentences(run, restarted, count, total, text):
    given = {"restarted": restarted, "count": count}
    given["images"] = [{"name": f"{index}.jpg"} for index in range(total)]
    assert run("return (await import('/view/words.js')).goneText(input);", given) == text


@pytest.mark.parametrize(
    ("said", "is_sentence"),
    [
        ("There is no setting 'x'.", True),
        ("Why?", True),
        ("Traceback (most recent call last)", False),
        ("<html><body>502</body></html>", False),
        ("", False),
        (" .", False),
        (None, False),
        (7, False),
        ({"detail": "No."}, False),
    ],
)
def test_only_a_sentence_of_the_server_is_shown(run, said, is_sentence):
    shown = run("return (await import('/view/words.js')).sentence(input);", said)
    assert shown == (said if is_sentence else "The server could not do this.")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("HTTP 507: The server's disk is full.", "The server's disk is full."),
        ("HTTP 413: A file may have 200 MB at most.\n", "A file may have 200 MB at most."),
        ("HTTP 500: Internal Server Error", "The server could not take these files."),
        ("HTTP 502: <html><body>Bad gateway.</body></html>", "The server could not take these"),
        ("HTTP 500: ", "The server could not take these files."),
        ("Connection errored out. Failed to fetch", "The server could not be reached."),
        ("Something else", "Something else"),
    ],
)
def test_what_gradio_says_of_an_upload_is_put_in_words(run, said, shown):
    assert run("return (await import('/view/toasts.js')).inWords(input);", said).startswith(shown)


# The same images


@st.composite
def shuffles(draw):
    names = draw(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=6, unique=True))
    order = draw(st.permutations(range(len(names))))
    return names, order


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shuffles())
def test_the_same_images_are_found_in_any_order(run, shuffle):
    names, order = shuffle
    before = [{"name": name, "width": 3, "height": 4, "tile": "old"} for name in names]
    after = [{**before[index], "tile": "new"} for index in order]
    places = run("return (await import('/state/same.js')).sameImages(...input);", [before, after])
    assert [after[place]["name"] for place in places] == names


@pytest.mark.parametrize(
    "after",
    [
        [],
        [("a", 3, 4)],
        [("a", 3, 4), ("b", 3, 4), ("c", 3, 4)],
        [("a", 3, 4), ("c", 3, 4)],
        [("a", 3, 4), ("b", 4, 3)],
        [("a", 3, 4), ("a", 3, 4)],
    ],
)
def test_other_images_are_not_the_same(run, after):
    def images(given):
        return [dict(zip(("name", "width", "height"), one, strict=True)) for one in given]

    before = images([("a", 3, 4), ("b", 3, 4)])
    places = run(
        "return (await import('/state/same.js')).sameImages(...input);", [before, images(after)]
    )
    assert places is None


def test_two_images_that_cannot_be_told_apart_are_not_mixed_up(run):
    twins = [{"name": "a", "width": 3, "height": 4}] * 2
    run_it = "return (await import('/state/same.js')).sameImages(...input);"
    assert run(run_it, [twins, twins]) is None


# What is kept


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


# Memory


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


# Paint


@pytest.mark.parametrize(
    ("rows", "border"),
    [
        (["1"], []),
        (["111", "111"], []),
        (["000", "000"], []),
        (["10"], [[0, 1, 1, 1]]),
        (["1", "0"], [[1, 0, 1, 1]]),
        (["10", "01"], [[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 2], [1, 1, 2, 1]]),
        (
            ["000", "010", "000"],
            [[1, 1, 1, 2], [1, 1, 2, 1], [1, 2, 2, 2], [2, 1, 2, 2]],
        ),
    ],
)
def test_the_border_runs_between_tokens_that_differ_and_not_along_the_image(run, rows, border):
    found = run(
        """
        const { borderOf } = await import('/view/paint.js');
        const mask = Uint8Array.from(input.join('').split(''), Number);
        return borderOf(mask, input.length, input[0].length);
        """,
        rows,
    )
    assert sorted(found) == sorted(border)


def test_a_mask_becomes_a_picture_of_one_pixel_a_token(run):
    pixels = run("""
        const { maskImage } = await import('/view/paint.js');
        const canvas = maskImage(Uint8Array.of(1, 0, 0, 0, 1, 1), 2, 3, [255, 0, 200]);
        const { width, height } = canvas;
        return [width, height, ...canvas.getContext('2d').getImageData(0, 0, 3, 2).data];
    """)
    on, off = [255, 0, 200, 255], [0, 0, 0, 0]
    assert pixels == [3, 2, *on, *off, *off, *off, *on, *on]


SURFACE = """
    const paint = await import('/view/paint.js');
    const marks = await import('/view/marks.js');
    const canvas = document.createElement('canvas');
    canvas.style.cssText = 'position: fixed; left: 0; top: 0; width: 100px; height: 60px';
    document.body.append(canvas);
    const surface = paint.fit(canvas);
    // The colour at a place in CSS pixels.
    const at = (x, y) => {
      const scale = canvas.width / 100;
      return [...canvas.getContext('2d').getImageData(x * scale, y * scale, 1, 1).data];
    };
    const finish = (value) => {
      canvas.remove();
      return value;
    };
"""


def test_a_canvas_is_as_sharp_as_the_screen_and_empty(run):
    seen = run(f"""{SURFACE}
        marks.paintClicks(surface, [{{ x: 0.5, y: 0.5, positive: true }}]);
        const painted = at(52, 30)[3];
        const again = paint.fit(canvas);
        return finish([canvas.width, canvas.height, again.width, again.height, painted,
                       at(52, 30)[3]]);
    """)
    assert seen == [200, 120, 100, 60, 255, 0]


def test_a_mask_is_painted_where_it_is_and_as_opaque_as_asked(run):
    inside, outside = run(f"""{SURFACE}
        const color = [255, 0, 255];
        const mask = Uint8Array.of(1, 0);
        const layers = {{ image: paint.maskImage(mask, 1, 2, color),
                          border: paint.borderOf(mask, 1, 2), color }};
        paint.paintMask(surface, layers, [1, 2], {{ opacity: 0.5, outline: false }});
        return finish([at(25, 30), at(75, 30)]);
    """)
    assert inside == [pytest.approx(value, abs=2) for value in (255, 0, 255, 128)]
    assert outside == [0, 0, 0, 0]


def test_an_outline_runs_along_the_border_over_the_same_mask(run):
    edge, inside = run(f"""{SURFACE}
        const color = [255, 0, 255];
        const mask = Uint8Array.of(1, 0);
        const layers = {{ image: paint.maskImage(mask, 1, 2, color),
                          border: paint.borderOf(mask, 1, 2), color }};
        paint.paintMask(surface, layers, [1, 2], {{ opacity: 0, outline: true }});
        return finish([at(50, 30), at(25, 30)]);
    """)
    assert edge == [255, 0, 255, 255]
    assert inside == [0, 0, 0, 0]


def test_positive_is_a_red_plus_and_negative_a_blue_minus_each_with_a_black_edge(run):
    positive, negative = run(f"""{SURFACE}
        marks.paintClicks(surface, [
          {{ x: 0.25, y: 0.5, positive: true }}, {{ x: 0.75, y: 0.5, positive: false }},
        ]);
        const look = (x) => ({{ across: at(x + 2, 30), down: at(x, 28), fill: at(x + 3, 26),
                               edge: at(x + 7, 30), beyond: at(x + 10, 30) }});
        return finish([look(25), look(75)]);
    """)
    white = [255, 255, 255, 255]
    assert positive["across"] == positive["down"] == negative["across"] == white
    assert negative["down"] == negative["fill"] != white
    red, blue = positive["fill"], negative["fill"]
    assert red[0] > 2 * max(red[1:3])
    assert blue[2] > 1.5 * max(blue[:2])
    for click in (positive, negative):
        assert max(click["edge"][:3]) < 60
        assert click["beyond"][3] == 0


def test_the_keyboards_cursor_leaves_its_own_place_free(run):
    middle, arm = run(f"""{SURFACE}
        marks.paintCursor(surface, {{ x: 0.5, y: 0.5 }});
        return finish([at(50, 30), at(58, 30)]);
    """)
    assert middle[3] == 0
    assert arm[3] == 255


# Pointer


@pytest.fixture(scope="module")
def still_tab(browser: Browser) -> Iterator[Tab]:
    """A tab whose time stands still, but for what a test lets pass."""
    context = browser.new_context()
    context.route(f"{ORIGIN}/**", serve)
    context.clock.install(time=0)
    context.clock.pause_at(24 * 3600)
    yield open_tab(context)
    context.close()


@pytest.fixture
def pointer(still_tab: Tab) -> Tab:
    """A tile of 200 x 100 pixels at (10, 20) that notes what was pressed."""
    still_tab.goto(ORIGIN)
    still_tab.evaluate("""async () => {
        const { listen } = await import('/view/pointer.js');
        const tile = document.createElement('div');
        tile.style.cssText = 'position: fixed; left: 10px; top: 20px; width: 200px; height: 100px';
        document.body.append(tile);
        window.presses = [];
        listen(tile, (press) => presses.push(press));
        window.send = (type, x, y, options = {}) => tile.dispatchEvent(new PointerEvent(type, {
          clientX: 10 + x, clientY: 20 + y, pointerId: 1, isPrimary: true, button: 0,
          pointerType: 'mouse', bubbles: true, cancelable: true, ...options }));
    }""")
    return still_tab


def presses(tab: Tab) -> list[dict[str, Any]]:
    return tab.evaluate("presses")


def test_a_press_tells_its_place_on_the_element(pointer):
    pointer.evaluate("send('pointerdown', 50, 25), send('pointerup', 50, 25)")
    assert presses(pointer) == [{"x": 0.25, "y": 0.25, "other": False, "touch": False}]


@pytest.mark.parametrize(
    ("options", "other"),
    [({}, False), ({"button": 2}, True), ({"shiftKey": True}, True), ({"ctrlKey": True}, True)],
)
def test_the_right_button_and_shift_are_the_other_kind(pointer, options, other):
    pointer.evaluate(
        "(o) => { send('pointerdown', 5, 5, o); send('pointerup', 5, 5, o); }", options
    )
    assert [press["other"] for press in presses(pointer)] == [other]


@pytest.mark.parametrize("options", [{"button": 1}, {"isPrimary": False}])
def test_the_middle_button_and_a_second_finger_press_nothing(pointer, options):
    pointer.evaluate(
        "(o) => { send('pointerdown', 5, 5, o); send('pointerup', 5, 5, o); }", options
    )
    assert presses(pointer) == []


def test_a_drag_is_no_press_and_a_trembling_hand_is_none_the_less_one(pointer):
    pointer.evaluate("""() => {
        send('pointerdown', 50, 50); send('pointermove', 57, 50); send('pointerup', 57, 50);
        send('pointerdown', 50, 50); send('pointermove', 59, 50); send('pointerup', 50, 50);
    }""")
    assert [press["x"] for press in presses(pointer)] == [57 / 200]


@pytest.mark.parametrize("end", ["pointercancel", "pointerleave"])
def test_a_scroll_or_leaving_the_element_is_no_press(pointer, end):
    pointer.evaluate(
        "(end) => { send('pointerdown', 5, 5); send(end, 5, 5); send('pointerup', 5, 5); }", end
    )
    assert presses(pointer) == []


TOUCH = "{ pointerType: 'touch' }"


def test_a_tap_is_the_first_kind(pointer):
    pointer.evaluate(f"send('pointerdown', 20, 20, {TOUCH}), send('pointerup', 20, 20, {TOUCH})")
    pointer.clock.run_for(2000)
    assert presses(pointer) == [{"x": 0.1, "y": 0.2, "other": False, "touch": True}]


def test_a_long_press_is_the_other_kind_and_lifting_the_finger_adds_nothing(pointer):
    pointer.evaluate(f"send('pointerdown', 20, 20, {TOUCH})")
    pointer.clock.run_for(499)
    assert presses(pointer) == []
    pointer.clock.run_for(1)
    assert presses(pointer) == [{"x": 0.1, "y": 0.2, "other": True, "touch": True}]
    pointer.evaluate(f"send('pointerup', 20, 20, {TOUCH})")
    pointer.clock.run_for(2000)
    assert len(presses(pointer)) == 1


def test_a_held_mouse_button_is_no_long_press(pointer):
    pointer.evaluate("send('pointerdown', 20, 20)")
    pointer.clock.run_for(2000)
    assert presses(pointer) == []


@pytest.mark.parametrize(
    "then",
    [
        f"send('pointermove', 40, 20, {TOUCH})",
        f"send('pointercancel', 20, 20, {TOUCH})",
        "send('pointerdown', 90, 90, { pointerType: 'touch', pointerId: 2, isPrimary: false })",
    ],
)
def test_a_finger_that_scrolls_or_is_joined_by_another_presses_nothing(pointer, then):
    pointer.evaluate(f"send('pointerdown', 20, 20, {TOUCH}), {then}")
    pointer.clock.run_for(2000)
    pointer.evaluate(f"send('pointerup', 20, 20, {TOUCH})")
    assert presses(pointer) == []


def test_the_browsers_own_menu_stays_away(pointer):
    assert pointer.evaluate("send('contextmenu', 5, 5, { button: 2 })") is False


# The whole workspace against the server's side of the messages


class Server:
    """Answers every message that it can read, and keeps them all.

    Attributes:
        masks: (n, h, w) bool, its answer to any clicks.
        presence: (n,), likewise.
        fine: Images with edges have so many pixels a token.
    """

    fine = 4

    def __init__(self, masks: np.ndarray, presence: list[float]) -> None:
        self.masks = masks
        self.presence = np.array(presence, np.float32)
        self.messages: list[Any] = []
        self.requests: list[wire.PredictRequest] = []
        self.edged: list[tuple[wire.PredictRequest, tuple[int, ...]]] = []
        self.sides: list[int] = []

    def predict(self, message: object) -> dict[str, Any]:
        # As it arrives: through JSON.
        self.messages.append(json.loads(json.dumps(message)))
        request = parsing.parse_predict(self.messages[-1])
        self.requests.append(request)
        prediction = TokenPrediction(self.masks + 0.0, self.masks, self.masks - 0.5, self.presence)
        return wire.encode(wire.MasksAnswer.of(request.seq, prediction))

    def edges(self, message: object) -> dict[str, Any]:
        message = json.loads(json.dumps(message))
        request = parsing.parse_edges(message)
        parsing.require_images(request, len(self.masks))
        self.edged.append((parsing.parse_predict(message), request.images))
        self.sides.append(request.side)
        masks = {image: self.edged_mask(image) for image in request.images}
        return wire.encode(wire.EdgesAnswer.of(request.seq, masks))

    def edged_mask(self, image: int) -> np.ndarray:
        """The mask with a row less at its upper edge, so that it can be told from the other."""
        large = self.masks[image].repeat(self.fine, axis=0).repeat(self.fine, axis=1)
        return large & np.roll(large, 1, axis=0)

    @property
    def edged_images(self) -> list[int]:
        return [image for _, images in self.edged for image in images]


H, W, K = 5, 7, 20
REMARK = 'The end of the file is "missing" <b>here</b>.'
MOUNT = """async (manifest) => {
    const { mount } = await import('/workspace.js');
    window.triggered = [];
    // Answers to messages that ask for edges wait until they are let go, or are lost.
    let held = null;
    window.edgesOnTheWay = 0;
    window.holdEdges = () => { held = new Promise((done) => { window.letEdgesGo = done; }); };
    window.loseEdges = () => { held = 'lost'; };
    window.answerEdges = () => { held = null; };
    const props = { value: manifest, download: '' };
    const watchers = {};
    // As gradio does when the server sends another manifest.
    window.openAnother = (changes) => {
      props.value = { ...props.value, ...changes };
      watchers.value();
    };
    mount({
      element: document.body,
      props,
      server: {
        predict: window.predict,
        edges: async (message) => {
          const answer = await window.edges(message);
          if (held === 'lost') throw new Error('unreachable');
          window.edgesOnTheWay += 1;
          await held;
          return answer;
        },
      },
      trigger: (name, data) => triggered.push([name, data]),
      watch: (prop, callback) => { watchers[prop] = callback; },
    });
}"""


def open_workspace(
    context: BrowserContext, server: Server, names: list[str], *, crisp: bool = False
) -> Tab:
    """The page's workspace with these images open, joined to the server without gradio."""
    pixels = np.zeros((50, 70, 3), np.uint8)
    n = len(names)
    analysis = Analysis(
        photos=tuple(
            Photo(name, 50, 70, b"", pixels, REMARK if name.startswith("<") else "")
            for name in names
        ),
        eigvecs=np.zeros((n, H, W, K), np.float32),
        codes=np.zeros((n, H, W, 1), np.float32),
        colors=np.zeros((n, H, W, 3), np.uint8),
        terms=None,
        backbone=BackboneChoice("fake", "block", 0, 64),
        image_embeddings=np.zeros((n, 64, 64, 256), np.float16) if crisp else None,
    )
    tiles = [f"/{index}.jpg" for index in range(n)]
    manifest = wire.Manifest.of("token", analysis, tiles, "/colors.png")
    tab = context.new_page()
    tab.expose_function("predict", server.predict)
    tab.expose_function("edges", server.edges)
    tab.goto(ORIGIN)
    tab.set_content((STATIC / "canvas.html").read_text(encoding="utf-8"))
    tab.add_style_tag(path=STATIC / "page.css")
    tab.evaluate(MOUNT, json.loads(json.dumps(wire.encode(manifest))))
    answered(tab)
    return tab


@pytest.fixture
def server() -> Server:
    masks = np.zeros((2, H, W), bool)
    masks[0, 1:4, 2:5] = True
    return Server(masks, [0.9, 0.25])


@pytest.fixture
def workspace(context: BrowserContext, server: Server) -> Iterator[Tab]:
    tab = open_workspace(context, server, ["a.jpg", "<b>.jpg"])
    yield tab
    tab.close()


MANY = 60


@pytest.fixture
def many() -> Server:
    """A server of so many images that most are far below the screen."""
    masks = np.zeros((MANY, H, W), bool)
    masks[:, :3] = True
    return Server(masks, [((7 * index) % MANY) / MANY for index in range(MANY)])


@pytest.fixture
def long_workspace(context: BrowserContext, many: Server) -> Iterator[Tab]:
    tab = open_workspace(context, many, [f"{index}.jpg" for index in range(MANY)])
    yield tab
    tab.close()


def answered(tab: Tab) -> None:
    """Until the newest change was answered."""
    tab.wait_for_function(
        "(({ asked, shown }) => asked !== undefined && asked === shown)"
        "(document.querySelector('.pp-workspace').dataset)"
    )


def edged(tab: Tab, count: int) -> None:
    """Until the newest change was answered, and so many tiles have edges."""
    answered(tab)
    tab.wait_for_function(
        "(count) => document.querySelector('.pp-workspace').dataset.edged === String(count)",
        arg=count,
    )


def visible(tab: Tab) -> list[int]:
    """The tiles that are on the screen or near it, in the order they came in."""
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
    return tab.evaluate("""() => [...document.querySelectorAll('.pp-tile')].flatMap(
        (element) => element.dataset.seen === 'true'
          ? [Number.parseInt(element.querySelector('.pp-name').textContent, 10)] : [])""")


def open_settings(tab: Tab) -> None:
    tab.locator(".pp-expert summary").click()


def shares(tab: Tab) -> list[str]:
    return tab.locator(".pp-share").all_inner_texts()


def names(tab: Tab) -> list[str]:
    return tab.locator(".pp-name").all_inner_texts()


def slide(tab: Tab, name: str, place: float) -> None:
    tab.locator(f"[data-setting={name}]").evaluate(
        """(slider, value) => {
            slider.value = value;
            for (const type of ['input', 'change']) slider.dispatchEvent(new Event(type));
        }""",
        place,
    )
    answered(tab)


def test_the_first_message_has_no_clicks_and_the_servers_default_settings(workspace, server):
    assert server.requests == [wire.PredictRequest("token", 1, (), Settings())]
    assert server.messages[0]["settings"] == Settings().as_dict()


def test_a_click_reaches_the_server_and_its_masks_reach_the_tiles(workspace, server):
    tiles = workspace.locator(".pp-overlay")
    tiles.nth(0).press("Enter")
    tiles.nth(1).press("ArrowLeft")
    tiles.nth(1).press("Shift+Enter")
    answered(workspace)
    this, not_this = server.requests[-1].clicks
    assert this == Click(0, 3.5 / W, 2.5 / H, True)
    assert not_this == Click(1, not_this.x, 2.5 / H, False)
    assert not_this.x == pytest.approx(2.5 / W)
    assert [share.split(" · ")[1] for share in shares(workspace)] == ["0.90", "0.25"]
    assert workspace.locator(".pp-tile.pp-empty .pp-name").all_inner_texts() == ["<b>.jpg"]
    assert workspace.locator(".pp-status").inner_text() == "Found in 1 of 2"
    assert names(workspace) == ["a.jpg", "<b>.jpg"]


def test_every_place_of_every_setting_is_one_the_server_takes(workspace, server):
    workspace.evaluate("""() => {
        const placesOf = (input) => {
          if (input.type === 'checkbox') return [false, true];
          if (input.type === 'range') return [input.min, input.max];
          return [...input.options].map((option) => option.value);
        };
        for (const input of document.querySelectorAll('[data-setting]')) {
          for (const place of placesOf(input)) {
            if (input.type === 'checkbox') input.checked = place;
            else input.value = place;
            input.dispatchEvent(new Event('input', { bubbles: true }));
            input.dispatchEvent(new Event('change', { bubbles: true }));
          }
        }
    }""")
    answered(workspace)
    assert len(server.requests) == len(server.messages)
    assert server.requests[-1].settings == Settings(
        TutorialRule(denoise=True, min_area=100, negative_threshold=1, n_eigvecs=K),
        one_only=True,
        outline="photo",  # There is no SAM here.
    )
    open_settings(workspace)
    workspace.locator("[data-setting=rule]").select_option("joint")
    answered(workspace)
    assert server.requests[-1].settings.rule == JointRule(threshold=1, gamma=5)


def field_names(record: type) -> list[str]:
    return [field.name for field in fields(record)]


def test_there_is_a_control_for_every_setting_and_an_option_for_every_rule(workspace):
    controls = workspace.locator("[data-setting]")
    named = controls.evaluate_all("(inputs) => inputs.map((input) => input.dataset.setting)")
    of_rules = {name for rule in RULES.values() for name in field_names(rule)}
    assert sorted(named) == sorted({*field_names(Settings), *of_rules})
    options = workspace.locator("[data-setting=rule] option")
    values = options.evaluate_all("(options) => options.map((option) => option.value)")
    assert sorted(values) == sorted(RULES)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("threshold", 0, 1),
        ("gamma", 0.1, 5),
        ("min_area", 0, 100),
        ("negative_threshold", 0, 1),
        ("n_eigvecs", 2, K),
    ],
)
def test_a_slider_is_sent_from_its_lowest_to_its_highest_place(workspace, server, name, low, high):
    open_settings(workspace)
    workspace.locator("[data-setting=rule]").select_option("tutorial")
    for place in (low, high):
        slide(workspace, name, place)
        assert getattr(server.requests[-1].settings.rule, name) == place


def test_the_message_of_a_download_is_one_the_server_takes(workspace):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    workspace.locator("[data-action=export]").click()
    ((name, message),) = workspace.evaluate("triggered")
    assert name == "export"
    assert parsing.parse_predict(message).clicks == (Click(0, 0.5, 0.5),)


def test_each_rule_shows_its_own_sliders_and_hides_the_others(workspace, server):
    open_settings(workspace)
    of_rule = {
        "joint": [],
        "tutorial": [
            "denoise",
            "min_area",
            "negative_threshold",
            "n_eigvecs",
        ],
    }
    of_both = ["rule", "threshold", "gamma", "one_only", "outline"]
    for rule, other in (("joint", "tutorial"), ("tutorial", "joint"), ("joint", "tutorial")):
        workspace.locator("[data-setting=rule]").select_option(rule)
        answered(workspace)
        assert server.requests[-1].settings.rule.name == rule
        for name in (*of_both, *of_rule[rule]):
            assert workspace.locator(f"[data-setting={name}]").is_visible()
        for name in of_rule[other]:
            assert workspace.locator(f"[data-setting={name}]").is_hidden()


@pytest.mark.parametrize(("width", "is_open"), [(1280, True), (390, False)])
def test_on_a_phone_the_settings_are_closed_at_first_and_the_experts_are_everywhere(
    browser, server, width, is_open
):
    context = browser.new_context(viewport={"width": width, "height": 800})
    context.route(f"{ORIGIN}/**", serve)
    tab = open_workspace(context, server, ["a.jpg", "b.jpg"])
    threshold, rule = (tab.locator(f"[data-setting={name}]") for name in ("threshold", "rule"))
    assert threshold.is_visible() == is_open
    assert rule.is_hidden()
    if not is_open:
        tab.locator(".pp-panel summary").first.click()
    assert threshold.is_visible()
    tab.locator(".pp-expert summary").click()
    rule.select_option("tutorial")
    answered(tab)
    assert server.requests[-1].settings.rule == TutorialRule()
    context.close()


def test_all_settings_survive_undo_redo_and_a_reset_with_them(workspace, server):
    open_settings(workspace)
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    states = [server.requests[-1].settings]

    def changed() -> None:
        answered(workspace)
        states.append(server.requests[-1].settings)

    slide(workspace, "threshold", 0.8)
    changed()
    workspace.locator("[data-setting=one_only]").check()
    changed()
    workspace.locator("[data-setting=outline]").select_option("tokens")
    changed()
    workspace.locator("[data-setting=rule]").select_option("tutorial")
    changed()
    slide(workspace, "gamma", 2)
    changed()
    workspace.locator("[data-action=reset]").click()
    changed()
    assert states[-2] == Settings(TutorialRule(gamma=2), one_only=True, outline="tokens")
    assert states[0] == states[-1] == Settings()
    assert len(set(states)) == len(states) - 1

    def shown() -> tuple[str, str, bool, str, str]:
        at = {name: workspace.locator(f"[data-setting={name}]") for name in SHOWN}
        return (
            at["rule"].input_value(),
            at["threshold"].input_value(),
            at["one_only"].is_checked(),
            at["outline"].input_value(),
            at["gamma"].input_value(),
        )

    for step, order in (("undo", states[-2::-1]), ("redo", states[1:])):
        for state in order:
            workspace.locator(f"[data-action={step}]").click()
            answered(workspace)
            assert server.requests[-1].settings == state
            assert len(server.requests[-1].clicks) == 1
            assert shown() == (
                state.rule.name,
                f"{state.rule.threshold:g}",
                state.one_only,
                state.outline,
                f"{state.rule.gamma:g}",
            )


SHOWN = ("rule", "threshold", "one_only", "outline", "gamma")


def test_edges_take_the_place_of_whole_tokens_when_they_come(workspace, server):
    workspace.evaluate("holdEdges()")
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    assert shares(workspace) == ["26% · 0.90", "0% · 0.25"]
    workspace.evaluate("letEdgesGo()")
    edged(workspace, 2)
    covered = round(100 * server.edged_mask(0).mean())
    assert covered != 26
    assert shares(workspace) == [f"{covered}% · 0.90", "0% · 0.25"]
    assert sorted(server.edged_images) == [0, 1]
    assert server.edged[-1][0] == server.requests[-1]


def test_without_clicks_or_with_edges_switched_off_none_are_asked_for(workspace, server):
    workspace.locator("[data-setting=outline]").select_option("tokens")
    answered(workspace)
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    edged(workspace, 0)
    assert server.edged == []
    assert shares(workspace)[0] == "26% · 0.90"
    workspace.locator("[data-setting=outline]").select_option("photo")
    edged(workspace, 2)
    workspace.locator("[data-setting=outline]").select_option("tokens")
    edged(workspace, 0)
    assert shares(workspace)[0] == "26% · 0.90"
    assert len(server.edged_images) == 2


def test_edges_are_asked_for_where_they_are_seen_and_nowhere_else(long_workspace, many):
    long_workspace.locator(".pp-overlay").nth(0).press("Enter")
    near = visible(long_workspace)
    assert 4 < len(near) < MANY / 2
    edged(long_workspace, len(near))
    assert sorted(many.edged_images) == near
    assert max(len(images) for _, images in many.edged) <= 4

    long_workspace.locator(".pp-tile").nth(MANY - 1).scroll_into_view_if_needed()
    far = visible(long_workspace)
    assert MANY - 1 in far
    long_workspace.wait_for_function(
        "(indices) => indices.every((index) => !document.querySelectorAll('.pp-share')[index]"
        ".textContent.startsWith('60%'))",
        arg=far,
    )
    assert len(set(many.edged_images)) < MANY
    # Each once: what was seen before is kept.
    assert len(set(many.edged_images)) == len(many.edged_images)
    assert set(far) <= set(many.edged_images)


def test_edges_that_come_late_for_an_older_prompt_never_paint(workspace, server):
    workspace.evaluate("""() => {
        window.texts = [];
        const share = document.querySelector('.pp-share');
        const note = () => texts.push(share.textContent);
        new MutationObserver(note).observe(share, { childList: true, characterData: true });
        holdEdges();
    }""")
    server.masks[0, 1:] = True
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    workspace.wait_for_function("edgesOnTheWay === 1")
    # A click changes the masks while their edges are on the way.
    stale = f"{round(100 * server.edged_mask(0).mean())}% · 0.90"
    server.masks[0] = False
    server.masks[0, 0, :] = True
    workspace.locator(".pp-overlay").nth(1).press("Shift+Enter")
    answered(workspace)
    workspace.evaluate("letEdgesGo()")
    edged(workspace, 2)
    new = f"{round(100 * server.edged_mask(0).mean())}% · 0.90"
    texts = workspace.evaluate("texts")
    assert texts == ["80% · 0.90", "20% · 0.90", new]
    assert len({*texts, stale}) == 4
    assert [len(request.clicks) for request, _ in server.edged] == [1, 2]


def test_tiles_that_grow_while_their_edges_are_on_the_way_get_finer_ones(workspace, server):
    workspace.evaluate("holdEdges()")
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    workspace.wait_for_function("edgesOnTheWay === 1")
    server.fine = 8
    before = workspace.locator(".pp-overlay").nth(0).bounding_box()["width"]
    workspace.locator("[data-tile-size]").fill("800")
    assert workspace.locator(".pp-overlay").nth(0).bounding_box()["width"] > 1.5 * before
    visible(workspace)
    workspace.evaluate("letEdgesGo()")
    finer = f"{round(100 * server.edged_mask(0).mean())}% · 0.90"
    workspace.wait_for_function(
        "(finer) => document.querySelector('.pp-share').textContent === finer", arg=finer
    )
    assert server.sides == sorted(server.sides)
    assert server.sides[-1] > server.sides[0]
    # Smaller tiles keep what they have.
    asked = len(server.edged)
    workspace.locator("[data-tile-size]").fill("60")
    visible(workspace)
    edged(workspace, 2)
    assert len(server.edged) == asked


def test_a_server_that_fails_at_edges_leaves_the_whole_tokens(workspace, server):
    workspace.evaluate("loseEdges()")
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    edged(workspace, 0)
    assert shares(workspace)[0] == "26% · 0.90"
    workspace.evaluate("answerEdges()")
    workspace.locator(".pp-overlay").nth(1).press("Shift+Enter")
    edged(workspace, 2)
    assert shares(workspace)[0] != "26% · 0.90"
    assert workspace.locator(".pp-notice").is_hidden()


def test_best_first_sorts_the_tiles_by_presence_when_it_is_asked_for(long_workspace, many):
    given = [f"{index}.jpg" for index in range(MANY)]
    best = [given[index] for index in np.argsort(-many.presence, kind="stable")]
    order = long_workspace.get_by_role("radio", name="Best first")
    # Without a mask nothing is better than anything.
    order.click()
    assert names(long_workspace) == given
    long_workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(long_workspace)
    assert names(long_workspace) == given
    order.click()
    assert names(long_workspace) == best
    assert order.get_attribute("aria-checked") == "true"

    # Tiles do not move under the pointer, and a click goes to the image that it is on.
    many.presence = np.zeros(MANY, np.float32)
    many.presence[7] = 1
    long_workspace.locator(".pp-overlay").nth(1).press("Enter")
    answered(long_workspace)
    assert names(long_workspace) == best
    assert many.requests[-1].clicks[-1].image == given.index(best[1])
    order.click()
    assert names(long_workspace) == [given[7], *given[:7], *given[8:]]
    long_workspace.get_by_role("radio", name="As given").click()
    assert names(long_workspace) == given


def test_crisp_masks_are_offered_only_where_they_can_be_drawn(workspace):
    offered = "(options) => options.filter((o) => !o.hidden).map((o) => o.value)"
    options = workspace.locator("[data-setting=outline] option")
    assert options.evaluate_all(offered) == ["photo", "tokens"]


def test_crisp_masks_are_asked_for_one_after_the_other_and_only_with_edges(context, many):
    tab = open_workspace(context, many, [f"{index}.jpg" for index in range(MANY)], crisp=True)
    outline = tab.locator("[data-setting=outline]")
    tab.locator(".pp-overlay").nth(0).press("Enter")
    edged(tab, len(visible(tab)))
    assert not any(request.settings.outline == "sam" for request, _ in many.edged)
    many.edged.clear()
    outline.select_option("sam")
    edged(tab, len(visible(tab)))
    assert many.edged
    assert all(
        request.settings.outline == "sam" and len(images) == 1 for request, images in many.edged
    )
    many.edged.clear()
    outline.select_option("tokens")
    answered(tab)
    assert many.edged == []
    tab.close()


def test_why_a_crisp_mask_cannot_be_drawn_is_said_on_the_page(context, server, monkeypatch):
    tab = open_workspace(context, server, ["a.jpg", "b.jpg"], crisp=True)

    def refuse(message):
        return wire.encode(wire.Failure(message["seq"], "invalid", "There is no decoder any more."))

    tab.evaluate("() => { window.edges = (message) => window.refuse(message); }")
    tab.expose_function("refuse", refuse)
    tab.locator("[data-setting=outline]").select_option("sam")
    tab.locator(".pp-overlay").nth(0).press("Enter")
    answered(tab)
    tab.wait_for_function("!document.querySelector('.pp-notice').hidden")
    assert tab.locator(".pp-notice").inner_text() == "There is no decoder any more."
    tab.close()


def test_a_remark_stands_beside_its_photo_for_the_eye_the_hand_and_the_ear(workspace):
    sign = workspace.locator(".pp-tile").nth(1).get_by_role("button", name=f"Remark: {REMARK}")
    assert sign.get_attribute("title") == REMARK
    assert workspace.locator(".pp-remark").count() == 1
    bubble = "(sign) => getComputedStyle(sign, '::after').content"
    assert sign.evaluate(bubble) == "none"
    sign.focus()
    assert json.loads(sign.evaluate(bubble)) == REMARK
    # Between the name and the share, which stay where they are.
    assert names(workspace) == ["a.jpg", "<b>.jpg"]
    assert workspace.locator(".pp-tile b").count() == 0


MORE = "[...new Array(3).keys()].map((i) => ({ name: ['a.jpg', '<b>.jpg', 'c.jpg'][i], "
MORE += "width: 70, height: 50, tile: `/${i}.jpg` }))"


@pytest.mark.parametrize(
    ("changes", "clicks"),
    [
        (f"{{ session: 'next', joins: 'token', images: {MORE} }}", 1),
        ("{ session: 'next' }", 1),
        # Other sets, whose images happen to have the same names.
        (f"{{ session: 'next', images: {MORE} }}", 0),
        (
            f"{{ session: 'next', images: {MORE}.slice(0, 2).map((i) => ({{ ...i, width: 9 }})) }}",
            0,
        ),
    ],
    ids=["joined", "the same again", "more of another set", "another set"],
)
def test_clicks_and_undo_go_on_only_where_they_belong(workspace, server, changes, clicks):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    asked = len(server.requests)
    count = workspace.evaluate(f"({changes}).images?.length ?? 2")
    server.masks, server.presence = np.zeros((count, H, W), bool), np.zeros(count, np.float32)
    workspace.evaluate(f"openAnother({changes})")
    workspace.wait_for_function("Number(document.querySelector('.pp-workspace').dataset.asked) > 2")
    answered(workspace)
    assert len(server.requests) > asked
    assert server.requests[-1].session == "next"
    assert len(server.requests[-1].clicks) == clicks
    assert workspace.locator("[data-action=undo]").is_enabled() == bool(clicks)
