"""Progress goes where somebody looks; results and errors are for people or for programs."""

from __future__ import annotations

import io
import json
import sys

import pytest

from pointprompt.cli.telling import bar, refuse, say, some
from pointprompt.types import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, wanted: bool = True) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    with bar(wanted) as one:
        one.tell(Progress("features", 1, 4))
        one.tell(Progress("anything", 1, 4))
        one.images(7, 10, 0)
        one.images(8, 10, 2)
    return stream.getvalue()


def test_on_a_terminal_there_is_a_line_with_what_failed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    said = told(Terminal(), monkeypatch)
    assert "Masking" in said
    assert "8/10" in said
    assert "2 failed" in said


def test_in_a_file_or_where_nobody_wants_it_there_is_none(monkeypatch: pytest.MonkeyPatch):
    assert told(io.StringIO(), monkeypatch) == ""
    assert told(Terminal(), monkeypatch, wanted=False) == ""


def test_a_result_is_lines_or_json(capsys: pytest.CaptureFixture[str]):
    say({"a": "ä"}, ["one", "two"], as_json=False)
    assert capsys.readouterr().out == "one\ntwo\n"
    say({"a": "ä"}, ["one", "two"], as_json=True)
    assert json.loads(capsys.readouterr().out) == {"a": "ä"}


def test_a_refusal_is_a_sentence_and_a_status(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        refuse("It cannot be.", as_json=False, status=130)
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "pointprompt: It cannot be.\n")


def test_of_many_lines_the_first_are_shown():
    assert some(["a"] * 20) == ["a"] * 20
    assert some(["a"] * 23) == [*["a"] * 20, "  and 3 more"]
