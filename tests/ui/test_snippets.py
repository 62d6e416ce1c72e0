"""What the page "Use via API" shows; `tests/e2e/test_api.py` runs it."""

from __future__ import annotations

from gradio import routes

from pointprompt.ui import snippets
from pointprompt.ui.api import NAMES

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
