"""The endpoints, called by gradio's client over HTTP, and by whoever would like to."""

from __future__ import annotations

import base64
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from pointprompt.server.handed_in import NOT_A_FILE, NOT_FETCHED
from pointprompt.server.service import GONE
from pointprompt.types import Progress
from pointprompt.ui.api import NAMES
from tests.server.test_service import RED, is_color
from tests.server.test_service import photo as square
from tests.ui.served import VISITOR, Server

# Seconds, far more than anything here takes; reached only by a test that fails.
PATIENCE = 60
THINGS = [
    {
        "name": "red",
        "clicks": [{"image": 0, "x": 0.1, "y": 0.1}],
        "settings": {"outline": "tokens"},
    }
]


def connected(server: Server, folder: Path) -> Client:
    return Client(server.url, verbose=False, analytics_enabled=False, download_files=folder)


@pytest.fixture(scope="module")
def client(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = connected(server, tmp_path_factory.mktemp("downloads"))
    yield client
    client.close()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    return [
        square(folder / "a b.png", (0, 0), (2, 2)),
        square(folder / "Катя.png", (1, 1), (3, 3)),
    ]


@pytest.fixture(scope="module")
def opened(client: Client, photos: list[Path]) -> dict[str, Any]:
    files = [handle_file(str(path)) for path in photos]
    return client.predict(files=files, api_name="/analyze")


def said(client: Client, **arguments: Any) -> str:
    """The sentence that a call is refused with."""
    with pytest.raises(AppError) as error:
        client.predict(**arguments)
    return str(error.value)


def test_masks_come_as_files_that_are_right(client, opened, photos):
    assert [one["name"] for one in opened["images"]] == ["a b.png", "Катя.png"]
    found = client.predict(session=opened["session"], things=THINGS, api_name="/predict")
    for one, path in zip(found, photos, strict=True):
        mask = np.array(Image.open(one["mask"])) > 0
        assert mask[is_color(path, RED)].mean() > 0.9
        assert one["pixels"] == mask.sum()
        assert one["image"] == path.name


def test_an_export_and_what_its_recipe_finds_are_zip_files(client, opened, photos, tmp_path):
    formats = ["png", "recipe"]
    archive = client.predict(
        session=opened["session"], things=THINGS, formats=formats, api_name="/export"
    )
    with zipfile.ZipFile(archive) as file:
        file.extract("recipe.safetensors", tmp_path)
        masks = {name: file.read(name) for name in file.namelist() if name.endswith(".png")}
    assert len(masks) == 2
    again, report = client.predict(
        recipe=handle_file(str(tmp_path / "recipe.safetensors")),
        files=[handle_file(str(path)) for path in photos],
        formats=["png"],
        api_name="/apply",
    )
    assert report == {"images": 2, "found": {"red": 2}, "failed": [], "unlike": []}
    with zipfile.ZipFile(again) as file:
        assert {name: file.read(name) for name in masks} == masks


def test_one_client_has_several_sets(client, opened, photos):
    other = client.predict(files=handle_file(str(photos[1])), api_name="/analyze")
    for session, count in ((opened["session"], 2), (other["session"], 1)):
        found = client.predict(session=session, things=THINGS, api_name="/predict")
        assert len(found) == count


def test_another_client_with_the_token_finds_the_session_gone(server, opened, tmp_path):
    other = connected(server, tmp_path)
    for name, more in (("/predict", {}), ("/export", {"formats": ["png"]})):
        sentence = said(other, session=opened["session"], things=THINGS, api_name=name, **more)
        assert sentence == GONE
    other.close()


def test_a_browser_and_a_program_are_never_one_another(server, client, opened, prompt):
    token = opened["session"]
    body = {
        "data": {**prompt, "session": token},
        "component_id": server.canvas,
        "fn_name": "predict",
        "session_hash": client.session_hash,
    }
    for visitor in ("", VISITOR):
        assert server.post("component_server", body, visitor).json()["error"] == "gone"
    # Nor does a program have the visitor's.
    assert said(client, session=prompt["session"], things=THINGS, api_name="/predict") == GONE


def test_files_are_had_by_their_addresses_alone(server, client, opened):
    bare = Client(server.url, verbose=False, analytics_enabled=False, download_files=False)
    bare.session_hash = client.session_hash
    found = bare.predict(session=opened["session"], things=THINGS, api_name="/predict")
    bare.close()
    file = found[0]["mask"]
    path = f"/gradio_api/file={file['path']}"
    assert file["url"] == f"{server.url}{path}"
    answer = server.get(path)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert len(answer.content) == file["size"]
    key, _, name = file["path"].partition("/")
    for other in (f"{key[:-1]}_/{name}", f"{key}/..%2f{name}", f"{key}", f"{key}/{name}/x", name):
        assert server.raw(f"/gradio_api/file={other}")[0] == 404
    assert str(server.uploads.parent) not in json.dumps(found)
    # With its session it goes.
    server.service.store.drop(opened["session"])
    assert server.get(path).status_code == 404


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (["/etc/passwd"], NOT_A_FILE),
        ([{"path": "/etc/passwd"}], NOT_A_FILE),
        ([__file__], NOT_A_FILE),
        (["http://127.0.0.1:1/x.png"], NOT_FETCHED),
        ([7], NOT_A_FILE),
        ([None], NOT_A_FILE),
    ],
)
def test_what_is_no_upload_is_not_read(server, files, sentence):
    with pytest.raises(AppError, match=sentence):
        called(server, "analyze", [files, "", 1])


def test_a_path_of_this_computer_in_gradios_own_form_is_not_read_either(server):
    file = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(AppError) as error:
        called(server, "analyze", [[file], "", 1])
    assert "passwd" not in str(error.value)


def called(server: Server, name: str, data: list[Any], **more: Any) -> Any:
    """What a call by plain HTTP gives, as curl would make it."""
    event = server.post(f"call/{name}", {"data": data, **more}).json()["event_id"]
    told = server.get(f"/gradio_api/call/{name}/{event}").text.strip().splitlines()
    kind, content = told[-2].partition(": ")[2], told[-1].partition(": ")[2]
    if kind == "error":
        raise AppError(message=str((json.loads(content) or {}).get("error")))
    return json.loads(content)


def data_of(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def test_whoever_makes_up_no_name_has_what_the_token_opens(server, photos):
    (told,) = called(server, "analyze", [[data_of(path) for path in photos], "", 1])
    (found,) = called(server, "predict", [told["session"], THINGS, [1]])
    assert [one["index"] for one in found] == [1]
    (mine,) = called(server, "analyze", [[data_of(photos[0])], "", 1], session_hash="me")
    asked = [mine["session"], THINGS, None]
    assert called(server, "predict", asked, session_hash="me")
    for other in ({}, {"session_hash": "you"}):
        with pytest.raises(AppError, match="no longer in the server"):
            called(server, "predict", asked, **other)


def test_limits_are_the_pages(server, photos):
    many = [data_of(photos[0])] * 10
    (told,) = called(server, "analyze", [many, "", 1])
    assert (len(told["images"]), len(told["rejected"])) == (9, 1)
    for every in (0, "x", None, [], 1e99):
        with pytest.raises(AppError, match="a number from 1 on"):
            called(server, "analyze", [["data:video/mp4;base64,AAAA"], "", every])


def test_what_is_described_is_what_is_there(client):
    told = client.view_api(return_format="dict", print_info=False)
    assert set(told["named_endpoints"]) == {f"/{name}" for name in NAMES}
    assert not told["unnamed_endpoints"]

    def parameters(name: str) -> list[tuple[str, bool]]:
        found = told["named_endpoints"][name]["parameters"]
        return [(one["parameter_name"], one["parameter_has_default"]) for one in found]

    assert parameters("/analyze") == [("files", False), ("backbone", True), ("every", True)]
    assert parameters("/predict") == [("session", False), ("things", False), ("images", True)]
    assert parameters("/export") == [("session", False), ("things", False), ("formats", True)]
    assert parameters("/apply") == [("recipe", False), ("files", False), ("formats", True)]
    for name in NAMES:
        described = told["named_endpoints"][f"/{name}"]["description"]
        assert described.endswith(".")
        assert "Args" not in described


def test_a_client_that_goes_takes_its_work_with_it(server, client, photos, monkeypatch):
    begun, held = threading.Event(), threading.Event()

    def analyze(fetch: Any, request: Any, page: str, progress: Any, visitor: str) -> Any:
        begun.set()
        assert held.wait(PATIENCE)
        progress(Progress("read", 0, 1))

    monkeypatch.setattr(server.service, "analyze", analyze)
    job = client.submit(files=[handle_file(str(photos[0]))], api_name="/analyze")
    assert begun.wait(PATIENCE)
    (api,) = {fn.fn.__self__ for fn in server.demo.fns.values() if fn.api_name in NAMES}
    while client.session_hash not in api._jobs:  # It is noted when it has begun.
        threading.Event().wait(0.01)
    api.leave("somebody else")
    api.leave(client.session_hash)
    with pytest.raises(AppError, match="the client that asked for it has gone"):
        job.result(PATIENCE)
    held.set()
    assert not api._jobs


def test_nothing_is_remembered_of_a_call_that_is_done(server, photos):
    (api,) = {fn.fn.__self__ for fn in server.demo.fns.values() if fn.api_name in NAMES}
    called(server, "analyze", [[data_of(photos[0])], "", 1])
    assert not api._jobs


def test_nobody_has_the_examples_of_others_name_another_server(server):
    for host in ("evil.example", server.host):
        told = server.get("/gradio_api/info", Host=host).json()["named_endpoints"]
        assert f'Client("http://{host}")' in told["/predict"]["code_snippets"]["python"]


def test_how_far_the_work_is_is_told(client, photos):
    job = client.submit(files=[handle_file(str(path)) for path in photos], api_name="/analyze")
    job.result(PATIENCE)
    assert job.status().success
