"""What leaves for the Hub; downloads are tested with the service that has them written."""

from __future__ import annotations

import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pointprompt.applying import apply
from pointprompt.formats.hub_push import COMMIT_STAGE, PushError
from pointprompt.server.fetching import link_files
from pointprompt.server.jobs import Cancelled, Job
from pointprompt.server.service import Pushed, Service
from pointprompt.server.session import Session, SessionGone
from pointprompt.types import Progress
from tests.fake_hub import FakeHub, hub
from tests.fake_hub_writing import held
from tests.server.test_service import (
    ON_BLUE,
    ON_RED,
    PATIENCE,
    RED,
    REQUEST,
    ColorEngine,
    analyzed,
    is_color,
    message,
    no_tsne,
    photos,
    service,
    silent,
)

__all__ = ["hub", "no_tsne", "photos", "service"]

TOKEN = "hf_mine"
SHARD = "data/train-00000-of-00001.parquet"


@pytest.fixture(autouse=True)
def user(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.writing.add_user(TOKEN, "me")
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)


def push(session: Session, *clicks: Any, **changes: Any) -> dict[str, Any]:
    asked = {"export": message(session, *clicks), "name": "masks", "token": TOKEN}
    return {**asked, "private": True, **changes}


def leftovers(session: Session) -> list[Path]:
    return list((session.folder / "exports").glob("*"))


def test_a_push_holds_the_masks_that_are_on_the_screen_and_what_made_them(
    service: Service, photos: list[Path], hub: FakeHub
):
    session = analyzed(service, photos)
    asked = push(session, ON_RED)
    blue = message(session, ON_BLUE)["things"][0]
    asked["export"]["things"].append({**blue, "name": "blue"})
    steps: list[Progress] = []
    pushed = service.push(asked, steps.append)
    assert pushed == Pushed("me/masks", f"{hub.endpoint}/datasets/me/masks")
    files = held(hub, "me/masks")
    rows = pq.read_table(io.BytesIO(files[SHARD])).to_pylist()
    for row, file in zip(rows, photos, strict=True):
        assert (row["name"], row["image"]["bytes"]) == (file.name, file.read_bytes())
        assert len(row["things"]) == 2
        mask = np.asarray(Image.open(io.BytesIO(row["things"][0]["mask"]["bytes"])))
        np.testing.assert_array_equal(mask > 0, is_color(file, RED))
    assert b'"name": "blue"' in files["prompt.json"]
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages == ["export", "upload", COMMIT_STAGE]
    assert leftovers(session) == []


def test_nothing_is_pushed_without_a_click(service: Service, photos: list[Path], hub: FakeHub):
    session = analyzed(service, photos)
    with pytest.raises(ValueError, match="click a thing first"):
        service.push(push(session), silent)
    assert hub.datasets == {}
    assert leftovers(session) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"token": ""}, "Give an access token"),
        ({"token": "hf_wrong"}, "does not know this token"),
        ({"name": "a b"}, "has the form owner/name"),
        ({"name": "somebody/masks"}, "nothing may be written to somebody/masks"),
    ],
)
def test_what_stops_a_push_is_a_sentence_and_leaves_nothing_behind(
    service: Service, photos: list[Path], hub: FakeHub, changes: dict[str, Any], says: str
):
    session = analyzed(service, photos)
    with pytest.raises(PushError, match=says):
        service.push(push(session, ON_RED, **changes), silent)
    assert hub.datasets == {}
    assert leftovers(session) == []
    # The server's own token, which the environment has, is nobody's.
    assert all("servers_own" not in headers.get("authorization", "") for headers in hub.headers)


def test_only_its_own_visitor_pushes_a_set(service: Service, photos: list[Path], hub: FakeHub):
    session = service.analyze(link_files(photos), REQUEST, "page", silent, "me").session
    with pytest.raises(SessionGone):
        service.push(push(session, ON_RED), silent, "somebody else")
    assert hub.requests == []


def test_a_push_that_is_cancelled_while_it_is_sent_commits_nothing(
    service: Service, photos: list[Path], hub: FakeHub, monkeypatch: pytest.MonkeyPatch
):
    session = analyzed(service, photos)
    keep = hub.writing._keep

    def cancelled(hub: FakeHub, request: BaseHTTPRequestHandler, path: str) -> bool:
        job.cancel()
        return keep(hub, request, path)

    monkeypatch.setattr(hub.writing, "_keep", cancelled)
    noticed = threading.Event()

    def work(progress: Any) -> Pushed:
        try:
            return service.push(push(session, ON_RED), progress)
        finally:
            noticed.set()

    job = Job(work)
    with pytest.raises(Cancelled):
        job.result()
    assert noticed.wait(PATIENCE)
    assert hub.writing.commits == []
    assert leftovers(session) == []


OURS = {"rule": {"name": "joint"}, "outline": "photo"}


def test_the_recipe_of_a_download_gives_the_masks_beside_it_again(
    service: Service, photos: list[Path], tmp_path: Path
):
    session = analyzed(service, photos)
    asked = message(session, ON_RED, choice=OURS)
    path = service.export({**asked, "formats": ["png", "recipe"]}, silent)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    applied = list(apply(tmp_path / "recipe.safetensors", photos, engine=ColorEngine()))
    assert len(applied) == len(photos)
    for one in applied:
        expected = np.asarray(Image.open(tmp_path / "masks" / f"{Path(one.name).stem}.png"))
        np.testing.assert_array_equal(one.masks["mask"], expected > 0)


def test_there_is_no_recipe_of_the_tutorials_rule_and_that_is_said(
    service: Service, photos: list[Path]
):
    session = analyzed(service, photos)
    with pytest.raises(ValueError, match="Choose our own rule for a recipe"):
        service.export({**message(session, ON_RED), "formats": ["recipe"]}, silent)
    assert leftovers(session) == []
