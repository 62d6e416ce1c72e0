"""What was written goes to a local Hub with the person's own token, as the page's does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pointprompt.cli.pushing import push, target
from pointprompt.formats.hub_push import PushError
from pointprompt.formats.parquet import FOLDER
from tests.fake_hub import FakeHub, serving
from tests.fake_hub_writing import held

SHARD = "data/train-00000-of-00001.parquet"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with serving(monkeypatch) as fake:
        fake.writing.add_user("hf_the_servers_own_token", "me")
        yield fake


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder of results, of which the data set is a part."""
    (tmp_path / FOLDER / "data").mkdir(parents=True)
    (tmp_path / FOLDER / SHARD).write_bytes(b"rows")
    (tmp_path / FOLDER / "README.md").write_text("card")
    (tmp_path / "prompt.json").write_text("{}")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "cat.png").write_bytes(b"mask")
    return tmp_path


@pytest.mark.parametrize("public", [False, True])
def test_the_data_set_and_its_prompt_are_pushed_and_nothing_else(
    hub: FakeHub, out: Path, public: bool
):
    to = target("me/masks", public=public)
    assert hub.datasets == {}
    push(to, out)
    files = held(hub, "me/masks")
    del files[".gitattributes"]
    assert files == {SHARD: b"rows", "README.md": b"card", "prompt.json": b"{}"}
    assert hub.datasets["me/masks"]["private"] is not public
    assert sorted(path.name for path in out.iterdir()) == ["dataset", "masks", "prompt.json"]


def test_without_a_token_it_says_how_to_have_one(hub: FakeHub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(PushError, match="HF_TOKEN or `hf auth login`"):
        target("me/masks", public=False)
    assert hub.requests == []


def test_what_may_not_be_written_is_told_before_any_work(hub: FakeHub):
    hub.writing.add_user("hf_the_servers_own_token", "me", "read")
    with pytest.raises(PushError, match="may only read"):
        target("me/masks", public=False)
