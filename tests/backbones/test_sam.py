"""Our SAM gives the tokens of the official one, from every layout of its weights.

The official image encoder, of the package segment-anything, is given random weights, position
embeddings included; nothing is downloaded.
"""

from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from segment_anything import build_sam_vit_b
from segment_anything.modeling import ImageEncoderViT
from segment_anything.modeling.image_encoder import window_unpartition
from timm.models.vision_transformer_sam import VisionTransformerSAM
from torch import nn
from torchvision import transforms

from pointprompt import backbones
from pointprompt.backbones import BackboneError, loading, sam, weights
from pointprompt.backbones.backbone import standardize

NODES = ("attn", "mlp", "block")
SMALL = {"patch_size": 16, "embed_dim": 32, "depth": 4, "num_heads": 4}
# 15 x 15 tokens in windows of 4: the last window of each row and column is padded.
SMALL_SIDE, SMALL_WINDOW, SMALL_GLOBAL = 240, 4, (1, 3)


def official_small(side=SMALL_SIDE):
    return randomized(
        ImageEncoderViT(
            img_size=side,
            out_chans=16,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=SMALL_WINDOW,
            global_attn_indexes=SMALL_GLOBAL,
            **SMALL,
        )
    )


def ours_small(node, layer, kind=sam.SamEncoder):
    model = VisionTransformerSAM(
        img_size=SMALL_SIDE,
        num_classes=0,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=SMALL_WINDOW,
        global_attn_indexes=SMALL_GLOBAL,
        neck_chans=16,
        **SMALL,
    )
    return kind(model, node, layer)


def randomized(encoder):
    """The weights as they are made, but no embedding, bias or norm left at zero or one."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            if "pos" in name:
                parameter.normal_(std=0.5, generator=generator)
            elif parameter.ndim == 1:
                parameter.add_(torch.empty_like(parameter).normal_(std=0.1, generator=generator))
    return encoder.eval()


def official_tokens(encoder, pixels, wanted):
    """What the official encoder's nodes give, (b, h, w, c) each, for (node, layer) in wanted."""
    tokens = {}

    def keep(key, window):
        def hook(_module, _inputs, output):
            if window:
                h, w = pixels.shape[2] // 16, pixels.shape[3] // 16
                padded = (-(-h // window) * window, -(-w // window) * window)
                output = window_unpartition(output, window, padded, (h, w))
            tokens[key] = output

        return hook

    hooks = []
    for node, layer in wanted:
        block = encoder.blocks[layer]
        module = {"attn": block.attn, "mlp": block.mlp, "block": block}[node]
        window = block.window_size if node == "attn" else 0
        hooks.append(module.register_forward_hook(keep((node, layer), window)))
    with torch.inference_mode():
        encoder(pixels)
    for hook in hooks:
        hook.remove()
    return tokens


def named_as_in_the_official_checkpoint(encoder):
    """As in sam_vit_b_01ec64.pth, which also holds the prompt encoder and the mask decoder."""
    state = {f"image_encoder.{name}": tensor for name, tensor in encoder.state_dict().items()}
    return state | {"prompt_encoder.no_mask_embed.weight": torch.zeros(1, 256)}


def named_as_in_transformers(encoder):
    """As in facebook/sam-vit-base, by the names of transformers' SamModel."""
    names = {
        "patch_embed.proj": "patch_embed.projection",
        "blocks": "layers",
        "norm1": "layer_norm1",
        "norm2": "layer_norm2",
        "neck.0": "neck.conv1",
        "neck.1": "neck.layer_norm1",
        "neck.2": "neck.conv2",
        "neck.3": "neck.layer_norm2",
    }
    return {"mask_decoder.iou_token.weight": torch.zeros(1, 256)} | renamed(
        encoder, "vision_encoder.", names
    )


def named_as_in_timm(encoder):
    return renamed(encoder, "", {"mlp.lin1": "mlp.fc1", "mlp.lin2": "mlp.fc2"})


def renamed(encoder, prefix, names):
    state = {}
    for name, tensor in encoder.state_dict().items():
        new = name
        for official, other in names.items():
            new = new.replace(official, other)
        state[prefix + new] = tensor
    return state


def save_official(encoder, folder):
    torch.save(named_as_in_the_official_checkpoint(encoder), folder / "sam_vit_b_01ec64.pth")
    return folder / "sam_vit_b_01ec64.pth"


def save_transformers(encoder, folder):
    save_file(named_as_in_transformers(encoder), folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    return folder


def save_old_transformers(encoder, folder):
    torch.save(named_as_in_transformers(encoder), folder / "pytorch_model.bin")
    (folder / "config.json").write_text("{}")
    return folder


def save_timm(encoder, folder):
    save_file(named_as_in_timm(encoder), folder / "samvit_base.safetensors")
    return folder / "samvit_base.safetensors"


def test_every_node_of_windowed_and_global_blocks_gives_the_official_tokens():
    official = official_small()
    pixels = torch.randn(2, 3, SMALL_SIDE, SMALL_SIDE, generator=torch.Generator().manual_seed(1))
    wanted = [(node, layer) for node in NODES for layer in range(4)]
    expected = official_tokens(official, pixels, wanted)
    for node, layer in wanted:
        ours = ours_small(node, layer)
        sam.load_weights(ours, named_as_in_the_official_checkpoint(official))
        with torch.inference_mode():
            tokens = ours(pixels)
        assert tokens.shape == (2, 15, 15, 32)
        assert (tokens - expected[node, layer]).abs().max() < 1e-4, (node, layer)
        assert expected[node, layer].std() > 0.01  # Zeros would agree with zeros.


@pytest.mark.parametrize("rows", [1, 4, 15, 100])
def test_the_tokens_are_the_same_however_many_rows_are_computed_at_once(rows):
    pixels = torch.randn(2, 3, SMALL_SIDE, SMALL_SIDE, generator=torch.Generator().manual_seed(1))
    ours = ours_small("block", 3)
    sam.load_weights(ours, named_as_in_timm(official_small()))
    with torch.inference_mode():
        expected = ours(pixels)
        ours.rows = rows
        assert (ours(pixels) - expected).abs().max() < 1e-5


@pytest.mark.parametrize("node", NODES)
def test_with_the_neck_the_same_pass_gives_the_official_image_embedding_too(node):
    official = official_small()
    pixels = torch.randn(2, 3, SMALL_SIDE, SMALL_SIDE, generator=torch.Generator().manual_seed(1))
    ours = ours_small(node, 3, sam.SamEncoderWithNeck)
    sam.load_weights(ours, named_as_in_transformers(official))
    with torch.inference_mode():
        tokens, embedding = ours.encode(pixels)
        expected = official(pixels).permute(0, 2, 3, 1)
        assert torch.equal(tokens, ours(pixels))
    assert embedding.shape == (2, 15, 15, 16)
    assert (embedding - expected).abs().max() < 1e-4


def test_blocks_after_the_wanted_one_are_not_kept():
    assert len(ours_small("attn", 1).blocks) == 2
    assert not any(name.startswith("neck") for name in ours_small("attn", 3).state_dict())


def test_a_smaller_image_resamples_the_position_embeddings():
    # Embeddings that are the same everywhere are the same after resampling: then the official
    # encoder built for the smaller image is a reference.
    large, small = official_small(), official_small(side=128)
    state = large.state_dict()
    state["pos_embed"] = state["pos_embed"][:, :1, :1].expand_as(state["pos_embed"])
    for name, tensor in state.items():
        if "rel_pos" in name:
            state[name] = tensor[:1].expand_as(tensor)
    smaller = dict(state)
    for name, tensor in small.state_dict().items():
        if "pos" in name:
            where = (slice(None), *[slice(side) for side in tensor.shape[1:3]])
            smaller[name] = state[name][where] if tensor.ndim == 4 else state[name][: len(tensor)]
    small.load_state_dict(smaller)
    pixels = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    ours = ours_small("attn", 3)
    sam.load_weights(ours, {f"image_encoder.{name}": tensor for name, tensor in state.items()})
    with torch.inference_mode():
        tokens = ours(pixels)
    assert tokens.shape == (1, 8, 8, 32)
    expected = official_tokens(small, pixels, [("attn", 3)])["attn", 3]
    assert (tokens - expected).abs().max() < 1e-4


def test_preprocessing_is_that_of_the_tutorial_bit_for_bit():
    photo = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (300, 451, 3), dtype=np.uint8)
    ).resize((1024, 1024), Image.Resampling.LANCZOS)
    tutorial = transforms.Compose(
        [
            transforms.ToTensor(),
            transforms.Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
        ]
    )
    encoder = sam.SamEncoder
    ours = standardize(np.asarray(photo)[None], encoder.mean, encoder.std)
    assert ours.dtype == torch.float32
    assert torch.equal(ours, tutorial(photo)[None])


@pytest.mark.parametrize(
    "save", [save_official, save_transformers, save_old_transformers, save_timm]
)
def test_weights_come_back_from_every_layout(save, tmp_path, monkeypatch):
    official = official_small()
    monkeypatch.setenv("POINTPROMPT_SAM_VIT_B", str(save(official, tmp_path)))
    read = weights.read(weights.find(backbones.describe("sam_vit_b")))
    ours = ours_small("block", 3)
    sam.load_weights(ours, read)
    theirs = named_as_in_timm(official)
    for name, tensor in ours.state_dict().items():
        assert torch.equal(tensor, theirs[name]), name


def test_half_precision_weights_are_computed_with_in_full():
    half = {
        name: tensor.half()
        for name, tensor in named_as_in_the_official_checkpoint(official_small()).items()
    }
    ours = ours_small("attn", 3)
    sam.load_weights(ours, half)
    assert {tensor.dtype for tensor in ours.state_dict().values()} == {torch.float32}


def test_weights_of_another_size_or_model_are_refused():
    state = named_as_in_the_official_checkpoint(official_small())
    with pytest.raises(BackboneError, match=r"another size of SAM: pos_embed is .*15, 15, 32"):
        sam.build("samvit_base_patch16", state, "attn", 11)
    with pytest.raises(BackboneError, match=r"not weights of this SAM: .* is not among them"):
        sam.load_weights(ours_small("attn", 3), {"fc.weight": torch.zeros(1)})


def test_at_full_size_a_published_checkpoint_gives_the_official_tokens(tmp_path, monkeypatch):
    """ViT-B at 1024 pixels, from the file to features: windowed block 0, global block 11.

    And the image embedding, since the file holds the mask decoder too.
    """
    official = randomized(build_sam_vit_b())
    square = np.random.default_rng(0).integers(0, 256, (1, 1024, 1024, 3), dtype=np.uint8)
    pixels = standardize(square, sam.SamEncoder.mean, sam.SamEncoder.std)
    wanted = [*((node, 0) for node in NODES), ("attn", 11)]
    embeddings = []
    official.image_encoder.neck.register_forward_hook(lambda *made: embeddings.append(made[-1]))
    expected = official_tokens(official.image_encoder, pixels, wanted)
    embedding = embeddings[0].permute(0, 2, 3, 1).numpy()
    with torch.inference_mode():
        for node in NODES:
            tokens = sam.build("samvit_base_patch16", official.state_dict(), node, 0)(pixels)
            assert tokens.shape == (1, 64, 64, 768)
            assert (tokens - expected[node, 0]).abs().max() < 1e-4, node

    file = tmp_path / "sam_vit_b_01ec64.pth"
    torch.save(official.state_dict(), file)
    monkeypatch.setenv("POINTPROMPT_SAM_VIT_B", str(file))
    encoded = backbones.load("sam_vit_b", device="cpu").encode(square)
    last = expected["attn", 11]
    lengths = last.norm(dim=-1, keepdim=True).numpy()
    assert np.abs(encoded.features - last.numpy() / lengths).max() < 1e-4
    assert np.abs(encoded.features * lengths - last.numpy()).max() < 1e-4
    assert encoded.image_embeddings.dtype == np.float16
    assert encoded.image_embeddings.shape == (1, 64, 64, 256)
    np.testing.assert_allclose(encoded.image_embeddings, embedding, rtol=1e-3, atol=1e-3)

    decoder = backbones.load_decoder("sam_vit_b")
    assert backbones.load_decoder("sam_vit_b") is decoder
    points = np.array([[0.25, 0.75]], np.float32)
    (logits,), _ = decoder.masks(encoded.image_embeddings[0], [points], [np.array([1])])
    with torch.inference_mode():
        sparse, dense = official.prompt_encoder(
            (torch.tensor(points)[None] * 1024 - 0.5, torch.ones(1, 1)), None, None
        )
        theirs, _ = official.mask_decoder(
            torch.tensor(embedding).permute(0, 3, 1, 2),
            official.prompt_encoder.get_dense_pe(),
            sparse,
            dense,
            multimask_output=False,
        )
    # The embedding was rounded to half precision.
    scale = theirs.abs().max()
    assert np.abs(logits - theirs[0, 0].numpy()).max() < 0.01 * scale


@pytest.mark.parametrize(
    ("layer", "side", "has_decoder"), [(10, 1024, True), (11, 768, True), (11, 1024, False)]
)
def test_image_embeddings_are_given_only_where_they_can_be_used_at_no_cost(
    layer, side, has_decoder, monkeypatch
):
    known = backbones.describe("sam_vit_b")
    chosen = loading.choose(known, "cpu", layer=layer, input_size=side)
    built = []
    monkeypatch.setattr(sam, "build", lambda *_, neck: built.append(neck))
    tensors = {"image_encoder.pos_embed": torch.zeros(1)}
    decoder = {"mask_decoder.iou_token.weight": torch.zeros(1)} if has_decoder else {}
    loading.build_encoder(chosen, [tensors | decoder])
    chosen = loading.choose(known, "cpu")
    decoder = {"mask_decoder.iou_token.weight": torch.zeros(1)}
    loading.build_encoder(chosen, [tensors | decoder])
    assert built == [False, True]


def test_a_checkpoint_without_a_decoder_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("POINTPROMPT_SAM_VIT_B", str(save_timm(official_small(), tmp_path)))
    with pytest.raises(BackboneError, match=r"samvit_base\.safetensors: .*no mask decoder"):
        backbones.load_decoder("sam_vit_b")
