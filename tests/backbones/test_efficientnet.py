"""The built-in backbone knows a cat, and its tokens are what its docstring says."""

import numpy as np
import pytest
import skimage
import torch
from PIL import Image

from pointprompt import backbones
from pointprompt.backbones import BackboneError, efficientnet, weights
from pointprompt.backbones.backbone import standardize

EGYPTIAN_CAT = 285
NAME = "efficientnet_lite0"


def square(side):
    photo = Image.fromarray(skimage.data.chelsea())
    return np.asarray(photo.resize((side, side), Image.Resampling.BICUBIC))[None]


@pytest.fixture(scope="module")
def tensors():
    return weights.read(weights.find(backbones.describe(NAME)))


@pytest.fixture(scope="module")
def cat():
    return backbones.load(NAME, device="cpu").features(square(512))


def test_a_photo_of_a_cat_is_classified_as_its_breed(tensors):
    model = efficientnet.classifier("tf_efficientnet_lite0", tensors)
    encoder = efficientnet.EfficientNetEncoder
    with torch.inference_mode():
        scores = model(standardize(square(224), encoder.mean, encoder.std)).softmax(dim=-1)[0]
    assert int(scores.argmax()) == EGYPTIAN_CAT
    assert float(scores.max()) > 0.7


def test_features_have_the_grid_and_channels_of_the_registry(cat):
    known = backbones.describe(NAME)
    assert cat.shape == (1, *known.grid, known.channels)
    assert cat.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(cat, axis=-1), 1, atol=1e-5)


def test_every_stage_has_the_same_say_in_a_token_on_its_own_grid(cat, tensors):
    model = efficientnet.classifier("tf_efficientnet_lite0", tensors)
    encoder = efficientnet.EfficientNetEncoder
    with torch.inference_mode():
        pixels = standardize(square(512), encoder.mean, encoder.std)
        stages = model.forward_intermediates(pixels, intermediates_only=True)
        expected = [
            torch.nn.functional.interpolate(
                stages[i] / stages[i].norm(dim=1, keepdim=True), size=(64, 64), mode="bilinear"
            )
            for i in efficientnet.STAGES
        ]
        joined = torch.cat(expected, dim=1).permute(0, 2, 3, 1)
        joined = joined / joined.norm(dim=-1, keepdim=True)
    # Exact but for the rounding of batch norms that were folded into the convolutions.
    assert np.abs(joined.numpy() - cat).max() < 1e-4


def test_no_batch_norm_is_left_to_compute(tensors):
    encoder = efficientnet.build("tf_efficientnet_lite0", tensors)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in encoder.modules())


def test_the_cat_and_its_background_are_told_apart(cat):
    face, brow, wall = cat[0, 30, 30], cat[0, 22, 32], cat[0, 5, 60]
    assert face @ brow > face @ wall + 0.2


def test_what_comes_after_the_last_stage_is_not_computed(tensors):
    encoder = efficientnet.build("tf_efficientnet_lite0", tensors)

    def refuse(*_):
        raise AssertionError("The head was computed.")

    encoder.model.conv_head.register_forward_hook(refuse)
    with torch.inference_mode():
        encoder(torch.zeros(1, 3, 64, 64))


def test_half_precision_hardly_changes_the_features(cat, monkeypatch):
    monkeypatch.setattr(
        "pointprompt.backbones.backbone.half_precision", lambda device: torch.bfloat16
    )
    half = backbones.load(NAME, device="cpu").features(square(512))
    assert half.dtype == np.float32
    assert (half * cat).sum(axis=-1).mean() > 0.99
    assert not np.array_equal(half, cat)


def test_weights_of_another_model_are_refused(tensors):
    with pytest.raises(BackboneError, match="not weights of tf_efficientnet_lite0"):
        efficientnet.build("tf_efficientnet_lite0", dict(list(tensors.items())[1:]))
