"""The backbones a person can choose from, each with what they should know before.

Knows names, numbers and licences. Knows nothing of weights on a disk, devices or tensors.
"""

from __future__ import annotations

from pointprompt.backbones import families
from pointprompt.backbones.info import BackboneInfo

# Seconds are of the input sizes in their order, or of the first alone: docs/backbones.md.
_SAM_B = families.sam(
    letter="B",
    size="base",
    weights_mb=375,
    depth=12,
    channels=768,
    checkpoint="sam_vit_b_01ec64.pth",
    cpu_seconds=(7.73, 3.26, 1.43),
)
_DINOV3_BASE = families.dinov3(
    size="base",
    title="base",
    note="; better and slower",
    weights_mb=343,
    channels=768,
    position_directions=20,
    cpu_seconds=(7.9, 3.4, 1.34),
)
_ENTRIES = (
    families.efficientnet(
        version=0,
        good_for="any computer, offline; fast",
        weights_mb=18,
        channels=432,
        cpu_seconds=(0.05, 0.03, 0.14),
        # `python -m benchmarks.quality DATA --input-size N`, 44 sets.
        size_note="Other input sizes change the masks: mean IoU after three clicks was 0.53 at 384 "
        "pixels, 0.55 at 512 and 0.57 at 768.",
    ),
    families.efficientnet(
        version=2,
        good_for="any computer, offline; a little better",
        weights_mb=24,
        channels=472,
        cpu_seconds=(0.06, 0.03, 0.19),
    ),
    _SAM_B,
    families.sam(
        letter="L",
        size="large",
        weights_mb=1249,
        depth=24,
        channels=1024,
        checkpoint="sam_vit_l_0b3195.pth",
        cpu_seconds=(22, 11, 5.16),
    ),
    families.sam(
        letter="H",
        size="huge",
        weights_mb=2564,
        depth=32,
        channels=1280,
        checkpoint="sam_vit_h_4b8939.pth",
        cpu_seconds=(39, 21, 9.11),
    ),
    families.sam2(
        size="tiny",
        title="tiny",
        weights_mb=107,
        channels=384,
        cpu_seconds=(1.78, 0.87, 0.33),
    ),
    families.sam2(
        size="small",
        title="small",
        weights_mb=136,
        channels=384,
        cpu_seconds=(2.12, 1.08, 0.44),
    ),
    families.sam2(
        size="base_plus",
        title="base+",
        weights_mb=275,
        channels=448,
        cpu_seconds=(3.82, 1.96, 0.83),
    ),
    families.sam2(
        size="large",
        title="large",
        weights_mb=849,
        channels=576,
        trained_at=1024,
        cpu_seconds=(9.51, 5.07, 2.18),
    ),
    families.dinov3(
        size="small",
        title="small",
        weights_mb=86,
        channels=384,
        position_directions=10,
        cpu_seconds=(3.09, 1.21, 0.45),
    ),
    families.dinov3(
        size="small_plus",
        title="small+",
        note="; a little better",
        weights_mb=115,
        channels=384,
        position_directions=10,
        cpu_seconds=(3.26, 1.23, 0.47),
    ),
    _DINOV3_BASE,
    families.dinov3(
        size="large",
        title="large",
        note="; the best of these, for a GPU",
        weights_mb=1212,
        depth=24,
        channels=1024,
        position_directions=500,
        cpu_seconds=(24,),
    ),
    families.pair(_DINOV3_BASE, _SAM_B),
    families.dinov3_convnext(
        size="tiny", weights_mb=111, channels=1152, cpu_seconds=(1.4, 0.96, 0.4)
    ),
    families.dinov2(size="small", weights_mb=88, channels=384, cpu_seconds=(3.07, 1.17, 0.46)),
    families.dinov2(
        size="base",
        note="; better and slower",
        weights_mb=346,
        channels=768,
        cpu_seconds=(7.8, 3.28, 1.3),
    ),
    families.pe_spatial(
        size="tiny", note="; fast", weights_mb=22, channels=192, cpu_seconds=(1.24, 0.44, 0.16)
    ),
    families.pe_spatial(size="small", weights_mb=88, channels=384, cpu_seconds=(3.05, 1.29, 0.39)),
    families.pe_spatial(
        size="base",
        note="; better and slower",
        weights_mb=345,
        channels=768,
        cpu_seconds=(7.46,),
    ),
    families.pe_spatial(
        size="large",
        note="; for a GPU",
        weights_mb=1216,
        depth=24,
        channels=1024,
        patch=14,
        trained_at=448,
        cpu_seconds=(24,),
    ),
    families.tipsv2(size="base", weights_mb=345, channels=768, cpu_seconds=(8.57,)),
    families.tipsv2(
        size="large",
        note="; better, for a GPU",
        weights_mb=1216,
        depth=24,
        channels=1024,
        cpu_seconds=(24,),
    ),
    families.tipsv2(
        size="so400m",
        note="; better still, for a GPU",
        weights_mb=1654,
        depth=27,
        channels=1152,
        cpu_seconds=(29,),
    ),
    families.transformer(
        name="radio_v4_so400m",
        title="C-RADIOv4 SO400M",
        good_for="a bit of everything: it learned from DINOv3, SAM 3 and SigLIP 2; for a GPU",
        licence="NVIDIA Open Model License",
        weights_mb=1654,
        depth=27,
        channels=1152,
        timm_name="vit_so400m_patch16_radio_v4.c_radio",
        cpu_seconds=(32,),
    ),
    families.transformer(
        name="radio_v4_huge",
        title="C-RADIOv4 H",
        good_for="a bit of everything, better, for a large GPU",
        licence="NVIDIA Open Model License",
        weights_mb=2527,
        depth=32,
        channels=1280,
        timm_name="vit_huge_patch16_radio_v4.c_radio",
        cpu_seconds=(41,),
    ),
    families.transformer(
        name="siglip2_base",
        title="SigLIP 2 base",
        good_for="what a thing is called, finer than CLIP",
        licence="Apache-2.0",
        weights_mb=374,
        input_sizes=(512, 768, 1024),
        channels=768,
        timm_name="vit_base_patch16_siglip_512.v2_webli",
        cpu_seconds=(1.2, 3.39, 7.73),
    ),
    families.transformer(
        name="clip_base",
        title="CLIP ViT-B/16",
        good_for="what a thing is called rather than how it looks; coarse",
        licence="MIT",
        weights_mb=343,
        input_sizes=(512, 768, 1024),
        channels=768,
        timm_name="vit_base_patch16_clip_quickgelu_224.openai",
        cpu_seconds=(1.12, 3.06, 7.43),
        hub_repository="timm/vit_base_patch16_clip_224.openai",
        layer=10,  # The last one serves the class token alone.
    ),
    families.transformer(
        name="mae_base",
        title="MAE ViT-B/16",
        good_for="colour, texture and parts; not for commercial use",
        licence="CC-BY-NC-4.0",
        weights_mb=343,
        input_sizes=(512, 768, 1024),
        channels=768,
        timm_name="vit_base_patch16_224.mae",
        cpu_seconds=(1.17, 3.19, 7.78),
    ),
)

REGISTRY: dict[str, BackboneInfo] = {entry.name: entry for entry in _ENTRIES}
