from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from pointprompt.server.handed_in import (
    NO_FILES,
    NOT_A_FILE,
    NOT_FETCHED,
    HandedInError,
    as_list,
    files_in,
)
from tests.hostile import JSON


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    (folder / "0d19").mkdir(parents=True)
    (folder / "0d19" / "cat.jpg").write_bytes(b"cat")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_an_upload_is_named_by_its_path_its_address_or_an_object(uploads, folder):
    path = str(uploads / "0d19" / "cat.jpg")
    values = [
        path,
        f"http://host:7860/gradio_api/file={path}",
        f"/below/gradio_api/file={path.replace('d', '%64')}",
        {"path": path, "orig_name": "../My cat.jpg", "meta": {"_type": "gradio.FileData"}},
    ]
    files = files_in(values, uploads, folder)
    assert [file.name for file in files] == ["cat.jpg", "cat.jpg", "cat.jpg", "My cat.jpg"]
    assert all(file.read_bytes() == b"cat" and folder in file.parents for file in files)


def test_a_small_file_is_sent_as_a_text(uploads, folder):
    text = "data:image/png;base64," + base64.b64encode(b"png").decode()
    (file,) = files_in([text], uploads, folder)
    assert (file.name, file.read_bytes()) == ("image.png", b"png")


@pytest.mark.parametrize("text", ["data:../../x/../y;base64,AAAA", "data:;base64,AAAA"])
def test_what_it_says_that_it_is_never_is_a_path(uploads, folder, text):
    (file,) = files_in([text], uploads, folder)
    assert file.parent.parent == folder
    assert file.name == "image.bin"


def test_no_address_is_fetched(uploads, folder):
    for address in ("http://127.0.0.1/x.png", "https://example.org/cat.jpg", "ftp://x/y"):
        with pytest.raises(HandedInError, match="upload the file instead") as error:
            files_in([address], uploads, folder)
        assert str(error.value) == NOT_FETCHED


def test_nothing_but_an_upload_is_read(uploads, folder):
    secret = uploads.parent / "secret.jpg"
    for path in (
        secret,
        uploads / ".." / "secret.jpg",
        uploads / "link.jpg",
        uploads,
        uploads / "0d19",
        uploads / "nothing.jpg",
        "/etc/passwd",
        "/dev/zero",
        "",
        "x\0y",
        "a" * 5000,
        f"/gradio_api/file={secret}",
        f"http://x/gradio_api/file=http://y/gradio_api/file={secret}",
        "data:image/png,plain",
        "data:image/png;base64,???",
    ):
        for value in (str(path), {"path": str(path)}):
            with pytest.raises(HandedInError) as error:
                files_in([value], uploads, folder)
            assert str(error.value) in (NOT_A_FILE, NOT_FETCHED)
    assert not [file for file in folder.rglob("*") if file.is_file()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_whatever_is_handed_in_is_a_file_or_refused(uploads, folder, value):
    try:
        files = files_in(as_list(value), uploads, folder)
    except HandedInError:
        return
    assert all(folder in file.parents for file in files)


def test_one_file_is_a_list_of_it():
    assert as_list("a") == ["a"]
    assert as_list({"path": "a"}) == [{"path": "a"}]
    for wrong in (None, 3, True):
        with pytest.raises(HandedInError, match=NO_FILES):
            as_list(wrong)
