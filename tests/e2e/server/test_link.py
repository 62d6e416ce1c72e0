from __future__ import annotations

import pytest

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
