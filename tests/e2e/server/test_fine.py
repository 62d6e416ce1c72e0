from __future__ import annotations

from pointprompt.server import wire
from tests.e2e.workspace import MANY, answered, edged, open_workspace, shares, visible


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
        new MutationObserver(note).observe(share, { childList: true, subtree: true });
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


def test_edges_come_first_to_what_stands_first(long_workspace, many):
    many.presence[:] = 0
    many.presence[40:44] = 0.9
    long_workspace.locator(".pp-overlay").nth(0).press("Enter")
    edged(long_workspace, len(visible(long_workspace)))
    asked = len(many.edged)
    long_workspace.get_by_role("radio", name="Best first").click()
    edged(long_workspace, len(set(many.edged_images) | {40, 41, 42, 43}))
    assert many.edged[asked][1] == (40, 41, 42, 43)
