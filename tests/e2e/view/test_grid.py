from __future__ import annotations

import json

import numpy as np

from tests.e2e.workspace import MANY, REMARK, answered, names


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
