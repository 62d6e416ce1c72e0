from __future__ import annotations

from dataclasses import fields, make_dataclass, replace

import pytest

from pointprompt.types import Settings
from pointprompt.ui import contract


def test_the_pages_contract_is_the_servers():
    text = contract.PATH.read_text(encoding="utf-8")
    assert text == contract.contract(), "Run `make contract`."


@pytest.mark.parametrize("name", contract.SLIDERS)
def test_a_slider_begins_and_ends_where_its_setting_may_be(name):
    slider = contract.SLIDERS[name]
    assert slider.min < slider.max
    for place in (slider.min, slider.max, slider.min + slider.step):
        assert getattr(replace(Settings(), **{name: place}), name) == place


def test_every_setting_that_is_a_number_has_a_slider():
    numbers = [field.name for field in fields(Settings) if field.type not in ("bool", "str")]
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


def test_a_type_that_the_page_has_no_word_for_is_an_error():
    with pytest.raises(TypeError, match="no word"):
        contract._typedef(make_dataclass("Shape", [("all", dict[str, int])]))
