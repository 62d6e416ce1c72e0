from __future__ import annotations

import re
from dataclasses import fields

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from pointprompt.settings import MAX_AREA, RULES, JointRule, Settings, TutorialRule
from tests.e2e.browser import new_context
from tests.e2e.modules import ORIGIN, serve
from tests.e2e.workspace import REMARK, K, answered, edged, open_settings, open_workspace, slide


def test_every_place_of_every_setting_is_one_the_server_takes(workspace, server):
    workspace.evaluate("""() => {
        const placesOf = (input) => {
          if (input.type === 'checkbox') return [false, true];
          if (['range', 'number'].includes(input.type)) return [input.min, input.max];
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
        fill_holes=MAX_AREA,
        remove_specks=MAX_AREA,
    )
    open_settings(workspace)
    workspace.locator("[data-setting=rule]").select_option("joint")
    answered(workspace)
    assert server.requests[-1].settings.rule == JointRule(threshold=1, gamma=5, size="part")


def field_names(record: type) -> list[str]:
    return [field.name for field in fields(record)]


def test_there_is_a_control_for_every_setting_and_an_option_for_every_rule(workspace):
    controls = workspace.locator("[data-setting]")
    named = controls.evaluate_all("(inputs) => inputs.map((input) => input.dataset.setting)")
    of_rules = {name for rule in RULES.values() for name in field_names(rule)}
    # Only a recipe brings a concept; that has a button to be forgotten by.
    assert sorted(named) == sorted({*field_names(Settings), *of_rules} - {"concept"})
    options = workspace.locator("[data-setting=rule] option")
    values = options.evaluate_all("(options) => options.map((option) => option.value)")
    assert sorted(values) == sorted(RULES)


def test_a_thing_of_a_recipe_needs_no_click_and_can_be_left_to_its_clicks(workspace, server):
    open_settings(workspace)
    sizes, recipe = (
        workspace.locator("label", has_text="A click means"),
        workspace.locator("[data-recipe]"),
    )
    assert (sizes.is_visible(), recipe.is_visible()) == (True, False)
    name = f"{'0a' * 8}-0"
    thing = {
        "name": "cat",
        "color": [120, 255, 0],
        "clicks": [],
        "settings": Settings(JointRule(concept=name)).as_dict(),
        "locks": [],
        "strokes": [],
    }
    workspace.evaluate(
        """(thing) => openAnother({
            session: 'of the recipe', joins: manifest.session, kept: [0, 1],
            opened: { things: [thing], exclusive: true, overlaps: false, skipped: [], images: [] },
        })""",
        thing,
    )
    edged(workspace, 2)
    assert server.requests[-1].settings.concept == name
    assert server.requests[-1].clicks == ()
    assert (sizes.is_visible(), recipe.is_visible()) == (False, True)
    assert workspace.locator(".pp-chips button").all_inner_texts() == ["cat"]
    assert workspace.locator(".pp-status").inner_text() == "Found in 1 of 2"
    # The defaults of all else leave what the recipe says.
    workspace.locator("[data-action=reset]").click()
    assert recipe.is_visible()
    workspace.get_by_role("button", name="Forget it").click()
    answered(workspace)
    assert server.requests[-1].settings.concept == ""
    assert (sizes.is_visible(), recipe.is_visible()) == (True, False)
    workspace.locator("[data-action=undo]").click()
    workspace.locator("[data-action=undo]").click()
    answered(workspace)
    assert server.requests[-1].settings.concept == name
    workspace.locator("[data-action=undo]").click()
    assert workspace.locator(".pp-chips button").all_inner_texts() == ["Thing 1"]


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
    context = new_context(browser, viewport={"width": width, "height": 800})
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


def test_keys_on_a_slider_are_one_step_of_undo_until_it_is_left(workspace, server):
    open_settings(workspace)
    threshold = workspace.locator("[data-setting=threshold]")
    for _ in range(5):
        threshold.press("ArrowRight")
    answered(workspace)
    assert server.requests[-1].settings.rule.threshold == pytest.approx(0.55)
    # Another control is another step, and so are keys after that.
    workspace.locator("[data-setting=one_only]").check()
    for _ in range(2):
        threshold.press("ArrowLeft")
    thresholds = []
    for _ in range(3):
        workspace.locator("[data-action=undo]").click()
        answered(workspace)
        settings = server.requests[-1].settings
        thresholds.append((round(settings.rule.threshold, 2), settings.one_only))
    assert thresholds == [(0.55, True), (0.55, False), (0.5, False)]
    assert workspace.locator("[data-action=undo]").is_disabled()


# Of every role that a person can do something with.
CONTROL = re.compile(
    r"- '?(button|radio|checkbox|slider|combobox|spinbutton|textbox|link|application|switch)\b"
    r'(?: "((?:[^"\\]|\\.)*)")?'
)
CONTROLS = [
    ("radio", "This"),
    ("radio", "Not this"),
    ("radio", "Brush"),
    ("radio", "Eraser"),
    ("button", "Undo"),
    ("button", "Redo"),
    ("button", "Clear"),
    ("radio", "Photo"),
    ("radio", "Both"),
    ("radio", "Colours"),
    ("radio", "Heat"),
    ("radio", "As given"),
    ("radio", "Best first"),
    ("combobox", "Which images"),
    ("button", "Arrange again"),
    ("radio", "Thing 1, 0 clicks"),
    ("button", "About this thing"),
    ("button", "Add a thing"),
    ("button", "Gestures and keys"),
    ("button", "Download masks"),
    ("button", "What to download"),
    ("application", "a.jpg, image 1. 0 clicks. No mask yet."),
    ("button", "Skip a.jpg"),
    ("button", "Lock a.jpg"),
    ("button", "a.jpg, large"),
    ("application", "<b>.jpg, image 2. 0 clicks. No mask yet."),
    ("button", "Skip <b>.jpg"),
    ("button", "Lock <b>.jpg"),
    ("button", "<b>.jpg, large"),
    ("button", f"Remark: {REMARK}"),
    ("slider", "Threshold"),
    ("slider", "Gamma"),
    ("combobox", "A click means"),
    ("combobox", "Outline"),
    ("checkbox", "This one only"),
    ("spinbutton", "Fill holes under px"),
    ("spinbutton", "Cut specks under px"),
    ("combobox", "Rule"),
    ("button", "Reset to defaults"),
    ("slider", "Overlay"),
    ("checkbox", "Line around it"),
    ("checkbox", "Preview at the pointer"),
    ("slider", "Size of the tiles"),
]
TUTORIALS = [
    ("slider", "Eigenvectors"),
    ("checkbox", "Remove small regions"),
    ("slider", "Smallest area"),
    ("slider", "Threshold of “not this”"),
]


def controls(tab: Tab) -> list[tuple[str, str]]:
    """Role and name of each, in order, as assistive tools are told."""
    found = CONTROL.findall(tab.locator("body").aria_snapshot())
    return [(role, name.replace('\\"', '"')) for role, name in found]


def test_every_control_has_a_name_of_its_own(workspace):
    # Wide enough for all of them.
    workspace.set_viewport_size({"width": 1280, "height": 700})
    open_settings(workspace)
    assert controls(workspace) == CONTROLS
    workspace.locator("[data-setting=rule]").select_option("tutorial")
    of_tutorial = [
        control
        for name in CONTROLS
        if name != ("combobox", "A click means")
        for control in ([name, *TUTORIALS] if name == ("combobox", "Rule") else [name])
    ]
    assert controls(workspace) == of_tutorial
    assert len(set(of_tutorial)) == len(of_tutorial)
    # An image tells its keys.
    tile = workspace.get_by_role("application").first
    expect(tile).to_have_accessible_description(re.compile("Enter or Shift"))
    workspace.keyboard.press("?")
    in_dialog = [("checkbox", "Single keys work (letters, digits, signs)"), ("button", "Close")]
    assert controls(workspace)[-2:] == in_dialog


def test_a_button_that_is_used_up_hands_the_focus_on(workspace):
    undo, redo, clear = (
        workspace.locator(f"[data-action={name}]") for name in ("undo", "redo", "clear")
    )
    workspace.locator(".pp-overlay").nth(0).press("Enter")
    answered(workspace)
    clear.press("Enter")
    expect(undo).to_be_focused()
    undo.press("Enter")
    undo.press("Enter")
    expect(redo).to_be_focused()
