"""Our mask decoder draws what the official one draws, from both layouts of its weights.

The official model, of the package segment-anything, is given random weights, and its own small
image encoder: the decoders are shown the same random image embedding. Nothing is downloaded.
"""

import re

import numpy as np
import pytest
import torch
from segment_anything.build_sam import _build_sam

from pointprompt.backbones import BackboneError
from pointprompt.backbones.sam_decoder_weights import load
from tests.backbones.test_sam import named_as_in_transformers, randomized

NOT_THIS, THIS, TOP_LEFT, BOTTOM_RIGHT = range(4)
# x and y of each point, and what it is.
PROMPTS = {
    "one point and a box": [
        (0.31, 0.42, THIS),
        (0.12, 0.2, TOP_LEFT),
        (0.63, 0.7, BOTTOM_RIGHT),
    ],
    "points of both kinds and a box": [
        (0.31, 0.42, THIS),
        (0.5, 0.55, THIS),
        (0.9, 0.13, NOT_THIS),
        (0.6, 0.05, NOT_THIS),
        (0.12, 0.2, TOP_LEFT),
        (0.63, 0.7, BOTTOM_RIGHT),
    ],
    "one point": [(0.31, 0.42, THIS)],
    "points of both kinds": [(0.31, 0.42, THIS), (0.5, 0.55, THIS), (0.9, 0.13, NOT_THIS)],
    "a box around everything": [(0, 0, TOP_LEFT), (1, 1, BOTTOM_RIGHT)],
}
TIED = (
    "shared_image_embedding.positional_embedding",
    "prompt_encoder.shared_embedding.positional_embedding",
)


@pytest.fixture(scope="module")
def official():
    """SAM as `segment_anything.build_sam_vit_b` builds it, but with a smaller image encoder."""
    torch.manual_seed(0)
    return randomized(
        _build_sam(
            encoder_embed_dim=32,
            encoder_depth=2,
            encoder_num_heads=2,
            encoder_global_attn_indexes=[1],
        )
    )


@pytest.fixture(scope="module")
def ours(official):
    return load(official.state_dict())


@pytest.fixture(scope="module")
def embedding():
    return np.random.default_rng(0).normal(size=(64, 64, 256)).astype(np.float32)


def prompt(name):
    """Points (m, 2) float32 and labels (m,)."""
    table = np.array(PROMPTS[name])
    return table[:, :2].astype(np.float32), table[:, 2].astype(np.intp)


@torch.inference_mode()
def official_mask(official, embedding, pixels, labels):
    """Logits (256, 256) and quality of the single mask, for pixels (m, 2), as (x, y) of 1024."""
    pixels, labels = torch.tensor(pixels, dtype=torch.float32), torch.tensor(labels)
    corner = labels >= TOP_LEFT
    sparse, dense = official.prompt_encoder(
        points=None if corner.all() else (pixels[~corner][None], labels[~corner][None]),
        boxes=pixels[corner].reshape(1, 4) if corner.any() else None,
        masks=None,
    )
    logits, quality = official.mask_decoder(
        image_embeddings=torch.tensor(embedding).permute(2, 0, 1)[None],
        image_pe=official.prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=False,
    )
    return logits[0, 0].numpy(), quality[0, 0].item()


def named_as_in_facebook_sam(official):
    """As in facebook/sam-vit-base, by the names of transformers' SamModel 5.23; all of them."""
    state = named_as_in_transformers(official.image_encoder)
    for name, tensor in official.state_dict().items():
        if name.endswith("gaussian_matrix"):
            state |= dict.fromkeys(TIED, tensor)
        elif name.startswith(("prompt_encoder.", "mask_decoder.")):
            state[name_in_transformers(name)] = tensor
    return state


def name_in_transformers(name):
    for here, there in (
        (".point_embeddings.", ".point_embed."),
        (".mask_downscaling.0.", ".mask_embed.conv1."),
        (".mask_downscaling.1.", ".mask_embed.layer_norm1."),
        (".mask_downscaling.3.", ".mask_embed.conv2."),
        (".mask_downscaling.4.", ".mask_embed.layer_norm2."),
        (".mask_downscaling.6.", ".mask_embed.conv3."),
        (".norm", ".layer_norm"),
        (".output_upscaling.0.", ".upscale_conv1."),
        (".output_upscaling.1.", ".upscale_layer_norm."),
        (".output_upscaling.3.", ".upscale_conv2."),
    ):
        name = name.replace(here, there)
    if "mlps" not in name and "head" not in name:
        return name
    layers = {"0": "proj_in", "1": "layers.0", "2": "proj_out"}
    return re.sub(r"layers\.(\d)", lambda found: layers[found[1]], name)


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_gives_the_official_mask_and_quality(name, official, ours, embedding):
    points, labels = prompt(name)
    logits, quality = ours.masks(embedding, [points], [labels])
    assert logits.shape == (1, 256, 256)
    assert quality.shape == (1,)
    assert logits.dtype == quality.dtype == np.float32
    expected, iou = official_mask(official, embedding, points * 1024 - 0.5, labels)
    assert np.abs(logits[0] - expected).max() < 1e-4
    assert abs(quality[0] - iou) < 1e-4
    assert expected.std() > 0.01  # Zeros would agree with zeros.


def test_the_centre_of_a_pixel_is_where_the_official_one_takes_the_pixel_to_be(
    official, ours, embedding
):
    pixels, labels = np.array([[307, 430], [0, 1023]]), np.array([THIS, NOT_THIS])
    # Exact in float32.
    centres = ((pixels + 0.5) / 1024).astype(np.float32)
    logits, _quality = ours.masks(embedding, [centres], [labels])
    expected, _iou = official_mask(official, embedding, pixels, labels)
    assert np.abs(logits[0] - expected).max() < 1e-4


def test_prompts_of_one_call_do_not_know_of_each_other(ours, embedding):
    prompts = [prompt(name) for name in PROMPTS]
    points, labels = zip(*prompts, strict=True)
    logits, quality = ours.masks(embedding, points, labels)
    for i in range(len(prompts)):
        alone, its_quality = ours.masks(embedding, points[i : i + 1], labels[i : i + 1])
        assert np.array_equal(alone[0], logits[i])
        assert its_quality[0] == quality[i]
    assert len(np.unique(quality)) == len(prompts)


def test_no_prompts_give_no_masks(ours, embedding):
    logits, quality = ours.masks(embedding, [], [])
    assert logits.shape == (0, 256, 256)
    assert quality.shape == (0,)


def test_an_embedding_of_half_precision_is_computed_with_in_full_and_left_as_it_is(ours, embedding):
    half = embedding.astype(np.float16)
    before = half.copy()
    points, labels = prompt("one point and a box")
    logits, _quality = ours.masks(half, [points], [labels])
    expected, _quality = ours.masks(half.astype(np.float32), [points], [labels])
    assert np.array_equal(logits, expected)
    assert np.array_equal(half, before)


@pytest.mark.parametrize("dropped", [(), TIED[:1], TIED[1:]], ids=["both", "second", "first"])
def test_weights_come_back_from_transformers_with_either_name_of_what_is_tied(
    dropped, official, ours
):
    state = named_as_in_facebook_sam(official)
    for name in dropped:
        del state[name]
    loaded = load(state).state_dict()
    expected = ours.state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in expected.items())


def test_the_weights_from_transformers_draw_the_official_mask(official, embedding):
    points, labels = prompt("points of both kinds and a box")
    decoder = load(named_as_in_facebook_sam(official))
    logits, _quality = decoder.masks(embedding, [points], [labels])
    expected, _iou = official_mask(official, embedding, points * 1024 - 0.5, labels)
    assert np.abs(logits[0] - expected).max() < 1e-4


def test_half_precision_weights_are_computed_with_in_full(official):
    half = {name: tensor.half() for name, tensor in official.state_dict().items()}
    loaded = load(half).state_dict()
    assert {tensor.dtype for tensor in loaded.values()} == {torch.float32}


def test_what_was_read_from_the_file_is_not_kept(official):
    # As safetensors does: each tensor is a view of the whole file.
    state = official.state_dict()
    file = torch.cat([tensor.flatten() for tensor in state.values()])
    parts = file.split([tensor.numel() for tensor in state.values()])
    views = {
        name: part.view(tensor.shape)
        for part, (name, tensor) in zip(parts, state.items(), strict=True)
    }
    loaded = load(views).state_dict()
    for name, tensor in loaded.items():
        assert tensor.untyped_storage().nbytes() == tensor.nbytes, name
        assert tensor.device.type == "cpu"
    assert not any(name.startswith("image_encoder.") for name in loaded)


@pytest.mark.parametrize(
    "missing",
    [
        "mask_decoder.iou_token.weight",
        "prompt_encoder.no_mask_embed.weight",
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "mask_decoder.output_hypernetworks_mlps.0.layers.2.bias",
    ],
)
def test_weights_without_a_tensor_of_the_decoder_are_refused(missing, official):
    state = dict(official.state_dict())
    del state[missing]
    with pytest.raises(BackboneError) as refused:
        load(state)
    assert str(refused.value) == f"These weights hold no mask decoder of SAM: {missing} is missing."


@pytest.mark.parametrize("state", [{}, {"fc.weight": torch.zeros(1)}])
def test_weights_of_something_else_are_refused(state):
    with pytest.raises(
        BackboneError, match=r"^These weights hold no mask decoder of SAM: .* is mi"
    ):
        load(state)


def test_weights_without_both_of_the_tied_names_are_refused(official):
    state = named_as_in_facebook_sam(official)
    for name in TIED:
        del state[name]
    with pytest.raises(BackboneError, match=r"positional_encoding_gaussian_matrix is missing"):
        load(state)


def test_a_decoder_of_another_size_is_refused(official):
    state = official.state_dict() | {"mask_decoder.mask_tokens.weight": torch.zeros(3, 256)}
    with pytest.raises(BackboneError) as refused:
        load(state)
    assert str(refused.value) == (
        "These are not weights of SAM's mask decoder: mask_decoder.mask_tokens.weight is "
        "(3, 256) and should be (4, 256)."
    )
