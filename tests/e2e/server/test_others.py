from __future__ import annotations

from tests.e2e.workspace import answered, edged

SETTLED = "document.querySelector('.pp-workspace').dataset.settled === 'true'"


def test_of_other_things_the_edges_that_changed_are_asked_for_before_those_that_did_not(
    workspace, server
):
    server.masks[1, 3:] = True
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    edged(workspace, 2)
    workspace.keyboard.press("a")
    workspace.locator(".pp-overlay").nth(1).press("Enter")
    edged(workspace, 2)
    workspace.wait_for_function(SETTLED)
    server.edged.clear()
    # What the second thing is the first one is not: of that, the tokens of the last image change.
    server.masks[1, :3] = True
    workspace.locator(".pp-overlay").nth(1).press("ArrowRight")
    workspace.locator(".pp-overlay").nth(1).press("Enter")
    answered(workspace)
    workspace.wait_for_function(SETTLED)
    of_first = [images for request, images in server.edged if request.clicks[-1].image == 0]
    assert of_first == [(1,), (0,)]


def test_until_they_come_the_edges_of_before_stay_where_the_tokens_are_the_same(workspace, server):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    edged(workspace, 2)
    workspace.keyboard.press("a")
    workspace.locator("[data-setting=outline]").select_option("tokens")
    workspace.locator(".pp-overlay").nth(1).press("Enter")
    answered(workspace)
    workspace.wait_for_function(SETTLED)
    drawn = """async () => {
        for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
        return document.querySelector('.pp-overlay').toDataURL();
    }"""
    before = workspace.evaluate(drawn)
    workspace.evaluate("holdEdges()")
    # Another "this" of the chosen one, in the other image.
    workspace.locator(".pp-overlay").nth(1).press("ArrowRight")
    workspace.locator(".pp-overlay").nth(1).press("Enter")
    answered(workspace)
    workspace.wait_for_function("edgesOnTheWay > 0")
    assert workspace.evaluate(drawn) == before
    workspace.evaluate("letEdgesGo()")
    workspace.wait_for_function(SETTLED)
