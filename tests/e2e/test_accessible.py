"""Each state of the page, light and dark, by the rules that axe-core knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import Page
from tests.e2e.view.test_controls import controls

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")

# gradio's own upload button is called otherwise than it reads, which no page can change.
ALLOWED = "label-content-name-mismatch: .upload-container"


def violations(page: Page) -> list[str]:
    """What is against the rules, and where."""
    assert AXE.is_file(), "`make test` installs what checks the page: node_modules."
    if page.tab.evaluate("typeof axe") == "undefined":
        # By the browser's own tools: the page lets no foreign script in, and stays so.
        page.tab.evaluate(AXE.read_text(encoding="utf-8"))
    # A colour that is still on its way to another is no colour of the page.
    page.tab.evaluate("Promise.all(document.getAnimations().map((a) => a.finished.catch(() => 0)))")
    found: list[str] = page.tab.evaluate(
        """async (rules) => {
            const { violations } = await axe.run(document, { runOnly: rules });
            return violations.flatMap(({ id, nodes }) => nodes.map(({ target, any }) =>
              `${id}: ${target.join(' ')} ${any.map(({ message }) => message).join('; ')}`));
        }""",
        list(RULES),
    )
    found = [broken for broken in found if not broken.startswith(ALLOWED)]
    return found + [f"no name: {role}" for role, name in controls(page.tab) if not name]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_state_of_the_page_breaks_a_rule(
    new_page: Callable[..., Page], photos: list[Path], scheme: str
):
    page = new_page(color_scheme=scheme)
    found = {"first page": violations(page)}
    page.unfold()
    found["choosing"] = violations(page)
    page.tab.click("#pp-dataset > button")
    page.tab.click("#pp-features > button")
    found["all choices"] = violations(page)
    page.analyze_files(photos)
    found["set open"] = violations(page)
    page.click(0, 0.31, 0.42)
    page.click(1, 0.1, 0.9, positive=False)
    page.wait_for_edges()
    found["after clicks"] = violations(page)
    page.tab.get_by_role("button", name="What to download").click()
    page.tab.get_by_text("Push to the Hugging Face Hub").click()
    page.tab.get_by_role("button", name="Push", exact=True).click()
    found["what to download"] = violations(page)
    page.tab.keyboard.press("Escape")
    page.tab.locator("[data-mode=negative]").click()
    page.tab.get_by_role("radio", name="Colours").click()
    page.open_settings()
    page.tab.locator("[data-setting=rule]").select_option("tutorial")
    page.wait_for_masks()
    found["settings open"] = violations(page)
    page.action("clear").click()
    page.wait_for_masks()
    page.tab.locator("[data-filter]").select_option("clicked")
    expect(page.tab.locator(".pp-none")).to_be_visible()
    found["filter empty"] = violations(page)
    page.tab.keyboard.press("Tab")
    page.tab.keyboard.press("?")
    expect(page.tab.locator(".pp-help")).to_be_visible()
    found["help"] = violations(page)
    assert found == {state: [] for state in found}
    assert len(found) == 9


def test_no_rule_is_broken_on_a_phone(new_page: Callable[..., Page], photos: list[Path]):
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    found = [violations(page)]
    page.analyze_files(photos)
    page.click(0, 0.31, 0.42)
    page.wait_for_edges()
    found.append(violations(page))
    page.open_settings()
    found.append(violations(page))
    assert found == [[], [], []]
