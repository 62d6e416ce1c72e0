"""What the page "Use via API" shows, each of it run as a person would."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from gradio import routes
from gradio_client import Client, handle_file
from PIL import Image

from pointprompt.ui import snippets
from pointprompt.ui.api import NAMES
from tests.examples import run
from tests.server.test_service import photo
from tests.serving import PATIENCE
from tests.serving import ROOT as PROJECT
from tests.ui.served import Server

ROOT = "https://example.org/below"
LANGUAGES = {"python", "javascript", "bash"}


def test_every_endpoint_has_an_example_in_every_language_with_the_servers_address():
    for name in NAMES:
        made = snippets.snippets_of(f"/{name}", {}, ROOT, space_id=None, api_prefix="/gradio_api/")
        assert set(made) == LANGUAGES
        for language, text in made.items():
            assert ROOT in text, (name, language)
            assert name in text
            assert "{where}" not in text


def test_of_a_space_its_name_is_enough():
    made = snippets.snippets_of("/analyze", {}, ROOT, space_id="me/space")
    assert 'Client("me/space")' in made["python"]
    assert 'Client.connect("me/space")' in made["javascript"]
    assert ROOT in made["bash"]


def test_gradios_command_is_another_client_each_time_and_that_is_said():
    described = {
        f"/{name}": {"parameters": [], "returns": [], "api_visibility": "public"} for name in NAMES
    }
    made = snippets.commands_of(described)
    assert "{command} predict {space_id} /apply" in made["/apply"]
    assert {made[f"/{name}"] for name in ("analyze", "predict", "export")} == {
        "# This takes more than one call, and one client: use Python, JavaScript or cURL."
    }


def test_gradio_shows_these_and_its_own_of_other_endpoints(server):
    assert routes.generate_code_snippets is snippets.snippets_of
    told = server.get("/gradio_api/info").json()["named_endpoints"]
    for name in NAMES:
        root = server.url
        shown = told[f"/{name}"]["code_snippets"]
        assert {key: shown[key] for key in LANGUAGES} == snippets.snippets_of(f"/{name}", {}, root)
    other = snippets.snippets_of("/other", {"parameters": []}, ROOT, api_prefix="/gradio_api/")
    assert "/other" in other["python"]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Path:
    """A folder with what examples name: two photos and a recipe."""
    folder = tmp_path_factory.mktemp("work")
    for name, place in (("a", (1, 1)), ("b", (2, 0))):
        picture = Image.open(photo(folder / "square.png", place, (0, 3)))
        picture.save(folder / f"{name}.jpg", quality=95)
    client = Client(server.url, verbose=False, analytics_enabled=False, download_files=folder)
    files = [handle_file(str(folder / name)) for name in ("a.jpg", "b.jpg")]
    session = client.predict(files=files, api_name="/analyze")["session"]
    things = [{"clicks": [{"image": 0, "x": 0.42, "y": 0.31}]}]
    archive = client.predict(session=session, things=things, formats=["recipe"], api_name="/export")
    zipfile.ZipFile(archive).extract("recipe.safetensors", folder)
    client.close()
    # Where Node looks for packages.
    (folder / "node_modules").symlink_to(PROJECT / "node_modules")
    return folder


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_example_runs(server, work, language):
    told = server.get("/gradio_api/info").json()["named_endpoints"]
    printed = {
        name: "\n".join(run(told[f"/{name}"]["code_snippets"][language], language, work))
        for name in NAMES
    }
    assert "session" in printed["analyze"]
    assert "b.jpg" in printed["predict"]
    assert "pointprompt-masks.zip" in printed["export"]
    assert "pointprompt-masks.zip" in printed["apply"]
    assert "unlike" in printed["apply"]


def test_gradios_command_applies_a_recipe(server, work):
    told = server.get("/gradio_api/info").json()["named_endpoints"]
    command = told["/apply"]["code_snippets"]["cli"]
    gradio = f"{sys.executable} -c 'from gradio.cli import cli; cli()'"
    done = subprocess.run(
        ["bash", "-c", command.replace("{command}", gradio)],
        cwd=work,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "unlike" in done.stdout
