"""The page, served once a module of tests, with one visitor's set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pointprompt.server.fetching import link_files
from pointprompt.server.service import Service
from pointprompt.server.session import Session
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from pointprompt.ui.launch import launch
from tests.hostile import export, message
from tests.server.test_service import CHOICE, ColorEngine
from tests.ui.served import EVIL, EVIL_SVG, VISITOR, Server, silent


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    uploads = folder / "gradio"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(uploads))
        grey = lambda eigvecs, *, seed=0: np.full((*eigvecs.shape[:3], 3), 128, np.uint8)  # noqa: E731
        patch.setattr("pointprompt.analysis.compute.tsne_colors", grey)
        service = Service(SessionStore(folder / "sessions"), Limits(max_images=9), ColorEngine())
        demo = launch(service, max_file_mb=1, max_upload_mb=3, quiet=True)
        yield Server(demo, service, uploads)
        demo.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="module")
def session(server: Server, photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A visitor's, with a photo and files that would be pages."""
    folder = tmp_path_factory.mktemp("evil")
    files = [photo]
    for name, content in (("evil.html", EVIL), ("evil.svg", EVIL_SVG), ("evil.js", b"run()")):
        (folder / name).write_bytes(content)
        files.append(folder / name)
    opened = server.service.analyze(link_files(files), CHOICE, "page", silent, VISITOR)
    assert len(opened.rejected) == 3
    return opened.session


@pytest.fixture(scope="module")
def prompt(session: Session) -> dict[str, Any]:
    return message(session=session.token)


@pytest.fixture(scope="module")
def download(server: Server, session: Session, prompt: dict[str, Any]) -> str:
    path = server.service.export(export(session=prompt["session"]), silent, VISITOR)
    return server.service.download_address(export(session=prompt["session"]), path, VISITOR)
