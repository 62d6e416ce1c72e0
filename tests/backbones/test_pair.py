"""One backbone finds and SAM draws: the features of the one, the image embeddings of the other."""

import numpy as np
import pytest
import torch
from huggingface_hub import constants

from pointprompt import backbones
from pointprompt.backbones import REGISTRY, BackboneError, loading, pair, sam, weights
from pointprompt.backbones.backbone import Backbone
from pointprompt.backbones.debiased import DebiasedEncoder
from pointprompt.sources.framing import Framing
from pointprompt.types import BackboneChoice
from tests.backbones.test_backbone import FakeEncoder
from tests.backbones.test_sam import SMALL_SIDE, ours_small

NAME = "dinov3_base_and_sam_vit_b"


def encoded(encoder):
    """What is known of two images."""
    squares = np.random.default_rng(0).integers(0, 256, (2, SMALL_SIDE, SMALL_SIDE, 3), np.uint8)
    return Backbone(
        BackboneChoice("fake", "block", 0, SMALL_SIDE), "cpu", encoder, Framing(SMALL_SIDE)
    ).encode(squares)


@pytest.fixture(scope="module")
def finder():
    return ours_small("block", 1)


@pytest.fixture(scope="module")
def drawer():
    return ours_small("attn", 3, sam.SamEncoderWithNeck)


def test_the_features_are_those_of_one_and_the_image_embeddings_those_of_the_other(finder, drawer):
    both = encoded(pair.build(finder, drawer))
    np.testing.assert_array_equal(both.features, encoded(finder).features)
    np.testing.assert_array_equal(both.image_embeddings, encoded(drawer).image_embeddings)


def test_debiasing_changes_the_features_and_leaves_the_image_embeddings(finder, drawer):
    plain = pair.build(finder, drawer)
    debiased = encoded(DebiasedEncoder(plain, SMALL_SIDE, 5, "cpu"))
    assert np.abs(debiased.features - encoded(plain).features).max() > 0.01
    np.testing.assert_array_equal(debiased.image_embeddings, encoded(drawer).image_embeddings)


def test_a_file_without_sams_mask_decoder_cannot_draw(finder):
    with pytest.raises(BackboneError, match="holds no mask decoder"):
        pair.build(finder, ours_small("attn", 3))


def test_two_that_see_colours_differently_are_no_pair(drawer):
    with pytest.raises(BackboneError, match="see colours differently"):
        pair.build(FakeEncoder(), drawer)


def test_dinov3_and_sam_go_together_at_their_real_size():
    known = REGISTRY[NAME]
    with torch.device("meta"), torch.inference_mode():
        encoder = loading.build_encoder(loading.choose(known, "cpu"), None)
        tokens, embeddings = encoder.encode(torch.empty(1, 3, 1024, 1024))
    assert tokens.shape == (1, *known.grid, known.channels)
    assert embeddings.shape == (1, 64, 64, 256)
    assert known.weights_mb == sum(REGISTRY[p].weights_mb for p in ("dinov3_base", "sam_vit_b"))


def test_the_weights_of_both_are_got(monkeypatch):
    asked = []
    monkeypatch.setattr(weights, "find", lambda model, progress: asked.append(model.name))
    assert backbones.get(NAME) == Framing(1024)
    assert asked == ["dinov3_base", "sam_vit_b"]


def test_it_can_be_had_only_where_both_can(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    file = tmp_path / "model.safetensors"
    file.touch()
    monkeypatch.setenv("POINTPROMPT_DINOV3_BASE", str(file))
    monkeypatch.setenv("POINTPROMPT_SAM_VIT_B", str(tmp_path / "missing.pth"))
    state = backbones.availability(NAME)
    assert not state.available
    assert "DINOv3 base: Its weights are on this computer" in state.reason
    assert "SAM ViT-B: POINTPROMPT_SAM_VIT_B names" in state.reason
    monkeypatch.setenv("POINTPROMPT_SAM_VIT_B", str(file))
    assert backbones.availability(NAME).available


def test_the_mask_decoder_comes_from_sams_file(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTPROMPT_SAM_VIT_B", str(tmp_path / "missing.pth"))
    with pytest.raises(BackboneError, match="POINTPROMPT_SAM_VIT_B names"):
        backbones.load_decoder(NAME)
