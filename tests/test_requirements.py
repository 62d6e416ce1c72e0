"""What is said twice is said alike, and what the page needs is in the package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from pointprompt.formats.prompt_json import PACKAGES

ROOT = Path(__file__).parent.parent
# ZeroGPU has only these; pyproject.toml allows newer.
NARROWER = {"torch": ">=2.8,<2.12"}
# Of the rest, each is bounded from above. These show, fetch and store, make colours only, or make
# the image files of a video that masks are then of; and torchvision names the one torch that it
# goes with.
MOVES_NO_MASK = {
    "av",
    "gradio",
    "huggingface-hub",
    "pyarrow",
    "rich",
    "safetensors",
    "scikit-image",
    "scikit-learn",
    "torchvision",
}


def dependencies() -> dict[str, Requirement]:
    """The dependencies of pyproject.toml, by name and for whom."""
    # Python 3.10 has no TOML reader of its own.
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (block,) = re.findall(r"^dependencies = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    return by_name(re.findall(r'^\s*"(.+)",$', block, re.MULTILINE))


def requirements() -> dict[str, Requirement]:
    """The lines of requirements.txt, by name and for whom."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return by_name([line for line in lines if line.strip() and not line.startswith("#")])


def by_name(lines: list[str]) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines]
    names = [f"{one.name} {one.marker or ''}".strip() for one in found]
    assert len(names) == len(set(names)), "a package is listed twice"
    return dict(zip(names, found, strict=True))


def test_both_files_list_the_same_packages():
    assert len(requirements()) > 10
    assert sorted(requirements()) == sorted(dependencies())


@pytest.mark.parametrize("name", sorted(dependencies()))
def test_both_files_ask_for_the_same_versions(name):
    asked, allowed = requirements()[name], dependencies()[name]
    if name in NARROWER:
        assert str(asked.specifier) == str(Requirement(name + NARROWER[name]).specifier)
        # Whatever is asked for is allowed, and what is installed here was tested.
        assert "2.8" in allowed.specifier
        assert "2.11" in allowed.specifier
        assert metadata.version(name) in allowed.specifier
    else:
        assert asked.specifier == allowed.specifier
    assert asked.marker == allowed.marker
    assert asked.extras == allowed.extras


def test_every_package_whose_version_moves_masks_is_named_in_a_prompt_file():
    moving = {one.name for one in dependencies().values()} - MOVES_NO_MASK
    assert moving == set(PACKAGES)


@pytest.mark.parametrize("listed", [dependencies, requirements])
def test_every_package_whose_version_moves_masks_is_bounded_to_what_was_tested(listed):
    for one in listed().values():
        if one.name not in MOVES_NO_MASK:
            assert any(part.operator in ("<", "==") for part in one.specifier), one
            assert Version("99") not in one.specifier


def test_what_is_installed_here_is_what_is_asked_for():
    for one in dependencies().values():
        if one.marker is None or one.marker.evaluate():
            assert metadata.version(one.name) in one.specifier


@pytest.mark.parametrize("name", sorted(requirements()))
def test_no_requirement_names_where_to_get_it(name):
    assert requirements()[name].url is None


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of the wheel, built from a copy of the sources alone."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(
        ROOT / "pointprompt", source / "pointprompt", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = "import setuptools.build_meta as backend; backend.build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def package_files() -> set[str]:
    """The package's files, as the wheel should hold them."""
    files = (ROOT / "pointprompt").rglob("*")
    return {
        file.relative_to(ROOT).as_posix()
        for file in files
        # gradio writes a .pyi beside a component's subclass.
        if file.is_file() and file.suffix not in (".pyc", ".pyi")
    }


def test_a_built_wheel_holds_every_file_of_the_package(wheel_names):
    assert package_files() - wheel_names == set()


def test_a_built_wheel_holds_nothing_beside_the_package(wheel_names):
    folders = {name.partition("/")[0] for name in wheel_names}
    assert {folder for folder in folders if not folder.endswith(".dist-info")} == {"pointprompt"}
