from __future__ import annotations

from dataclasses import fields, make_dataclass

import pytest

from pointprompt.settings import RULES, JointRule, Settings
from pointprompt.ui import contract


def test_the_pages_contract_is_the_servers():
    text = contract.PATH.read_text(encoding="utf-8")
    assert text == contract.contract(), "Run `make contract`."


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (rule, field.name)
        for rule in RULES.values()
        for field in fields(rule)
        if field.name in contract.SLIDERS
    ],
)
def test_a_slider_begins_and_ends_where_its_setting_may_be(rule, name):
    slider = contract.SLIDERS[name]
    assert slider.min < slider.max
    for place in (slider.min, slider.max, slider.min + slider.step):
        assert getattr(rule(**{name: place}), name) == place


def test_every_setting_that_is_a_number_has_a_slider():
    of_rules = {field.name: field.type for rule in RULES.values() for field in fields(rule)}
    numbers = [name for name, kind in of_rules.items() if kind not in {"bool", "str"}]
    assert sorted(contract.SLIDERS) == sorted(numbers)


def test_types_are_written_as_javascript_knows_them():
    shape = make_dataclass(
        "Shape",
        [
            ("text", str),
            ("some", tuple[int, ...]),
            ("pair", tuple[float, bool]),
            ("maybe", Settings | None),
        ],
    )
    shape.__doc__ = "A shape.\n\nAttributes:\n    some: Numbers,\n        many.\n"
    assert contract._typedef(shape).splitlines() == [
        "/**",
        " * A shape.",
        " * @typedef {Object} Shape",
        " * @property {string} text",
        " * @property {number[]} some Numbers, many.",
        " * @property {[number, boolean]} pair",
        " * @property {Settings | null} maybe",
        " */",
    ]


def test_what_a_class_is_known_by_is_a_word_of_its_own():
    assert ' * @property {"joint"} name' in contract._typedef(JointRule)


def test_a_type_that_the_page_has_no_word_for_is_an_error():
    with pytest.raises(TypeError, match="no word"):
        contract._typedef(make_dataclass("Shape", [("all", dict[str, int])]))
