"""A rehearsal of a ZeroGPU Space.

Real: the app and the page's queue; the package `spaces` and all it does to torch and gradio; the
default backbone moved to CUDA as the package emulates it, and packed when the page is launched;
what travels to the forked worker and back. Not there: a GPU. So the worker is kept from starting
CUDA, does not get the packed backbone, and loads its own to compute on the CPU.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from pointprompt.engines import zerogpu
from pointprompt.types import BackboneRequest
from tests.rehearsal import Scheduler, Space, scheduling, serving
from tests.serving import PATIENCE
from tests.visitor import Told, Visitor, bits_of

BUILTIN, BROKEN = "efficientnet_lite0", "efficientnet_lite2"
MANY = 40
# Of the token grid: what is rehearsed is the way there and back, not the result.
INPUT_SIZE = 384
MIDDLE = {"image": 0, "x": 0.5, "y": 0.5, "positive": True}
MEGABYTE = 1 << 20


def has_cuda_torch() -> bool:
    import torch

    return torch.version.cuda is not None


rehearsal = pytest.mark.skipif(
    sys.platform != "linux" or not has_cuda_torch(),
    reason="spaces emulates CUDA only on Linux, and only in a torch that is built for it",
)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Scheduler]:
    with scheduling() as scheduler:
        yield scheduler


@pytest.fixture(scope="module")
def space(scheduler: Scheduler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    folder = tmp_path_factory.mktemp("space")
    broken = folder / "broken.pth"
    broken.write_bytes(b"These are no weights.")
    with serving(scheduler, folder, {"POINTPROMPT_EFFICIENTNET_LITE2": str(broken)}) as space:
        yield space


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Noise with a red square in the middle."""
    folder = tmp_path_factory.mktemp("photos")
    noise = np.random.default_rng(0)
    paths = []
    for index in range(MANY):
        pixels = noise.integers(0, 255, (96, 96, 3), np.uint8)
        pixels[32:64, 32:64] = (220, 30, 30)
        paths.append(folder / f"{index}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


@pytest.fixture(scope="module")
def analyzed(space: Space, photos: list[Path]) -> list[Told]:
    """All that a first visitor's page was told."""
    return list(analyzing(visit(space, "first"), photos[:2]))


def visit(space: Space, name: str) -> Visitor:
    """Whose sessions any other visitor may use."""
    return Visitor(space.url, name, keeps_cookies=False)


def analyzing(visitor: Visitor, photos: list[Path], backbone: str = BUILTIN) -> Iterator[Told]:
    return visitor.analyzing(photos, backbone=backbone, input_size=INPUT_SIZE)


def masked(visitor: Visitor, session: str) -> int:
    """How many tokens of all images are masked after a click into the middle of the first."""
    return int(bits_of(visitor.predict([MIDDLE], session=session)).sum())


def is_under_way(status: str) -> bool:
    """Whether the worker has done some images, and not all of MANY."""
    return status.startswith("Computing features") and ": 0 of" not in status


@rehearsal
def test_the_default_backbone_waits_for_a_gpu_before_the_page_is_up(space):
    packed = sum(file.stat().st_size for file in space.packed.iterdir())
    assert packed > 15 * MEGABYTE


@rehearsal
def test_an_analysis_comes_back_and_answers_clicks(space, analyzed):
    assert analyzed[-1].status.startswith("2 images ready")
    assert masked(visit(space, "first"), analyzed[-1].session) > 0


@rehearsal
def test_its_progress_is_seen_on_the_page(analyzed):
    # Not which came first: the page asks what is going on now and then, and may miss any one.
    said = [answer.status for answer in analyzed]
    assert any(is_under_way(text) or text.startswith("Cutting") for text in said)


@rehearsal
@pytest.mark.usefixtures("analyzed")
def test_the_gpu_is_lent_to_a_process_forked_from_the_app(scheduler, space):
    worker = psutil.Process(int(scheduler.asked("/allow")[0]["pid"]))
    assert worker.ppid() == space.pid


@rehearsal
@pytest.mark.usefixtures("analyzed")
def test_the_gpu_is_asked_for_in_the_visitors_name_for_the_number_of_images_and_given_back(
    scheduler,
):
    asked, released = scheduler.asked("/schedule")[0], scheduler.asked("/release")[0]
    assert asked["token"] == "first"
    assert int(asked["durationSeconds"]) == zerogpu.seconds(
        np.empty((2, 1, 1, 3), np.uint8), BackboneRequest(BUILTIN), None
    )
    assert released == {"allowToken": "token-1", "fail": "false"}


@rehearsal
def test_images_that_join_a_set_borrow_a_gpu_too(scheduler, space, photos):
    visitor = visit(space, "joining")
    list(analyzing(visitor, photos[:2]))
    before = len(scheduler.asked("/schedule"))
    joined = list(visitor.adding(photos[1:4]))[-1]
    assert joined.status.startswith("2 images added: the set has 4 now.")
    assert len(scheduler.asked("/schedule")) == before + 1
    assert masked(visitor, joined.session) > 0


@rehearsal
@pytest.mark.usefixtures("analyzed")
def test_the_space_reports_its_function_when_it_is_launched(scheduler):
    assert scheduler.calls[0][0] == "/startup-report"


@rehearsal
def test_clicks_ask_for_no_gpu(scheduler, space, analyzed):
    before = len(scheduler.calls)
    assert masked(visit(space, "first"), analyzed[-1].session) > 0
    assert len(scheduler.calls) == before


@rehearsal
def test_the_example_that_pages_open_with_asks_for_no_gpu(scheduler, space):
    visitor = visit(space, "opening")
    list(visitor.following("pp-canvas", "opening", []))
    assert visitor.manifest["opening"]
    assert "opening" not in [asked["token"] for asked in scheduler.asked("/schedule")]
    assert masked(visitor, visitor.manifest["session"]) > 0


@rehearsal
def test_an_error_where_the_gpu_is_arrives_as_its_sentence_and_loses_nothing(
    space, photos, analyzed
):
    visitor = visit(space, "first")
    *_, last = analyzing(visitor, photos[:2], BROKEN)
    assert last.failed
    assert "broken.pth cannot be read" in last.status
    assert masked(visitor, analyzed[-1].session) > 0


@rehearsal
def test_a_gpu_that_is_not_lent_is_said_in_a_sentence(scheduler, space, photos, monkeypatch):
    monkeypatch.setattr(scheduler, "has_gpu", False)
    *_, last = analyzing(visit(space, "second"), photos[:2])
    assert last.failed
    assert last.status.endswith("No GPU was available")


@rehearsal
def test_a_worker_that_is_ended_is_said_in_a_sentence_and_the_next_one_works(
    scheduler, space, photos, analyzed
):
    visitor = visit(space, "third")
    answers = analyzing(visitor, photos)
    for answer in answers:
        if is_under_way(answer.status):
            psutil.Process(int(scheduler.asked("/allow")[-1]["pid"])).kill()
            break
    *_, last = answers
    assert last.failed
    assert last.status.endswith("GPU task aborted")
    *_, last = analyzing(visitor, photos[:2])
    assert last.status.startswith("2 images ready")
    # In another process, the session of another visitor is as it was.
    assert masked(visitor, last.session) == masked(visitor, analyzed[-1].session)


@rehearsal
def test_cancelling_ends_the_work_where_the_gpu_is_and_gives_it_back(scheduler, space, photos):
    visitor = visit(space, "fourth")
    said = []
    for answer in analyzing(visitor, photos):
        if is_under_way(answer.status):
            visitor.cancel()
        said.append(answer.status)
    assert said[-1].startswith("Cancelled")
    assert not any(text.startswith("Cutting") for text in said)
    release = {"allowToken": f"token-{len(scheduler.asked('/schedule'))}", "fail": "false"}
    # The visitor is told at once; the work there ends at its next step.
    for _ in range(PATIENCE * 10):
        if scheduler.calls[-1] == ("/release", release):
            break
        threading.Event().wait(0.1)
    assert scheduler.calls[-1] == ("/release", release)


def test_more_images_ask_for_more_time_and_a_hundred_for_no_more_than_a_minute():
    few, many = (np.empty((count, 1, 1, 3), np.uint8) for count in (1, 100))
    choice = BackboneRequest(BUILTIN)
    assert zerogpu.seconds(few, choice, None) < zerogpu.seconds(many, choice, None) <= 60


def test_only_a_zerogpu_space_is_taken_for_one(monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert not zerogpu.is_here()
    for value, is_one in (("true", True), ("1", True), ("", False), ("false", False), ("0", False)):
        monkeypatch.setenv("SPACES_ZERO_GPU", value)
        assert zerogpu.is_here() is is_one


def test_elsewhere_the_package_is_not_imported(monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    command = "import sys, pointprompt.ui.launch; print('spaces.zero' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False"]
