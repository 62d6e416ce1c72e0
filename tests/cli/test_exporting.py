"""Prompt files on sets: the masks that they say, where they are about those images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pointprompt.cli.exporting import labelled
from pointprompt.exporting import write_new
from pointprompt.formats.prompt_json import ImageEntry, PromptFile, read_prompt
from pointprompt.settings import Settings
from pointprompt.things import Thing
from pointprompt.types import Click
from tests.recipes import made

CAT = replace(made.CAT, settings=Settings(outline="tokens"))
PROMPT = PromptFile((Thing("nothing"), CAT))


def test_what_was_written_is_read_again(tmp_path: Path):
    write_new(tmp_path / "out", labelled(made.analysis(), PROMPT), ["png"])
    again = read_prompt((tmp_path / "out" / "prompt.json").read_bytes())
    assert again.things == (CAT,)
    labelled(made.analysis(), again)


def test_images_that_are_left_out_are_not_counted(tmp_path: Path):
    given = labelled(made.analysis(), PROMPT._replace(skipped=(0,)))
    assert write_new(tmp_path / "out", given, ["png"]) == {"cat": made.N - 1}


def test_a_prompt_about_other_images_is_refused():
    with pytest.raises(ValueError, match="image 4, counted from 0, and the set has 4"):
        labelled(made.analysis(), PromptFile((Thing("cat", (Click(4, 0.5, 0.5),)),)))
    others = tuple(ImageEntry(f"{i}.png", 9, 9) for i in range(made.N))
    with pytest.raises(ValueError, match="other images than those of this set"):
        labelled(made.analysis(), PROMPT._replace(images=others))


def test_nothing_marked_is_a_sentence():
    with pytest.raises(ValueError, match="Nothing is marked"):
        labelled(made.analysis(), PromptFile((Thing("nothing"),)))
