"""The README's tree names every room of the project, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pointprompt"
# In the tree besides the rooms of the package.
BESIDE = {"pointprompt", "tests", "e2e", "benchmarks", "docs", "decisions", "assets"}


@pytest.fixture(scope="module")
def tree() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```\n(app\.py.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(block)


def test_every_room_that_the_tree_names_is_there_and_it_names_every_room(tree: str) -> None:
    code = [path for suffix in ("py", "js") for path in PACKAGE.rglob(f"*.{suffix}")]
    rooms = {path.parent.name for path in code if path.parent != PACKAGE}
    assert set(re.findall(r"(\w+)/", tree)) == rooms | BESIDE


def test_every_loose_module_that_the_tree_names_is_there_and_it_names_every_one(tree: str) -> None:
    loose = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"^  (\w+\.py)", tree, re.MULTILINE)) == loose


def test_what_the_tree_names_beside_the_package_is_there(tree: str) -> None:
    named = re.findall(r"^(\w[\w.]*)", tree, re.MULTILINE)
    assert all((ROOT / name).exists() for name in named)


@pytest.mark.parametrize(
    "door",
    [door for door in sorted(PACKAGE.rglob("__init__.py")) if door.parent != PACKAGE],
    ids=lambda door: door.parent.name,
)
def test_a_door_names_every_file_of_its_room_and_no_other(door: Path) -> None:
    files = {path.name for path in door.parent.glob("*.py")} - {door.name}
    assert set(re.findall(r"\b\w+\.py\b", door.read_text(encoding="utf-8"))) == files
