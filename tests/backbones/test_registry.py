"""Every backbone on offer is what the registry says it is; none is downloaded to see it."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import timm
import torch

from pointprompt import backbones
from pointprompt.backbones import REGISTRY, Availability, BackboneError, loading, timm_model
from pointprompt.sources.framing import Framing

# One of each family and kind: the others of it differ in width and depth only.
EVERY_SIZE_OF = (
    "efficientnet_lite0",
    "sam_vit_b",
    "sam2_hiera_tiny",
    "dinov2_small",
    "dinov3_convnext_tiny",
    "pe_spatial_tiny",
    "radio_v4_so400m",
    "clip_base",
)
# Those that are one model.
ALONE = [name for name, known in REGISTRY.items() if not known.parts]
IN_THEIR_ASPECT = [name for name, known in REGISTRY.items() if known.frame_step]
# How timm writes the licences.
LICENCES = {
    "Apache-2.0": "apache-2.0",
    "CC-BY-NC-4.0": "cc-by-nc-4.0",
    "DINOv3 License": "dinov3-license",
    "NVIDIA Open Model License": "nvidia-open-model-license",
}


def on_meta(known, input_size, shape=None):
    """The random model, and the shape of its tokens of two images: no memory, no arithmetic."""
    choice = loading.choose(known, "cpu", input_size=input_size)
    with torch.device("meta"), torch.inference_mode():
        encoder = loading.build_encoder(choice, None)
        return encoder, tuple(
            encoder(torch.empty(2, 3, *(shape or (input_size, input_size)))).shape
        )


def shape_of_tokens(known, input_size):
    return on_meta(known, input_size)[1]


def layers_of(known, encoder):
    """How many layers of a model can be named."""
    return len(encoder.blocks) if known.family == "sam" else len(encoder.model.feature_info)


@pytest.mark.parametrize("name", ALONE)
def test_an_entry_says_what_timm_builds(name):
    known = REGISTRY[name]
    encoder, shape = on_meta(known, known.input_size)
    assert shape == (2, *known.grid, known.channels)
    count = layers_of(known, encoder)
    # Where stages make the tokens together, there is no layer to choose.
    joined = known.family in ("efficientnet", "convnext")
    assert known.layers == ((count - 1,) if joined else tuple(range(count)))
    # SAM's file holds its mask decoder as well.
    if known.family != "sam":
        # Without learned places, which are stretched to the input size.
        weights = [w for name, w in encoder.named_parameters() if "pos_embed" not in name]
        size = sum(weight.numel() for weight in weights) * 4 / 1e6
        assert known.weights_mb == pytest.approx(size, rel=0.03, abs=3)


@pytest.mark.parametrize("name", [name for name in ALONE if not REGISTRY[name].builtin])
def test_the_licence_and_the_place_of_weights_are_those_that_timm_names(name):
    known = REGISTRY[name]
    published = timm.get_pretrained_cfg(known.timm_name)
    assert published.hf_hub_id in (known.hub_repository, known.other_repository)
    # OpenAI's own, whatever timm says of it.
    if name != "clip_base":
        assert published.license == LICENCES[known.licence]


@pytest.mark.parametrize("name", EVERY_SIZE_OF)
def test_every_input_size_makes_a_grid_in_proportion(name):
    known = REGISTRY[name]
    for side in known.input_sizes:
        h, w = (tokens * side // known.input_size for tokens in known.grid)
        assert shape_of_tokens(known, side) == (2, h, w, known.channels)


@pytest.mark.parametrize("name", IN_THEIR_ASPECT)
def test_images_in_their_own_aspect_make_a_grid_of_it(name):
    known = REGISTRY[name]
    for side in known.input_sizes:
        shape = Framing(side, known.frame_step).shape(1, 3)
        h, w = (
            tokens * pixels // known.input_size
            for tokens, pixels in zip(known.grid, shape, strict=True)
        )
        assert on_meta(known, side, shape)[1] == (2, h, w, known.channels)


def test_what_sam_takes_stays_square():
    sams = [n for n, known in REGISTRY.items() if "sam" in n or known.parts]
    assert len(sams) >= 8
    assert all(backbones.describe(name).frame_step == 0 for name in sams)


@pytest.mark.parametrize("name", REGISTRY)
def test_an_entry_is_complete_and_fits_together(name):
    known = REGISTRY[name]
    assert known.name == name
    assert known.title
    assert known.good_for
    assert known.licence
    assert known.weights_mb > 0
    assert known.input_size == known.input_sizes[0]
    # A smaller image takes less time. Of the large ones the largest size alone was measured.
    assert len(known.cpu_seconds) in (1, len(known.input_sizes))
    by_size = sorted(zip(known.input_sizes, known.cpu_seconds, strict=False))
    assert [seconds for _, seconds in by_size] == sorted(known.cpu_seconds)
    assert min(known.cpu_seconds) > 0
    assert known.node in known.nodes
    assert known.layer in known.layers
    assert [known.builtin, bool(known.hub_repository), bool(known.parts)].count(True) == 1
    assert known.environment_variable == f"POINTPROMPT_{name.upper()}"


def test_the_two_backbones_of_the_tutorial_and_of_the_package_are_as_documented():
    sam = backbones.describe("sam_vit_b")
    assert (sam.node, sam.layer, sam.input_size) == ("attn", 11, 1024)
    assert (sam.grid, sam.channels, sam.builtin) == ((64, 64), 768, False)
    assert backbones.describe("efficientnet_lite0").builtin


def test_only_dinov3_is_given_to_those_alone_who_accept_its_licence():
    for name, known in REGISTRY.items():
        assert known.gated == name.startswith("dinov3"), name


@pytest.mark.parametrize(
    ("name", "input_size"),
    [
        ("sam2_hiera_tiny", 512),
        ("dinov2_small", 448),
        ("dinov3_small", 512),
        ("dinov3_small_plus", 512),
        ("dinov3_convnext_tiny", 512),
        ("pe_spatial_tiny", 512),
        ("sam_vit_b", 512),
    ],
)
def test_random_weights_give_features_of_images(name, input_size):
    known = REGISTRY[name]
    square = np.random.default_rng(0).integers(0, 256, (1, input_size, input_size, 3), np.uint8)
    options = {"layer": 0} if name == "sam_vit_b" else {}
    loaded = backbones.load_untrained(name, device="cpu", input_size=input_size, **options)
    features = loaded.features(square)
    assert features.shape == (1, 32, 32, known.channels)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=-1), 1, atol=1e-4)


def test_weights_for_one_input_size_serve_another():
    """PE-Spatial has learned places, of 512 pixels: they are stretched."""
    name = "vit_pe_spatial_tiny_patch16_512.fb"
    published = timm.create_model(name).state_dict()
    encoder = timm_model.build(name, published, 11, 768)
    assert encoder.model.pos_embed.shape == (1, 1 + 48 * 48, 192)
    of_class = published["pos_embed"][:, :1]
    torch.testing.assert_close(encoder.model.pos_embed[:, :1], of_class)
    torch.testing.assert_close(
        encoder.model.blocks[11].mlp.fc1.weight, published["blocks.11.mlp.fc1.weight"]
    )


def test_tokens_of_convolutions_are_of_two_stages_and_the_last_one_has_passed_its_norm():
    tokens = backbones.load_untrained("dinov3_convnext_tiny", device="cpu", input_size=512)
    square = np.random.default_rng(0).integers(0, 256, (1, 512, 512, 3), np.uint8)
    features = tokens.features(square)
    fine, last = features[..., :384], features[..., 384:]
    # What a layer norm that has learned nothing yet leaves has a mean of 0.
    assert np.abs(last.mean(axis=-1)).max() < 1e-6
    assert np.abs(fine.mean(axis=-1)).max() > 1e-6
    # Neither stage drowns the other: one is of length 1, the other a mean of such.
    assert (np.linalg.norm(last, axis=-1) <= np.linalg.norm(fine, axis=-1) + 1e-6).all()
    assert np.linalg.norm(last, axis=-1).min() > 0.1


@pytest.mark.parametrize(
    ("name", "grid", "channels", "layer"),
    [
        ("resnet50.a1_in1k", (28, 28), 1024, 3),
        ("vit_small_patch14_dinov2.lvd142m", (32, 32), 384, 11),
        ("swin_tiny_patch4_window7_224.ms_in1k", (28, 28), 384, 2),
    ],
)
def test_any_other_model_of_timm_describes_itself(name, grid, channels, layer):
    known = backbones.describe(f"timm:{name}")
    assert (known.grid, known.channels, known.layer) == (grid, channels, layer)
    assert known.hub_repository == f"timm/{name}"
    assert known.name == f"timm:{name}"
    side = known.input_sizes[1]
    h, w = (tokens * side // known.input_size for tokens in known.grid)
    assert shape_of_tokens(known, side) == (2, h, w, channels)


@pytest.mark.parametrize(
    "name", ["nope", "", "timm:", "timm:nope", "timm:hf-hub:someone/model", "timm:local-dir:/etc"]
)
def test_an_unknown_name_is_an_error_and_never_an_address(name):
    with pytest.raises(BackboneError, match=r"There is no backbone|has no pretrained model"):
        backbones.describe(name)


def test_a_timm_model_without_a_grid_of_tokens_is_refused():
    with pytest.raises(BackboneError, match="does not make a grid of tokens"):
        backbones.describe("timm:levit_128.fb_dist_in1k")


@pytest.mark.parametrize(
    ("option", "value"),
    [("node", "qkv"), ("layer", 12), ("layer", -1), ("input_size", 1000), ("input_size", 0)],
)
def test_an_option_that_is_not_offered_is_refused_with_those_that_are(option, value):
    with pytest.raises(BackboneError, match=f"{option} of sam_vit_b must be one of"):
        backbones.load("sam_vit_b", device="cpu", **{option: value})


def test_the_backbone_loaded_last_is_kept_and_no_other():
    first = backbones.load("efficientnet_lite0", device="cpu")
    assert backbones.load("efficientnet_lite0", device="cpu") is first
    other = backbones.load("efficientnet_lite0", device="cpu", input_size=384)
    assert other is not first
    assert other.input_size == 384
    assert list(loading._kept.values()) == [other]


def test_a_built_in_backbone_takes_no_other_kinds_place(monkeypatch):
    # Of one that cannot be had here.
    sam = loading.choose(backbones.describe("sam_vit_b"), "cpu")
    monkeypatch.setattr(loading, "_kept", {(sam, ()): "SAM"})
    first = backbones.load("efficientnet_lite0", device="cpu")
    assert list(loading._kept.values()) == ["SAM", first]
    second = backbones.load("efficientnet_lite0", device="cpu", input_size=384)
    assert list(loading._kept.values()) == ["SAM", second]


def test_sam_is_the_default_where_there_is_a_gpu_and_its_weights_can_be_had(monkeypatch):
    monkeypatch.setattr(backbones, "has_gpu", lambda device: True)
    monkeypatch.setattr(backbones, "availability", lambda name: Availability(True, "Here."))
    name, reason = backbones.choose_default()
    assert name == "sam_vit_b"
    assert "GPU" in reason


def test_the_built_in_backbone_is_the_default_otherwise_and_says_why(monkeypatch):
    monkeypatch.setattr(backbones, "has_gpu", lambda device: True)
    monkeypatch.setattr(backbones, "availability", lambda name: Availability(False, "Offline."))
    assert backbones.choose_default() == (
        "efficientnet_lite0",
        "EfficientNet-Lite0 is in use, since SAM cannot be had. Offline.",
    )
    monkeypatch.setattr(backbones, "has_gpu", lambda device: False)
    name, reason = backbones.choose_default()
    assert name == "efficientnet_lite0"
    assert "without a GPU" in reason


def test_a_default_that_cannot_be_had_leaves_the_built_in_one_and_says_why(monkeypatch):
    def get(name, *, progress=None):
        if name == "sam_vit_b":
            raise BackboneError("The Hub does not answer.")

    monkeypatch.setattr(backbones, "has_gpu", lambda device: True)
    monkeypatch.setattr(backbones, "availability", lambda name: Availability(True, "Here."))
    monkeypatch.setattr(backbones, "get", get)
    name, reason = backbones.get_default()
    assert name == "efficientnet_lite0"
    assert reason.endswith("since SAM cannot be had. The Hub does not answer.")


def test_on_a_cpu_the_default_is_built_in_whatever_gpu_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    name, reason = backbones.get_default("cpu")
    assert name == "efficientnet_lite0"
    assert "without a GPU" in reason


def test_the_registry_is_read_without_heavy_imports():
    code = (
        "import sys\n"
        "from pointprompt import backbones\n"
        "backbones.describe('sam_vit_b'), backbones.availability('efficientnet_lite0')\n"
        "heavy = {'torch', 'timm', 'huggingface_hub', 'torchvision'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_an_entry_cannot_be_changed_by_accident():
    with pytest.raises(dataclasses.FrozenInstanceError):
        backbones.describe("sam_vit_b").layer = 3


@pytest.mark.parametrize("name", [None, 5, [], {}, 1.5, "timm:" + "x" * 1000])
def test_what_is_no_name_is_an_error_with_a_sentence_that_does_not_repeat_it(name):
    with pytest.raises(BackboneError, match="by its name") as raised:
        backbones.describe(name)
    assert len(str(raised.value)) < 100


def test_the_weights_in_an_identity_are_told_from_all_else_in_it():
    digests = ("0" * 64, "f" * 64)
    assert (
        backbones.weights_in(f"zerogpu pair attn 11 1024 False cpu {' '.join(digests)}") == digests
    )
