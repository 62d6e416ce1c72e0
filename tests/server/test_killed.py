"""A server that is killed while it writes a download: nothing half is left where one is read."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import time
import zipfile
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pointprompt.analysis.store import Store
from pointprompt.formats.prompt_json import PROMPT_FILE
from pointprompt.server import session_files
from pointprompt.server.fetching import link_files
from pointprompt.server.service import Service
from pointprompt.server.session import Session
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from pointprompt.ui.folders import ServerFolder, remove_dead
from tests.killing import tells_within, working
from tests.server.test_service import ON_RED, REQUEST, ColorEngine, message, no_tsne, photo, silent

__all__ = ["no_tsne"]

MINE = "m" * 43
KILLS = 20
FORMATS = ["png", "indexed", "coco", "yolo", "parquet", "cutouts", "overlays", "heatmaps", "sheet"]


class StoredEngine(ColorEngine):
    """What it computes can be stored."""

    def identity(self, request: object) -> str:
        return str(request)


def service_in(sessions: Path, store: Path) -> Service:
    return Service(SessionStore(sessions), Limits(), StoredEngine(), stored=Store(store))


def download(service: Service, session: Session) -> Path:
    asked = {**message(session, ON_RED), "formats": FORMATS}
    return service.export(asked, silent, MINE)


def export_on(servers: Path, store: Path, recall: str, told: Connection) -> None:
    """Start as a server does, open a stored set, and write its masks for ever.

    Tells the session's folder, and whenever a download is there.
    """
    server = ServerFolder(servers)
    tempfile.tempdir = str(server.temporary)
    service = service_in(server.sessions, store)
    session = service.open_recalled(recall, "page", silent, MINE)
    told.send(session.folder)
    while True:
        download(service, session)
        told.send("one more")


def downloads(session: Path) -> list[Path]:
    """What is read where a download of a session's is asked for, whatever its name."""
    names = [folder.name for folder in (session / "exports").glob("*")]
    paths = [session_files.exported(session, name) for name in names]
    return [path for path in paths if path.exists()]


def assert_whole(path: Path, names: list[str]) -> None:
    """Assert that it is a ZIP file with all that there should be in it."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == names
        assert json.loads(archive.read(PROMPT_FILE))["problems"] == []


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Four that take a while to write."""
    rng = np.random.default_rng(0)
    paths = []
    for index in range(4):
        path = photo(tmp_path / "in" / f"{index}.png", (0, 0), (3, index % 3), size=256)
        with Image.open(path) as picture:
            pixels = np.asarray(picture) + rng.integers(0, 9, (256, 256, 3), np.uint8)
        Image.fromarray(pixels).save(path)
        paths.append(path)
    return paths


def test_whoever_is_killed_while_writing_downloads_leaves_none_that_is_half(tmp_path, photos):
    rng = random.Random(0)
    servers, store = tmp_path / "servers", tmp_path / "store"
    service = service_in(tmp_path / "mine", store)
    session = service.analyze(link_files(photos), REQUEST, "page", silent, MINE).session
    recall = service.recall(session)
    with zipfile.ZipFile(download(service, session)) as archive:
        names = archive.namelist()
    began = time.monotonic()
    download(service, session)
    seconds = time.monotonic() - began
    whole = unfinished = 0
    for _ in range(KILLS):
        with working(export_on, servers, store, recall) as (process, told):
            folder = tells_within(told)
            # In the first, with none before it, or in a later one, which has others removed.
            for _ in range(rng.randrange(3)):
                tells_within(told)
            time.sleep(rng.uniform(0, 1.2 * seconds))
            os.kill(process, signal.SIGKILL)
        for path in downloads(folder):
            assert_whole(path, names)
            whole += 1
        unfinished += len(list(folder.glob("exports/*/unfinished")))
        assert len(list(servers.iterdir())) == 1
        remove_dead(servers)
        assert list(servers.iterdir()) == []
    assert whole > 0
    assert unfinished > 0
    # What is kept for good was never in danger.
    assert Store(store).get(session.stored) is not None
