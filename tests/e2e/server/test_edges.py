from __future__ import annotations

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
