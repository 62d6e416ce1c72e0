"""What is asked for and sent in every way known: only what the page needs gets through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pointprompt.server.session import Session
from pointprompt.ui import allowed, guard, static_files
from tests.ui.served import EVIL, EVIL_SVG, MARK, VISITOR, Server, call, cookie


def evil_paths(server: Server, session: Session) -> list[str]:
    """Files of this computer that gradio could be asked for."""
    response = server.upload(
        ("evil.html", EVIL), ("evil.svg", EVIL_SVG), ("photo.jpg", b"\xff\xd8")
    )
    assert response.status_code == 200
    uploaded = response.json()
    linked = [str(path) for path in session.folder.rglob("*") if path.is_file()]
    assert any(path.endswith("000.jpg") for path in linked)
    code = [str(Path(guard.__file__)), str(static_files._FOLDER / "page.css"), "/etc/passwd"]
    return [*uploaded, *linked, *code]


def test_gradio_serves_no_file_by_its_path_whosever_it_is(server, session):
    for path in evil_paths(server, session):
        for address in (
            f"/gradio_api/file={path}",
            f"/gradio_api/file=/{path}",
            f"/gradio_api/file%3D{path}",
            f"/gradio_api//file={path}",
            f"//gradio_api/file={path}",
            f"/gradio_api/./file={path}",
            f"/x/../gradio_api/file={path}",
            f"/gradio_api/file{path}",
            f"/gradio_api/file/{path}",
            f"/file={path}",
            f"/file{path}",
            f"/static/..{path}",
            f"/static/%2e%2e{path}",
            f"/assets/..%2f..{path}",
            f"/static{path}",
            f"/assets{path}",
            f"/pointprompt/static{path}",
            f"/pointprompt/pictures/..{path}",
            f"/gradio_api/stream{path}",
            f"/gradio_api/proxy={server.url}/gradio_api/file={path}",
            f"/gradio_api/custom_component/x/client/y{path}",
            f"/?deep_link={path}",
            f"/config?deep_link={path}",
        ):
            status, body = server.raw(address)
            assert status in (404, 403, 400) or "deep_link" in address, address
            assert b"document.title" not in body, address
            assert b"root:" not in body, address


@pytest.mark.parametrize(
    "address",
    [
        "/monitoring",
        "/monitoring/summary",
        "/monitoring/x",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/gradio_api/openapi.json",
        "/gradio_api/info/x",
        "/gradio_api/runs",
        "/gradio_api/run-history/records",
        "/gradio_api/token",
        "/gradio_api/user",
        "/gradio_api/login_check",
        "/gradio_api/queue/status",
        "/gradio_api/vibe-code",
        "/gradio_api/mcp",
        "/gradio_api/mcp/schema",
        "/gradio_api/mcp/sse",
        "/gradio_api/dev/reload",
        "/gradio_api/deep_link?session_hash=x",
        "/gradio_api/proxy=http://127.0.0.1/",
        "/gradio_api/file=http://127.0.0.1/",
        "/gradio_api/stream/a/b/1/playlist.m3u8",
        "/gradio_api/stream/a/b/1/playlist-file",
        "/gradio_api/call/x/y",
        "/gradio_api/call/predict",
        "/gradio_api/call/predict/" + "0" * 31,
        "/gradio_api/call/../predict/" + "0" * 32,
        "/gradio_api/file=" + "k" * 43,
        "/gradio_api/file=" + "k" * 43 + "/mask.html",
        "/gradio_api/file=" + "k" * 43 + "/../mask.png",
        "/gradio_api/file=" + "k" * 43 + "/mask.png",
        "/svelte/x",
        "/pwa_icon",
        "/login",
        "/logout",
        "/gradio_api/heartbeat/" + "x" * 65,
        "/gradio_api/heartbeat/a%2fb",
        "/gradio_api/upload_progress?upload_id=" + "x" * 600,
    ],
)
def test_what_the_page_never_asks_for_is_not_there(server, address):
    assert server.get(address, VISITOR).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "vibe-edit",
        "vibe-code",
        "undo-vibe-edit",
        "process_recording",
        "call/v2/predict",
        "mcp",
        "mcp/http",
        "mcp/messages/",
        "api/predict",
        "run/analyze",
        "stream/x",
        "stream/x/close",
        "run-history/connect",
        "login",
        "profiling/clear",
        "cancel",
        "reset",
    ],
)
def test_what_the_page_never_sends_is_not_taken(server, path):
    assert server.post(path, {"session_hash": "x", "data": []}).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "BREW"])
def test_no_other_method_does_anything(server, method):
    for path in ("/", "/gradio_api/upload", "/gradio_api/component_server"):
        assert server.http.request(method, path).status_code == 404


def test_of_the_addresses_query_nothing_reaches_gradio(server):
    for query in ("page=nowhere", "deep_link=../../etc", "deep_link=x", "user=x", "%ff=%ff"):
        assert server.get(f"/?{query}").status_code == 200
        assert server.get(f"/config?{query}").status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_can_link_to_this_one_and_do_nothing_else(server, download, site):
    headers = {"Sec-Fetch-Site": site, **cookie(VISITOR)}
    visit = server.http.get("/", headers={**headers, "Sec-Fetch-Mode": "navigate"})
    assert visit.status_code == 200
    for path in ("/", "/config", download, "/gradio_api/app_id"):
        for mode in ("no-cors", "cors", *(["navigate"] if path != "/" else [])):
            answer = server.http.get(path, headers={**headers, "Sec-Fetch-Mode": mode})
            assert (answer.status_code, answer.text) == (403, allowed.FROM_ELSEWHERE)
    for path in ("queue/join", "component_server", "upload"):
        answer = server.http.post(f"/gradio_api/{path}", json={}, headers=headers)
        assert answer.status_code == 403


def test_nobody_is_told_of_the_pages_own_events(server):
    for query in ("", "?all_endpoints=true", "?all_endpoints=true&page="):
        told = server.get(f"/gradio_api/info{query}").json()
        assert set(told["named_endpoints"]) == {"/analyze", "/predict", "/export", "/apply"}
        assert not told["unnamed_endpoints"]


def endpoint(server: Server, name: str) -> int:
    (found,) = (n for n, fn in server.demo.fns.items() if fn.api_name == name)
    return found


def test_no_message_has_gradio_fetch_an_address(server):
    for path in ("http://127.0.0.1/x.png", "https://example.org/x.png", "file:///etc/passwd"):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        for data in ([[file], "", 1], [{"deep": [{"er": file}]}, "", 1]):
            body = {"session_hash": "x", "fn_index": endpoint(server, "analyze"), "data": data}
            for place in ("queue/join", "call/analyze"):
                assert server.post(place, body).status_code == 400
        event = server.event("pp-analyze", "click")
        body = {"session_hash": "x", "fn_index": event, "data": ["", "", "", "", False, [file], 1]}
        assert server.post("queue/join", body).status_code == 400


def test_endpoints_are_called_by_their_names_and_no_event_of_the_page_is(server):
    for name in ("_analyze_files", "analyze_example", "_export", "", "analyze/x"):
        assert server.post(f"call/{name}", {"data": []}).status_code in (400, 404), name
    for wrong in ({}, [], {"data": {}}, {"data": [], "session_hash": "../x"}, {"data": None}):
        assert server.post("call/predict", wrong).status_code == 400
    # Past the queue, none.
    body = {"session_hash": "x", "fn_index": endpoint(server, "predict"), "data": ["", [], None]}
    assert server.post("run/predict", body).status_code == 400


def test_a_message_of_a_program_is_as_large_as_one_of_the_page(server):
    headers = {"Content-Type": "application/json"}
    for place in ("call/predict", "queue/join"):
        content = b'{"data": ["' + b"x" * 10_000_001
        answer = server.http.post(f"/gradio_api/{place}", content=content, headers=headers)
        assert answer.status_code == 413


def test_another_site_calls_no_endpoint(server):
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site}
        for path in ("call/predict", "queue/join", "upload"):
            answer = server.http.post(f"/gradio_api/{path}", json={"data": []}, headers=headers)
            assert (answer.status_code, answer.text) == (403, allowed.FROM_ELSEWHERE)
        assert server.http.get("/gradio_api/info", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "message",
    [
        [],
        7,
        {"params": {"arguments": {"files": [{"path": "/etc/passwd"}]}}},
        {"params": {"arguments": {"recipe": {"path": "x", "meta": {"_type": "gradio.FileData"}}}}},
        {"params": [[[{"path": None}]]]},
    ],
)
def test_no_message_of_an_assistant_has_gradio_upload_a_file_of_this_computer(message):
    with pytest.raises(allowed.Refused):
        allowed.check_assistants_message(json.dumps(message).encode())


def test_a_message_of_an_assistant_may_hold_what_endpoints_take():
    things = [{"name": "cat", "clicks": [{"image": 0, "x": 0.5, "y": 0.5}]}]
    arguments = {"session": "s", "things": things}
    allowed.check_assistants_message(json.dumps({"params": {"arguments": arguments}}).encode())


WRONG_ENVELOPES: list[Any] = [
    None,
    [],
    7,
    "text",
    {},
    {"session_hash": "x"},
    {"session_hash": "x", "component_id": 10**9, "fn_name": "predict", "data": {}},
    {"session_hash": "x", "component_id": -1, "fn_name": "predict", "data": {}},
    {"session_hash": "x", "component_id": "1", "fn_name": "predict", "data": {}},
    {"session_hash": "x", "component_id": True, "fn_name": "predict", "data": {}},
    {"session_hash": "x", "component_id": [1], "fn_name": "predict", "data": {}},
    {"session_hash": "x", "component_id": None, "fn_name": "__init__", "data": {}},
    {"session_hash": "x", "fn_index": 10**9, "data": []},
    {"session_hash": "x", "fn_index": -1, "data": []},
    {"session_hash": "x", "fn_index": True, "data": []},
    {"session_hash": "x", "fn_index": 0, "data": MARK},
    {"session_hash": "x", "fn_index": 0, "data": None},
    {"session_hash": "x", "fn_index": 0, "data": [], "batched": True},
    {"session_hash": "x", "fn_index": 0, "data": [], "simple_format": True},
    {"session_hash": [MARK], "fn_index": 0, "data": []},
    {"session_hash": "x" * 65, "fn_index": 0, "data": []},
    {"session_hash": "../x", "fn_index": 0, "data": []},
    {"session_hash": None, "fn_index": 0, "data": []},
    {"session_hash": "x", "fn_index": 0, "data": [], "trigger_id": MARK},
    {"session_hash": "x", "fn_index": 0, "data": [], "event_id": {MARK: MARK}},
]


@pytest.mark.parametrize("body", WRONG_ENVELOPES)
@pytest.mark.parametrize("path", ["component_server", "queue/join", "run/predict"])
def test_a_message_of_another_form_is_refused_without_a_word_of_it(server, path, body):
    answer = server.post(path, body)
    assert (answer.status_code, answer.text) == (400, allowed.NOT_UNDERSTOOD)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 900_000,
        b'{"a":' * 150_000,
        b"1" * 900_000,
        b"NaN",
        b"\x00",
        b'{"a":"\\ud800"}',
    ],
    ids=lambda content: repr(content[:6]),
)
@pytest.mark.parametrize("path", ["component_server", "queue/join", "run/predict"])
def test_what_is_no_json_is_refused(server, path, content):
    json_type = {"Content-Type": "application/json"}
    answer = server.http.post(f"/gradio_api/{path}", content=content, headers=json_type)
    assert (answer.status_code, answer.text) == (400, allowed.NOT_UNDERSTOOD)


@pytest.mark.parametrize("content_type", ["text/plain", "", "multipart/form-data; boundary=x"])
def test_a_message_has_the_type_that_another_site_cannot_send_unasked(server, prompt, content_type):
    body = json.dumps(call(server, prompt)).encode()
    headers = {"Content-Type": content_type}
    for path in ("component_server", "queue/join"):
        answer = server.http.post(f"/gradio_api/{path}", content=body, headers=headers)
        assert answer.status_code == 400


def test_only_the_pages_own_functions_and_events_can_be_called(server):
    for block in server.demo.blocks:
        for name in ("ls", "load_templates", "get_prop", "postprocess", "canvas", "__class__"):
            body = call(server, MARK, component_id=block, fn_name=name)
            assert server.post("component_server", body).status_code == 400
    unloads = [n for n, fn in server.demo.fns.items() if any(e == "unload" for _, e in fn.targets)]
    assert unloads
    for event in unloads:
        body = {"session_hash": "victim", "fn_index": event, "data": []}
        assert server.post("queue/join", body).status_code == 400
        assert server.post("run/predict", body).status_code == 400
