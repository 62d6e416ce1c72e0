"""What is served of a session and of the page, and that nothing else is."""

from __future__ import annotations

import io
import zipfile

import pytest

from pointprompt.server.fetching import link_files
from pointprompt.server.session import Session
from pointprompt.ui import allowed, static_files
from tests.server.test_service import CHOICE
from tests.ui.served import STRANGER, VISITOR, Server, silent


@pytest.fixture(scope="module")
def pictures(server: Server, session: Session, download: str) -> dict[str, str]:
    """Addresses of all that is served of the session, and their types."""
    manifest = server.service.manifest(session)
    return {
        manifest["images"][0]["tile"]: "image/jpeg",
        manifest["images"][0]["codes"]: "application/octet-stream",
        manifest["colors"]: "image/png",
        download: "application/zip",
    }


def test_a_visitor_gets_their_pictures_with_a_type_that_nothing_runs_in(server, pictures):
    for address, media_type in pictures.items():
        answer = server.get(address, VISITOR)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "private, no-store"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "allow-scripts" not in policy
        assert "access-control-allow-origin" not in answer.headers
        assert int(answer.headers["content-length"]) == len(answer.content) > 0


def test_a_download_is_one_whole_and_never_shown(server, download):
    answer = server.get(download, VISITOR)
    assert answer.headers["content-disposition"].startswith("attachment;")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert "prompt.json" in archive.namelist()


def test_nobody_else_gets_a_visitors_pictures_even_with_their_addresses(server, pictures):
    for address in pictures:
        for visitor in ("", STRANGER, VISITOR[:-1], VISITOR + "v", "*"):
            answer = server.get(address, visitor)
            assert (answer.status_code, answer.text) == (404, allowed.NOTHING_HERE)


def test_what_is_freed_is_gone_at_once(server, photo):
    session = server.service.analyze(link_files([photo]), CHOICE, "p2", silent, VISITOR).session
    address = server.service.manifest(session)["images"][0]["tile"]
    assert server.get(address, VISITOR).status_code == 200
    server.service.store.drop(session.token)
    assert server.get(address, VISITOR).status_code == 404


def test_neither_a_token_nor_a_path_of_this_computer_stands_in_an_address(pictures, session):
    for address in pictures:
        assert session.token not in address
        assert session.ticket not in address
        assert str(session.folder) not in address
        assert session.folder.name not in address


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1.jpg",
        "00000.jpg%00.html",
        "-1.jpg",
        "00.jpg",
        "0.html",
        "0.svg",
        "0",
        "9" * 5000 + ".jpg",
        "²³.jpg",
        "0x0.jpg",
        "1.codes",
        "0.whole.jpg",  # no larger than its tile
        "1.whole.jpg",
        "-1.codes",
        "9" * 5000 + ".codes",
        "colors.jpg",
        "../../images/1/evil.html",
        "..%2f..%2fimages%2f1%2fevil.html",
        "%2e%2e/images/1/evil.html",
        "images/1/evil.html",
        "..%5c..%5cevil.html",
        "tiles/000.jpg",
    ],
)
def test_no_other_name_leads_to_a_file_of_the_session(server, session, name):
    status, body = server.raw(f"/pointprompt/pictures/{session.picture_key}/{quoted(name)}")
    assert status == 404
    assert b"ran" not in body


def quoted(text: str) -> str:
    return text.encode().decode("latin-1") if text.isascii() else "%C2%B2%C2%B3.jpg"


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "/pointprompt-masks.zip",
        "/../pointprompt-masks.zip",
        "/aaaaaaaaaaa/pointprompt-masks.zip",
        "/..%2f..%2fimages/pointprompt-masks.zip",
        "/aaaaaaaaaaa/prompt.json",
        "/aaaaaaaaaaa/..%2fpointprompt-masks.zip",
    ],
)
def test_no_other_download_is_found(server, session, tail):
    assert server.raw(f"/pointprompt/downloads/{session.picture_key}{tail}")[0] == 404


@pytest.mark.parametrize("key", ["", ".", "..", "a" * 42, "a" * 43, "%00" * 43, "%2e%2e%2f", "*"])
def test_no_made_up_key_opens_anything(server, key):
    assert server.raw(f"/pointprompt/pictures/{key}/0.jpg")[0] == 404


def test_the_modules_of_the_page_are_served_as_scripts_and_may_be_kept(server):
    for name, (content, media_type) in static_files.FILES.items():
        answer = server.get(f"{static_files.MODULES}/{name}")
        assert answer.content == content
        assert answer.headers["content-type"] == media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in answer.headers["cache-control"]
    assert "workspace.js" in static_files.FILES


@pytest.mark.parametrize(
    "name", ["../launch.py", "..%2flaunch.py", "%2e%2e/launch.py", "canvas.html", "", ".", "x.js"]
)
def test_nothing_beside_the_modules_is_served(server, name):
    assert server.raw(f"{static_files.MODULES}/{name}")[0] == 404
