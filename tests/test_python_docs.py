"""All that `import pointprompt` gives is documented, and docs/python.md lists it with examples."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from pathlib import Path
from types import FunctionType

import pytest

import pointprompt

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "python.md").read_text(encoding="utf-8")
# What is used by the name of what returns or holds it.
RETURNED_BY = {
    "Prediction": "predict",
    "Applied": "apply",
    "Analysis": "analyze",
    "Recipe": "read_recipe",
}

_MEMBERS = (property, classmethod, FunctionType)


def listed() -> dict[str, str]:
    """The example of each name on the page."""
    rows = re.findall(r"^\| `(\w+)` \| .+ \| \[.+\]\((.+)\) \|$", PAGE, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a name is listed twice"
    return dict(rows)


def code_of(example: Path) -> str:
    text = example.read_text(encoding="utf-8")
    if example.suffix == ".py":
        return text
    if example.suffix == ".md":
        return "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    cells = json.loads(text)["cells"]
    return "\n".join("".join(one["source"]) for one in cells if one["cell_type"] == "code")


def section(text: str, name: str) -> str:
    """What stands under a heading of a docstring."""
    return text.partition(f"\n{name}:\n")[2].partition("\n\n")[0]


def test_the_page_lists_every_name_there_is_and_none_that_is_not():
    assert sorted(listed()) == sorted(pointprompt.__all__)


@pytest.mark.parametrize("name", pointprompt.__all__)
def test_the_example_of_a_name_uses_it(name):
    code = code_of(DOCS / listed()[name])
    assert re.search(rf"\b{RETURNED_BY.get(name, name)}\(", code) or re.search(
        rf"\bpointprompt\.{name}\b", code
    )


@pytest.mark.parametrize("name", pointprompt.__all__)
def test_every_name_is_documented_in_full(name):
    one = getattr(pointprompt, name)
    text = inspect.getdoc(one) or ""
    assert text.splitlines()[0].endswith(".")
    if inspect.isfunction(one):
        assert section(text, "Raises")
        for parameter in inspect.signature(one).parameters:
            assert f"{parameter}: " in section(text, "Args"), parameter
    elif dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            assert f"{field.name}: " in section(text, "Attributes"), field.name
    if inspect.isclass(one) and not issubclass(one, Exception):
        for member, value in vars(one).items():
            if isinstance(value, _MEMBERS) and not member.startswith("_"):
                assert inspect.getdoc(value), member
