"""Images go through any encoder in order, in batches that fit, and come out once."""

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from pointprompt.backbones import BackboneError
from pointprompt.backbones.backbone import _BATCH, Backbone, Encoder
from pointprompt.sources.framing import Framing
from pointprompt.types import BackboneChoice, Progress

SIDE = 8


class FakeEncoder(Encoder):
    """Four tokens an image: its colours in the corners. Memory holds `room` images."""

    mean = (0.0, 0.0, 0.0)
    std = (1.0, 1.0, 1.0)

    def __init__(self, room=100, error=None, dtype=torch.float32):
        super().__init__()
        self.room = room
        self.error = error or torch.OutOfMemoryError("CUDA out of memory.")
        self.dtype = dtype
        self.batches = []

    def forward(self, pixels):
        self.batches.append(len(pixels))
        if len(pixels) > self.room:
            raise self.error
        return pixels[:, :, :: SIDE - 1, :: SIDE - 1].permute(0, 2, 3, 1).to(self.dtype)


@pytest.fixture
def squares():
    return np.random.default_rng(0).integers(1, 256, (11, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture
def batches_of_eight(monkeypatch):
    monkeypatch.setitem(_BATCH, "cpu", 8)


def backbone(encoder):
    return Backbone(BackboneChoice("fake", "block", 0, SIDE), "cpu", encoder, Framing(SIDE))


def test_features_are_the_tokens_of_each_image_at_length_one(squares):
    features = backbone(FakeEncoder()).features(squares)
    corners = squares[:, :: SIDE - 1, :: SIDE - 1].astype(np.float32)
    expected = corners / np.linalg.norm(corners, axis=-1, keepdims=True)
    assert features.shape == (11, 2, 2, 3)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, atol=1e-6)


def test_one_image_at_a_time_is_computed_on_a_cpu(squares):
    encoder = FakeEncoder()
    backbone(encoder).features(squares)
    assert encoder.batches == [1] * 11


@pytest.mark.usefixtures("batches_of_eight")
def test_batches_halve_until_they_fit_and_change_no_feature(squares):
    expected = backbone(FakeEncoder()).features(squares)
    encoder = FakeEncoder(room=3)
    np.testing.assert_array_equal(backbone(encoder).features(squares), expected)
    assert encoder.batches == [8, 4, 2, 2, 2, 2, 2, 1]


@pytest.mark.usefixtures("batches_of_eight")
def test_memory_too_small_for_one_image_is_said_with_a_way_out(squares):
    encoder = FakeEncoder(room=0)
    with pytest.raises(BackboneError, match=r"not even with one image.*POINTPROMPT_DEVICE=cpu"):
        backbone(encoder).features(squares)
    assert encoder.batches == [8, 4, 2, 1]


def test_an_error_of_another_kind_is_not_mistaken_for_a_full_memory(squares):
    encoder = FakeEncoder(room=0, error=RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="multiplied"):
        backbone(encoder).features(squares)
    assert encoder.batches == [1]


@pytest.mark.usefixtures("batches_of_eight")
def test_progress_is_told_after_every_batch(squares):
    told = []
    backbone(FakeEncoder()).features(squares, told.append)
    assert told == [Progress("features", 8, 11), Progress("features", 11, 11)]


def test_what_the_progress_raises_stops_the_work(squares):
    class Cancelled(Exception):
        pass

    def cancel(progress):
        if progress.done == 2:
            raise Cancelled

    encoder = FakeEncoder()
    with pytest.raises(Cancelled):
        backbone(encoder).features(squares, cancel)
    assert encoder.batches == [1, 1]


def test_a_small_network_sees_as_many_images_at_a_time_as_there_are_cores_each_on_one(squares):
    class Small(FakeEncoder):
        image_a_core = True
        together = threading.Barrier(3)

        def forward(self, pixels):
            # Only three threads that run at the same time get past this.
            self.together.wait(timeout=30)
            self.cores.add(torch.get_num_threads())
            return super().forward(pixels)

    expected = backbone(FakeEncoder()).features(squares[:9])
    encoder = Small()
    encoder.cores = set()
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        features = backbone(encoder).features(squares[:9])
        with ThreadPoolExecutor(1) as pool:
            later = pool.submit(torch.get_num_threads).result()
        assert (torch.get_num_threads(), later) == (3, 3)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(features, expected)
    assert encoder.batches == [1] * 9
    assert encoder.cores == {1}


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((0, SIDE, SIDE, 3), np.uint8),
        np.zeros((2, SIDE, SIDE, 3), np.float32),
        np.zeros((2, SIDE, SIDE + 1, 3), np.uint8),
        np.zeros((2, SIDE, SIDE, 4), np.uint8),
        np.zeros((SIDE, SIDE, 3), np.uint8),
    ],
)
def test_other_shapes_and_types_are_refused(wrong):
    with pytest.raises(BackboneError, match=r"uint8 of shape \(n, 8, 8, 3\)"):
        backbone(FakeEncoder()).features(wrong)


def test_images_in_an_aspect_that_a_backbone_takes_are_taken_and_others_refused():
    taking = Backbone(BackboneChoice("fake", "block", 0, 32), "cpu", FakeEncoder(), Framing(32, 8))
    for height, width in ((32, 32), (24, 40), (16, 64)):
        assert len(taking.features(np.ones((2, height, width, 3), np.uint8))) == 2
    for height, width in ((24, 32), (8, 128), (20, 48)):
        with pytest.raises(BackboneError, match=r"\(n, 32, 32, 3\), or another aspect"):
            taking.features(np.ones((2, height, width, 3), np.uint8))


def test_half_precision_tokens_become_float32_features(squares):
    features = backbone(FakeEncoder(dtype=torch.bfloat16)).features(squares)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=-1), 1, atol=1e-6)


def test_features_are_held_once_in_memory(monkeypatch):
    monkeypatch.setattr(
        FakeEncoder, "forward", lambda self, pixels: torch.ones(len(pixels), 64, 64, 100)
    )
    squares = np.zeros((40, SIDE, SIDE, 3), np.uint8)
    tracemalloc.start()
    features = backbone(FakeEncoder()).features(squares)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert features.nbytes < peak < 1.1 * features.nbytes
