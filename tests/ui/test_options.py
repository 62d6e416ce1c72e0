from __future__ import annotations

import pytest

from pointprompt.ui import options


@pytest.mark.parametrize("text", ["1", "true", "ON"])
def test_assistants_are_served_where_their_package_is(monkeypatch, text):
    assert options._mcp(text)
    monkeypatch.setattr(options, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'pointprompt\[mcp\]'"):
        options._mcp(text)


def test_without_being_asked_for_they_are_not_and_need_nothing(monkeypatch):
    monkeypatch.setattr(options, "find_spec", lambda name: None)
    monkeypatch.delenv("POINTPROMPT_MCP", raising=False)
    assert not options._mcp(options.option_parser().parse_args([]).mcp)
    assert not options._mcp("0")


def test_what_neither_says_yes_nor_no_is_refused():
    with pytest.raises(ValueError, match="POINTPROMPT_MCP must be 1 or 0, not 'perhaps'"):
        options._mcp("perhaps")
