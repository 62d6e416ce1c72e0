"""Who a request comes from."""

from __future__ import annotations

import re

import gradio
import pytest

from pointprompt.ui import visitors
from tests.ui.served import VISITOR


def test_the_page_makes_a_browser_a_visitor_whom_no_script_can_read(server):
    first = server.get("/")
    (header,) = first.headers.get_list("set-cookie")
    assert re.fullmatch(
        r"pointprompt-visitor=[A-Za-z0-9_-]{43}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax",
        header,
    )
    assert server.get("/").headers["set-cookie"] != header
    assert "set-cookie" not in server.get("/", VISITOR).headers
    assert "set-cookie" in server.get("/", "short").headers
    assert "set-cookie" not in server.get("/theme.css").headers


def test_over_https_the_cookie_is_this_hosts_alone_and_comes_into_a_frame(server):
    secure = {"X-Forwarded-Proto": "https"}
    header = server.get("/", **secure).headers["set-cookie"]
    assert header.startswith("__Host-pointprompt-visitor=")
    assert header.endswith("; Path=/; HttpOnly; Secure; SameSite=None; Partitioned")
    # A plain one may have been set by another page of the host.
    assert "set-cookie" in server.get("/", VISITOR, **secure).headers


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"pointprompt-visitor={VISITOR}", VISITOR),
        (f"other=1; pointprompt-visitor={VISITOR}; more=2", VISITOR),
        (f"__Host-pointprompt-visitor={VISITOR}", ""),
        ("pointprompt-visitor=", ""),
        (f"pointprompt-visitor={VISITOR}x", ""),
        (f"pointprompt-visitor={VISITOR[:-1]}\n", ""),
        ("", ""),
    ],
)
def test_a_visitor_is_known_by_a_cookie_of_the_right_form(header, expected):
    scope = {"type": "http", "scheme": "http", "headers": [(b"cookie", header.encode())]}
    assert visitors.note(scope) == expected


def test_a_request_that_no_guard_saw_is_of_nobody():
    from starlette.requests import Request

    assert visitors.of(Request({"type": "http", "headers": []})) == ""
    assert visitors.of(None) == ""
    assert visitors.of(gradio.Request(headers={})) == ""
