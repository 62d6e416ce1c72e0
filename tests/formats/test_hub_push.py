from __future__ import annotations

import errno
import io
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants

from pointprompt.formats import hub_push
from pointprompt.formats.archive import write_folder
from pointprompt.formats.hub_push import COMMIT_STAGE, HubDataset, PushError
from pointprompt.types import Progress, tell_nobody
from tests.fake_hub import FakeHub, hub
from tests.fake_hub_writing import held
from tests.formats.made import labelled, some_masks, things

__all__ = ["hub"]

TOKEN, READER, OTHERS = "hf_mine", "hf_reader", "hf_of_somebody_else"
SHARD = "data/train-00000-of-00001.parquet"


@pytest.fixture(autouse=True)
def users(hub: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub.writing.add_user(TOKEN, "me")
    hub.writing.add_user(READER, "me", role="read")
    hub.writing.add_user(OTHERS, "somebody")
    # The server's own: one in the environment, which `hub` has set, and one in a file.
    hub.writing.add_user("hf_the_servers_own_token", "server")
    (tmp_path / "token").write_text("hf_of_the_servers_file")
    hub.writing.add_user("hf_of_the_servers_file", "server")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    # Where a connection fails, the Hub's client would wait before each of five attempts.
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set as it is pushed."""
    given = labelled(some_masks(1, [(20, 30), (12, 8)]), things("cat"))
    write_folder(tmp_path / "out", given, ["parquet"])
    (tmp_path / "out/prompt.json").rename(tmp_path / "out/dataset/prompt.json")
    return tmp_path / "out/dataset"


def pushed(folder: Path, name: str = "me/masks", private: bool = True) -> HubDataset:
    target = HubDataset(name, TOKEN, private=private)
    target.check()
    target.upload(folder, tell_nobody)
    return target


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_all_files_are_in_one_commit_of_a_private_data_set(hub: FakeHub, folder: Path):
    target = pushed(folder)
    assert target.address == f"{hub.endpoint}/datasets/me/masks"
    assert hub.datasets["me/masks"]["private"] is True
    files = held(hub, "me/masks")
    del files[".gitattributes"]
    assert files == contents(folder)
    assert sorted(files) == ["README.md", SHARD, "prompt.json"]
    ((head, lines),) = hub.writing.commits
    assert head["summary"] == "Masks made with pointprompt"
    # The rows by the protocol for large files, the texts in the commit itself.
    assert {line["value"]["path"]: line["key"] for line in lines} == {
        "README.md": "file",
        SHARD: "lfsFile",
        "prompt.json": "file",
    }
    assert pq.read_table(io.BytesIO(files[SHARD])).num_rows == 2


def test_it_is_public_where_that_is_wanted(hub: FakeHub, folder: Path):
    pushed(folder, private=False)
    assert hub.datasets["me/masks"]["private"] is False


@pytest.mark.parametrize("name", [" masks ", "datasets/me/masks", "me/masks", "ADDRESS"])
def test_a_name_may_be_written_as_people_have_it(hub: FakeHub, folder: Path, name: str):
    name = name.replace("ADDRESS", f"{hub.endpoint}/datasets/me/masks")
    assert pushed(folder, name).name == "me/masks"


def test_only_the_token_that_was_given_is_sent_and_never_in_an_address(
    hub: FakeHub, folder: Path, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level("DEBUG"):
        pushed(folder)
    sent = {headers.get("authorization") for headers in hub.headers}
    # None is the store of large files, which is told where to put them by addresses alone.
    assert sent == {f"Bearer {TOKEN}", None}
    assert [command for command, _ in hub.requests].count("PUT") == 1
    assert not any(TOKEN in path for _, path in hub.requests)
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("token", ["", "  ", "hf mine", "hf_\nX: y", "ä", "x" * 501])
def test_without_a_token_nobody_is_asked_and_the_servers_own_is_not_used(hub: FakeHub, token: str):
    with pytest.raises(PushError, match="Give an access token"):
        HubDataset("me/masks", token, private=True)
    assert hub.requests == []


@pytest.mark.parametrize(
    "name", ["", "a/b/c", "../me", "me/ma sks", "me--masks", "me/x.git", "x" * 97, "me/\nx", "-a"]
)
def test_a_name_that_there_cannot_be_is_told_before_anybody_is_asked(hub: FakeHub, name: str):
    with pytest.raises(PushError, match="has the form owner/name"):
        pushed(Path(), name)
    assert hub.datasets == {}


@pytest.mark.parametrize(
    ("token", "name", "says"),
    [
        ("hf_unknown", "me/masks", "does not know this token"),
        (READER, "me/masks", "may only read"),
    ],
)
def test_a_token_that_will_not_do_is_told_before_any_work(
    hub: FakeHub, token: str, name: str, says: str
):
    with pytest.raises(PushError, match=says):
        HubDataset(name, token, private=True).check()
    assert hub.datasets == {}


def test_who_may_not_write_there_is_told(hub: FakeHub, folder: Path):
    target = HubDataset("somebody/masks", TOKEN, private=True)
    target.check()
    with pytest.raises(PushError, match="nothing may be written to somebody/masks"):
        target.upload(folder, tell_nobody)
    assert hub.datasets == {}


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/api/whoami-v2", 500, "could not answer"),
        ("/api/whoami-v2", 429, "asks for a pause"),
        ("/api/repos/create", 400, "does not take me/masks"),
        ("/api/repos/create", 403, "nothing may be written"),
        ("/api/datasets/me/masks/preupload/main", 403, "nothing may be written"),
        ("/datasets/me/masks.git/info/lfs/objects/batch", 413, "too large"),
        ("/api/datasets/me/masks/commit/main", 412, "changed by somebody else"),
        ("/api/datasets/me/masks/commit/main", 503, "could not answer"),
    ],
)
def test_what_the_hub_refuses_is_said_in_a_sentence(
    hub: FakeHub, folder: Path, path: str, status: int, says: str
):
    hub.writing.refuses[path] = status
    with pytest.raises(PushError, match=says) as raised:
        pushed(folder)
    assert TOKEN not in str(raised.value)
    assert hub.writing.commits == []


def test_a_file_that_does_not_get_there_is_told(
    hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def hang_up(hub: FakeHub, request: BaseHTTPRequestHandler, path: str) -> bool:
        request.connection.close()
        return True

    monkeypatch.setattr(hub.writing, "_keep", hang_up)
    with pytest.raises(PushError, match="cannot be reached"):
        pushed(folder)


def test_without_a_network_that_is_said(
    hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(PushError, match="cannot be reached from this server"):
        pushed(folder)


def test_a_server_that_is_set_to_work_offline_says_so(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
):
    from huggingface_hub.utils import close_session

    close_session()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(PushError, match="HF_HUB_OFFLINE"):
        HubDataset("me/masks", TOKEN, private=True).check()
    close_session()


def test_a_public_data_set_does_not_get_what_is_to_be_private(hub: FakeHub, folder: Path):
    pushed(folder, private=False)
    with pytest.raises(PushError, match="everybody can see it"):
        pushed(folder)
    assert len(hub.writing.commits) == 1


def test_data_of_another_kind_are_not_replaced(hub: FakeHub, folder: Path):
    hub.add("me/masks", {"README.md": b"", "data/train-00000-of-00001.parquet": b""}, private=True)
    with pytest.raises(PushError, match="not made here"):
        pushed(folder)


def test_a_second_push_replaces_all_rows_of_the_first(hub: FakeHub, folder: Path):
    hub.add("me/masks", {".gitattributes": b"", "README.md": b"my own words"}, private=True)
    pushed(folder)
    first = folder / SHARD
    for number in range(2):
        (folder / f"data/train-{number:05d}-of-00002.parquet").write_bytes(first.read_bytes())
    first.unlink()
    pushed(folder)
    names = {name for name in held(hub, "me/masks") if name.startswith("data/")}
    assert names == {"data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"}
    assert {line["key"] for line in hub.writing.commits[1][1]} == {"deletedFile", "file", "lfsFile"}


def test_progress_counts_what_is_sent_and_ends_with_the_commit(
    hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub_push, "_MEGABYTE", 1)
    steps: list[Progress] = []
    target = HubDataset("me/masks", TOKEN, private=True)
    target.upload(folder, steps.append)
    total = sum(map(len, contents(folder).values()))
    assert steps[0] == Progress("upload", 0, total)
    sent = [step.done for step in steps if step.stage == "upload"]
    assert sent == sorted(sent)
    assert (folder / SHARD).stat().st_size <= sent[-1] <= total
    # Nothing is told after it: from there on there is no way back.
    assert steps[-1] == Progress(COMMIT_STAGE, 0, 1)
    assert [step.stage for step in steps].count(COMMIT_STAGE) == 1


class Stopped(Exception):
    pass


@pytest.mark.parametrize(("at", "exists"), [(0, False), (1, True)])
def test_what_progress_raises_ends_it_and_nothing_is_committed(
    hub: FakeHub, folder: Path, at: int, exists: bool
):
    steps: list[Progress] = []

    def stop(progress: Progress) -> None:
        steps.append(progress)
        if len(steps) > at:
            raise Stopped

    with pytest.raises(Stopped):
        HubDataset("me/masks", TOKEN, private=True).upload(folder, stop)
    assert ("me/masks" in hub.datasets) == exists
    assert hub.writing.commits == []


def test_a_file_that_cannot_be_read_is_no_fault_of_the_hub(
    hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(self: hub_push._Read, size: int | None = -1) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(hub_push._Read, "read", broken)
    with pytest.raises(OSError, match="Input/output error"):
        pushed(folder)
