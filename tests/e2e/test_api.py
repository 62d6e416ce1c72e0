"""Every example of docs/api.md, run against a server as it is started; and assistants there."""

from __future__ import annotations

import asyncio
import json
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image
from playwright.sync_api import Browser, expect

from pointprompt.sources.examples import example_set
from pointprompt.ui.api import NAMES
from tests.e2e.browser import PATIENCE_MS, new_context
from tests.examples import run
from tests.serving import PATIENCE, ROOT, Server, serving

DOCS = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
# Of the documents.
ADDRESS = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serving") / "tmp"
    folder.mkdir()
    with serving(folder, "--mcp", "--max-images=3", "--device=cpu") as server:
        yield server


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Path:
    """A folder with what examples name: two photos and a recipe."""
    folder = tmp_path_factory.mktemp("work")
    images = example_set("cat-or-not").images
    for name, image in zip(("a", "b"), images, strict=False):
        Image.fromarray(image.load()).resize((160, 120)).save(folder / f"{name}.jpg")
    client = Client(server.url, verbose=False, download_files=folder)
    files = [handle_file(str(folder / name)) for name in ("a.jpg", "b.jpg")]
    session = client.predict(files=files, api_name="/analyze")["session"]
    things = [{"name": "cat", "clicks": [{"image": 0, "x": 0.42, "y": 0.31}]}]
    archive = client.predict(session=session, things=things, formats=["recipe"], api_name="/export")
    zipfile.ZipFile(archive).extract("recipe.safetensors", folder)
    client.close()
    # Where Node looks for packages.
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    return folder


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)


def test_the_documents_have_no_other_examples_than_those_that_are_run():
    languages = re.findall(r"^```(\w+)$", DOCS, re.MULTILINE)
    assert sorted(languages) == ["javascript", "json", "python", "python", "python", "sh"]


def test_the_example_in_python_and_the_recipe_after_it_run(server, work):
    first, second, _ = blocks("python")
    printed = run((first + second).replace(ADDRESS, server.url), "python", work)
    assert [line.split()[0] for line in printed[:2]] == ["a.jpg", "b.jpg"]
    presence, pixels = map(float, printed[0].split()[1:3])
    assert presence > 0.5
    assert 100 < pixels < 160 * 120
    assert printed[2].startswith("{'cat': ")
    assert printed[2].endswith("[] []")


def test_the_example_in_javascript_runs(server, work):
    (code,) = blocks("javascript")
    printed = run(code.replace(ADDRESS, server.url), "javascript", work)
    assert [line.split()[0] for line in printed[:2]] == ["a.jpg", "b.jpg"]
    assert all(int(line.split()[3]) > 100 for line in printed[:2])
    assert int(printed[2]) > 1000


def test_the_example_with_curl_runs(server, work):
    (code,) = blocks("sh")
    (printed,) = run(code.replace(ADDRESS, server.url), "sh", work)
    (found,) = json.loads(printed)
    assert [(one["image"], one["thing"]) for one in found] == [("b.jpg", "cat")]


def test_the_example_of_an_assistant_runs(server, work):
    code = blocks("python")[2].replace(ADDRESS, server.url)
    found, archive = run(code, "python", work)
    assert found.count(f"{server.url}/gradio_api/file=") == 2
    assert re.search(rf"{server.url}/gradio_api/file=[\w-]{{43}}/pointprompt-masks.zip", archive)
    (config,) = blocks("json")
    address = json.loads(config)["mcpServers"]["pointprompt"]["url"]
    assert address.replace(ADDRESS, server.url) in code


def tool(server: Server, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """The tools of the server, and the answers to calls of some."""

    async def ask() -> list[Any]:
        url = f"{server.url}/gradio_api/mcp/"
        async with (
            streamable_http_client(url) as (read, write, _),
            ClientSession(read, write) as client,
        ):
            await client.initialize()
            listed = (await client.list_tools()).tools
            return [listed, *[await client.call_tool(*call) for call in calls]]

    # In a thread of its own: where a browser is tested, this one has a loop already.
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(lambda: asyncio.run(ask())).result(PATIENCE)


def test_an_assistant_is_told_what_there_is_and_how_it_is_called(server):
    (listed,) = tool(server)
    assert [one.name for one in listed] == [*NAMES]
    for one in listed:
        assert "Returns: " in one.description
        described = one.inputSchema["properties"]
        assert all(field["description"].endswith(".") for field in described.values())
    assert "data: URL" in listed[0].inputSchema["properties"]["files"]["description"]


def test_an_assistant_hands_in_an_upload_too_and_nothing_that_lies_elsewhere(server, work):
    files = [("files", ("c.jpg", (work / "a.jpg").read_bytes()))]
    (path,) = httpx.post(f"{server.url}/gradio_api/upload", files=files).json()
    address = f"{server.url}/gradio_api/file={path}"
    assert httpx.get(address).status_code == 404
    refused = [
        "/etc/passwd",
        str(work / "a.jpg"),
        "http://127.0.0.1:1/a.jpg",
        f"{server.url}/pointprompt/x.jpg",
    ]
    _, *answers = tool(
        server,
        ("analyze", {"files": [path]}),
        ("analyze", {"files": [address]}),
        *[("analyze", {"files": [one]}) for one in refused],
        ("apply", {"recipe": "/etc/passwd", "files": [path]}),
        ("apply", {"recipe": "data:x/y;base64,AAAA", "files": [path]}),
        ("predict", {"session": "x", "things": [{"clicks": []}]}),
    )
    assert [answer.isError for answer in answers] == [False] * 2 + [True] * 7
    assert "c.jpg" in answers[0].content[0].text
    said = " ".join(answer.content[0].text for answer in answers[2:])
    assert "passwd" not in said
    assert "Traceback" not in said
    assert "no longer in the server's memory" in answers[-1].content[0].text


def test_gradios_own_client_is_never_had_to_read_a_file_of_the_server(server, work):
    secret = work / "a.jpg"
    for file in (
        {"path": str(secret)},
        {"path": str(secret), "meta": {"_type": "gradio.FileData"}},
    ):
        for arguments in ({"files": [file]}, {"files": file}, {"recipe": file, "files": []}):
            call = {"name": "apply" if "recipe" in arguments else "analyze", "arguments": arguments}
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
            headers = {"Accept": "application/json, text/event-stream"}
            answer = httpx.post(f"{server.url}/gradio_api/mcp/", json=body, headers=headers)
            assert answer.status_code == 400


def test_of_the_assistants_protocol_nothing_else_is_there(server):
    url = f"{server.url}/gradio_api/mcp"
    for path in ("", "/", "/sse", "/http", "/messages/", "/schema/x"):
        assert httpx.get(url + path).status_code == 404
    for path in ("/sse", "/http", "/messages/", "/schema"):
        assert httpx.post(url + path, json={}).status_code == 404
    assert (
        httpx.post(url + "/", json={}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    )
    assert (
        httpx.post(url + "/", content=b"{", headers={"Content-Type": "text/plain"}).status_code
        == 400
    )
    content = b'{"x": "' + b"x" * 10_000_001
    json_type = {"Content-Type": "application/json"}
    assert httpx.post(url + "/", content=content, headers=json_type).status_code == 413
    assert [one["name"] for one in httpx.get(url + "/schema").json()] == [*NAMES]


def test_the_page_shows_the_examples_by_its_address_and_by_its_button(url: str, browser: Browser):
    context = new_context(browser)
    tab = context.new_page()
    tab.goto(f"{url}?view=api")
    shown = tab.locator(".api-docs")
    expect(shown).to_contain_text("4 API endpoints", timeout=PATIENCE_MS)
    for name in NAMES:
        expect(shown).to_contain_text(f"/{name}")
    expect(shown).to_contain_text('handle_file("a.jpg")')
    tab.goto(url)
    tab.locator("footer .show-api").click()
    expect(shown).to_contain_text("4 API endpoints", timeout=PATIENCE_MS)
    context.close()
