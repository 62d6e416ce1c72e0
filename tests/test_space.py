"""What a Hugging Face Space and a container read before any of our code runs."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from pointprompt import backbones
from pointprompt.ui import stop

ROOT = Path(__file__).parent.parent
HARDWARE = {"cpu-basic", "cpu-upgrade", "t4-small", "t4-medium", "l4x1", "a10g-small"}
COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
# All that the Hub's reference of the header names and we could want.
FIELDS = {
    "title",
    "emoji",
    "colorFrom",
    "colorTo",
    "sdk",
    "sdk_version",
    "python_version",
    "app_file",
    "fullWidth",
    "header",
    "short_description",
    "license",
    "tags",
    "models",
    "preload_from_hub",
    "suggested_hardware",
    "startup_duration_timeout",
    "pinned",
    "thumbnail",
}


@pytest.fixture(scope="module")
def header() -> dict[str, Any]:
    """What stands between the first two lines of three dashes in the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    assert found, "README.md begins with no header"
    fields = yaml.safe_load(found.group(1))
    assert isinstance(fields, dict)
    return fields


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_header_has_only_fields_that_the_hub_knows(header):
    assert set(header) <= FIELDS
    assert {header["colorFrom"], header["colorTo"]} <= COLORS
    assert header["suggested_hardware"] in HARDWARE
    assert re.fullmatch(r"\d+[mh]", header["startup_duration_timeout"])
    assert len(header["short_description"]) <= 60
    assert not header["emoji"].isascii()


def test_the_space_has_a_gradio_that_the_requirements_allow(header):
    assert header["sdk"] == "gradio"
    (gradio,) = re.findall(r"^gradio.*$", read("requirements.txt"), re.MULTILINE)
    assert Version(header["sdk_version"]) in Requirement(gradio).specifier


def test_the_space_has_a_python_that_the_package_allows(header):
    # A number would lose the zero of 3.10.
    assert isinstance(header["python_version"], str)
    (allowed,) = re.findall(r'^requires-python = "(.+)"$', read("pyproject.toml"), re.MULTILINE)
    assert Version(header["python_version"]) in SpecifierSet(allowed)


def test_every_requirement_has_a_wheel_for_the_spaces_python(header):
    lines = re.findall(r"^fpsample.*$", read("requirements.txt"), re.MULTILINE)
    (fpsample,) = [
        one
        for one in map(Requirement, lines)
        if one.marker and one.marker.evaluate({"python_version": header["python_version"]})
    ]
    assert str(fpsample.specifier) == "==0.3.3"


def test_the_space_runs_a_file_that_is_there_and_the_licence_is_ours(header):
    assert (ROOT / header["app_file"]).is_file()
    assert f'license = "{header["license"].upper()}"' in read("pyproject.toml")


def test_the_models_are_those_that_a_person_can_choose(header):
    ours = [info.hub_repository for info in backbones.REGISTRY.values() if info.hub_repository]
    assert sorted(header["models"]) == sorted(ours)


def test_the_tutorials_weights_are_there_before_the_space_starts(header):
    from pointprompt.backbones.weights import HUB_FILE

    repository = backbones.describe("sam_vit_b").hub_repository
    assert header["preload_from_hub"] == [f"{repository} {HUB_FILE}"]


def instructions(name: str) -> list[str]:
    """Of a Dockerfile, one line each."""
    text = re.sub(r"\\\n\s*", "", read("Dockerfile"))
    return [
        line.partition(" ")[2].strip() for line in text.splitlines() if line.startswith(f"{name} ")
    ]


def test_what_is_copied_into_the_container_is_there_and_not_ignored():
    ignored = read(".dockerignore").splitlines()
    assert ignored[0] == "*"
    sources = [source for copy in instructions("COPY") for source in copy.split()[:-1]]
    assert sorted(sources) == ["app.py", "pointprompt", "requirements.txt"]
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored


def test_the_container_installs_and_runs_as_a_space_does():
    assert any(run.endswith("-r requirements.txt") for run in instructions("RUN"))
    assert instructions("CMD") == ['["python", "app.py"]']


def test_the_container_starts_from_one_release_of_the_spaces_python(header):
    (image,) = instructions("FROM")
    release = re.fullmatch(r"python:(\d+\.\d+)\.\d+-slim-[a-z]+", image)
    assert release, image
    assert release.group(1) == header["python_version"]


def test_the_container_is_stopped_by_a_signal_that_the_page_ends_on():
    # As a list: a shell in between would be process 1, and would not pass the signal on.
    assert json.loads(instructions("CMD")[0])[0] == "python"
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert instructions("ENTRYPOINT") == []
    assert signal.SIGTERM in stop._SIGNALS


def test_the_environment_of_a_space_is_made_from_the_requirements_alone():
    (recipe,) = re.findall(r"^space:.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)
    assert "-m venv --clear" in recipe
    installs = re.findall(r"pip install (.*)", recipe)
    assert len(installs) == 1
    assert installs[0].endswith(" -r $(SPACE)/requirements.txt")
    assert "--system-site-packages" not in recipe
    assert "make space" in read(".ci/run")


def test_the_containers_user_is_not_root_and_its_weights_outlive_it():
    (user,) = instructions("USER")
    assert user not in ("root", "0")
    assert any(f"useradd --create-home {user} " in run for run in instructions("RUN"))
    (volume,) = instructions("VOLUME")
    assert f"HF_HOME={volume}" in instructions("ENV")
    assert any(f"--owner {user} {volume}" in run for run in instructions("RUN"))


def test_the_containers_health_is_that_of_the_page_it_serves():
    (port,) = instructions("EXPOSE")
    assert f"GRADIO_SERVER_PORT={port}" in " ".join(instructions("ENV"))
    (check,) = instructions("HEALTHCHECK")
    assert f"http://127.0.0.1:{port}" in check
