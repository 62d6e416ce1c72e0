from __future__ import annotations

import numpy as np
import pytest

from pointprompt.server import parsing, wire
from pointprompt.settings import Settings
from pointprompt.types import Click
from tests.e2e.workspace import H, W, answered, names, shares


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


def test_the_message_of_a_download_is_one_the_server_takes(workspace):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    workspace.locator("[data-action=export]").click()
    ((name, message),) = workspace.evaluate("triggered")
    assert name == "export"
    (thing,) = parsing.parse_export(message).things
    assert (thing.name, thing.clicks) == ("Thing 1", (Click(0, 0.5, 0.5),))


def test_the_message_of_a_push_is_one_the_server_takes(workspace):
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    workspace.get_by_role("button", name="What to download").click()
    workspace.get_by_text("Push to the Hugging Face Hub").click()
    workspace.get_by_label("Data set", exact=True).fill(" me/masks ")
    workspace.get_by_label("Private").uncheck()
    workspace.get_by_label("Your access token").fill("hf_mine")
    workspace.get_by_label("Your access token").press("Enter")
    workspace.wait_for_function("triggered.length === 1")
    ((name, message),) = workspace.evaluate("triggered")
    assert name == "push"
    request = parsing.parse_push(message)
    assert (request.name, request.token, request.private) == ("me/masks", "hf_mine", False)
    assert request.export.things[0].clicks == (Click(0, 0.5, 0.5),)
    # The next one is a download again.
    workspace.locator("[data-action=export]").click()
    workspace.wait_for_function("triggered.length === 2")
    assert workspace.evaluate("triggered[1][0]") == "export"


MORE = "[...new Array(3).keys()].map((i) => ({ name: ['a.jpg', '<b>.jpg', 'c.jpg'][i], "
MORE += "width: 70, height: 50, tile: `/${i}.jpg` }))"


@pytest.mark.parametrize(
    ("changes", "clicks"),
    [
        (f"{{ session: 'next', joins: 'token', kept: [0, 1], images: {MORE} }}", 1),
        (f"{{ session: 'next', joins: 'token', kept: [0], images: {MORE}.slice(0, 1) }}", 1),
        ("{ session: 'next' }", 1),
        # Other sets, whose images happen to have the same names.
        (f"{{ session: 'next', images: {MORE} }}", 0),
        (
            f"{{ session: 'next', images: {MORE}.slice(0, 2).map((i) => ({{ ...i, width: 9 }})) }}",
            0,
        ),
    ],
    ids=["joined", "without another image", "the same again", "more of another set", "another set"],
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
