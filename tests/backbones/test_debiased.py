"""Debiased features have forgotten where in the image a token lies, and nothing else."""

import numpy as np
import pytest
import torch

from pointprompt import backbones
from pointprompt.backbones import REGISTRY, BackboneError
from pointprompt.backbones.backbone import Encoder
from pointprompt.backbones.debiased import DebiasedEncoder, main_directions

SIDE = 32


class PlaceAndColor(Encoder):
    """64 tokens of 6 numbers: their place, as an angle, always the same one, and their colour."""

    mean = (0.0, 0.0, 0.0)
    std = (1.0, 1.0, 1.0)

    def forward(self, pixels):
        color = torch.nn.functional.avg_pool2d(pixels, SIDE // 8).permute(0, 2, 3, 1)
        angle = (
            torch.linspace(0, 2 * torch.pi, 65)[:-1].view(1, 8, 8, 1).expand(len(pixels), -1, -1, 1)
        )
        return torch.cat([angle.cos(), angle.sin(), torch.ones_like(angle), color], dim=-1)


def test_tokens_of_one_colour_become_alike_wherever_they_are():
    plain = PlaceAndColor()
    debiased = DebiasedEncoder(plain, SIDE, 2, "cpu")
    image = torch.zeros(1, 3, SIDE, SIDE)
    image[:, 0, :, : SIDE // 2] = 1  # Red on the left, black on the right.
    assert plain(image).flatten(0, 2).unique(dim=0).shape[0] == 64
    left, right = debiased(image)[0].split(4, dim=1)
    torch.testing.assert_close(left, left[:1, :1].expand_as(left))
    torch.testing.assert_close(right, right[:1, :1].expand_as(right))
    assert left[0, 0, 3] > 0.5
    assert right[0, 0, 3] == pytest.approx(0, abs=1e-6)


def test_the_main_directions_are_those_along_which_tokens_differ_most_not_where_they_are():
    rng = np.random.default_rng(0)
    spread = np.array([0.1, 5, 0.5, 2], np.float32)
    tokens = rng.normal(size=(4000, 4)).astype(np.float32) * spread + np.float32([100, 0, 0, 0])
    directions = main_directions(torch.tensor(tokens), 2)
    np.testing.assert_allclose(directions.T @ directions, np.eye(2), atol=1e-5)
    found = np.abs(directions.numpy())
    np.testing.assert_allclose(found[[1, 3]].sum(axis=0), [1, 1], atol=0.1)


def test_features_of_dinov3_are_at_right_angles_to_what_was_taken_away():
    options = {"device": "cpu", "input_size": 512, "layer": 0}
    debiased = backbones.load_untrained("dinov3_small", debias=True, **options)
    assert debiased.choice.debias
    assert debiased.choice.request.debias
    square = np.random.default_rng(0).integers(0, 256, (1, 512, 512, 3), np.uint8)
    features = debiased.features(square)
    assert features.shape == (1, 32, 32, 384)
    np.testing.assert_allclose(np.linalg.norm(features, axis=-1), 1, atol=1e-4)
    directions = debiased.encoder.directions.numpy()
    assert directions.shape == (384, REGISTRY["dinov3_small"].position_directions)
    assert np.abs(features @ directions).max() < 1e-4


def test_nothing_is_debiased_unless_that_is_asked_for():
    loaded = backbones.load_untrained("dinov3_small", device="cpu", input_size=512)
    assert not loaded.choice.debias
    assert not isinstance(loaded.encoder, DebiasedEncoder)


@pytest.mark.parametrize("name", REGISTRY)
def test_the_transformers_of_dinov3_offer_it_and_keep_most_of_their_channels(name):
    known = REGISTRY[name]
    offers = name.startswith("dinov3") and known.family != "convnext"
    assert (known.position_directions > 0) == offers
    assert known.position_directions < known.channels / 2


def test_a_backbone_that_does_not_offer_it_refuses():
    with pytest.raises(BackboneError, match="EfficientNet-Lite0 has no positional debiasing"):
        backbones.load("efficientnet_lite0", device="cpu", debias=True)
