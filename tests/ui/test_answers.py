"""What the head of every answer says, and what no answer does."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

import httpx

from pointprompt.ui import guard


def policy_of(answer: httpx.Response) -> dict[str, str]:
    header = answer.headers["content-security-policy"]
    return dict(part.strip().partition(" ")[::2] for part in header.split(";"))


def test_in_the_page_only_its_own_scripts_run(server):
    answer = server.get("/")
    policy = policy_of(answer)
    assert "unsafe-inline" not in policy["script-src"]
    assert policy["object-src"] == "'none'"
    assert policy["default-src"] == policy["connect-src"] == "'self'"
    assert "https://huggingface.co" in policy["frame-ancestors"]
    scripts = re.findall(r"<script(?![^>]* src)[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    assert len(scripts) >= 3
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy["script-src"]


def test_every_answer_says_that_types_are_what_they_are_called(server):
    for address in ("/", "/config", "/theme.css", "/nothing", "/gradio_api/app_id"):
        answer = server.get(address)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "content-security-policy" in answer.headers


def test_the_page_tells_no_path_of_this_computer(server):
    for address in ("/", "/config"):
        text = html.unescape(server.get(address).text)
        for path in (Path(guard.__file__).parent, server.uploads, server.service.store.root):
            assert str(path) not in text


def test_a_host_that_is_made_up_is_not_told_to_others(server):
    for address in ("/", "/config"):
        server.get(address, **{"X-Forwarded-Host": "evil.example", "Host": "evil.example"})
        assert "evil.example" not in server.get(address).text
