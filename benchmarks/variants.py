"""What might make the features faster on a CPU, beside what the project does.

    python -m benchmarks.variants
    python -m benchmarks.variants efficientnet_lite0 --rounds 20

Every round computes features once with each variant, one after the other, so that a busy computer
slows all of them alike. Seconds are of one image and medians of the rounds; ratios are to plain,
what the project does, in the same round. A difference is the distance of a token of length 1 from
the one that plain computes.

The built-in backbones have their weights. Others have random ones: the seconds are the same, but
what half precision and int8 do to the tokens of a trained one cannot be read here.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from timm.layers import BatchNormAct2d
from torch import nn
from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic
from torch.nn.functional import normalize
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchmarks import report
from benchmarks.photos import make_photos
from benchmarks.table import print_row
from pointprompt import backbones
from pointprompt.backbones.backbone import Backbone, Encoder, standardize
from pointprompt.backbones.efficientnet import EfficientNetEncoder
from pointprompt.backbones.sam import SamEncoder
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import read_set
from pointprompt.types import ByteArray

NAMES = ("efficientnet_lite0", "sam_vit_b")

_ROUNDS = 3
# Short rounds go on for so long.
_SECONDS = 30
_COMPILE_LIMIT = 300
_PHOTOS = 4


@dataclass(frozen=True)
class Variant:
    """A way to compute features.

    Attributes:
        name: What is different from plain.
        encoder: What computes the tokens.
        squares: (b, s, s, 3) uint8: the images it is given together.
        threads: How many torch may use.
        comparable: Whether the tokens ought to be plain's.
    """

    name: str
    encoder: Encoder
    squares: ByteArray
    threads: int
    comparable: bool = True


def main() -> None:
    """Measure the variants of the backbones named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.variants", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", default=NAMES, help=f"default: {' '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="at least so many")
    options = parser.parse_args()
    threads, capability = torch.get_num_threads(), torch.backends.cpu.get_cpu_capability()
    print(f"{report.machine()}, {threads} threads, {capability}.")
    for name in options.names:
        print(f"\n{name}:")
        print_row(
            ["s/image", "ratio", "CPU s/image", "ratio", "first s", "difference", "mean", "variant"]
        )
        _in_new_process(f"measure({name!r}, {options.rounds})")
        _compile_in_new_process(f"measure_compiled({name!r}, {options.rounds})")


def measure(name: str, rounds: int) -> None:
    """Print what plain and all variants but the compiled one cost."""
    plain = _plain(name)
    variants = [*_settings(plain), *_rewritten(plain), *_less_precise(plain)]
    _compare([plain, *variants, *_of_other_work(name, plain)], rounds)


def measure_compiled(name: str, rounds: int) -> None:
    """Print what plain and the compiled variant cost."""
    plain = _plain(name)
    compiled = copy.deepcopy(plain.encoder)
    compiled.compile()
    _compare([plain, dataclasses.replace(plain, name="compiled", encoder=compiled)], rounds)


def _in_new_process(call: str, limit: float | None = None) -> None:
    # Else an earlier run's compilation would be taken up again; and no process outlives the limit.
    compiling = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1", "TORCHINDUCTOR_COMPILE_THREADS": "1"}
    subprocess.run(
        [sys.executable, "-c", f"from benchmarks import variants; variants.{call}"],
        env=os.environ | compiling,
        check=True,
        timeout=limit,
    )


def _compile_in_new_process(call: str) -> None:
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        print(f"Not compiled: that needs a C++ compiler, and there is no {compiler}.")
        return
    try:
        _in_new_process(call, _COMPILE_LIMIT)
    except subprocess.TimeoutExpired:
        print(f"Not compiled and measured within {_COMPILE_LIMIT} s.")
    except subprocess.CalledProcessError:
        print("Not compiled: torch failed to.")


def _plain(name: str) -> Variant:
    model = _load(name)
    squares = _squares(model.input_size)[:1]
    return Variant("plain", model.encoder, squares, torch.get_num_threads())


def _load(name: str, *, layer: int | None = None, input_size: int | None = None) -> Backbone:
    load = backbones.load if backbones.describe(name).builtin else backbones.load_untrained
    return load(name, device="cpu", layer=layer, input_size=input_size)


def _squares(side: int) -> ByteArray:
    with tempfile.TemporaryDirectory() as folder:
        return read_set(make_photos(Path(folder), _PHOTOS), Framing(side)).frames


def _settings(plain: Variant) -> Iterator[Variant]:
    """The same arithmetic under other settings."""
    for threads in (1, 2):
        if threads != plain.threads:
            yield dataclasses.replace(plain, name=f"threads: {threads}", threads=threads)
    encoder = copy.deepcopy(plain.encoder)
    if isinstance(encoder, EfficientNetEncoder):
        encoder.model.conv_stem.register_forward_pre_hook(_channels_first)
        yield dataclasses.replace(plain, name="channels first", encoder=encoder)
    else:
        encoder.register_forward_pre_hook(_channels_last)
        yield dataclasses.replace(plain, name="channels last", encoder=encoder)
    for count in (2, 4) if isinstance(plain.encoder, EfficientNetEncoder) else (2,):
        squares = _squares(plain.squares.shape[1])[:count]
        yield dataclasses.replace(plain, name=f"images together: {count}", squares=squares)


def _channels_first(_: nn.Module, inputs: tuple[torch.Tensor]) -> torch.Tensor:
    return inputs[0].contiguous()


def _channels_last(_: nn.Module, inputs: tuple[torch.Tensor]) -> torch.Tensor:
    return inputs[0].contiguous(memory_format=torch.channels_last)


def _rewritten(plain: Variant) -> Iterator[Variant]:
    """The same tokens by other arithmetic."""
    encoder = copy.deepcopy(plain.encoder)
    if isinstance(encoder, EfficientNetEncoder):
        _fold_norms(encoder)
        yield dataclasses.replace(plain, name="batch norms folded", encoder=encoder)
    if isinstance(encoder, SamEncoder):
        encoder.rows = plain.squares.shape[1]
        yield dataclasses.replace(plain, name="attention of all rows", encoder=encoder)


def _fold_norms(encoder: nn.Module) -> None:
    """Make every batch norm a part of the convolution before it."""
    for parent in list(encoder.modules()):
        for (conv_name, conv), (norm_name, norm) in pairwise(list(parent.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, BatchNormAct2d):
                setattr(parent, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, norm_name, norm.act)


def _less_precise(plain: Variant) -> Iterator[Variant]:
    """The same arithmetic with fewer digits."""
    yield dataclasses.replace(plain, name="bfloat16", encoder=_HalfEncoder(plain.encoder))
    if not isinstance(plain.encoder, EfficientNetEncoder):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Where torch wants it moved to, it is slower.
            encoder = quantize_dynamic(plain.encoder, {nn.Linear: per_channel_dynamic_qconfig})
        yield dataclasses.replace(plain, name="int8 linear layers", encoder=encoder)


class _HalfEncoder(Encoder):
    """An encoder in bfloat16 wherever torch's autocast holds that to be safe."""

    def __init__(self, plain: Encoder) -> None:
        super().__init__()
        self.plain = plain
        self.mean, self.std = plain.mean, plain.std

    def encode(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.plain.encode(pixels)


def _of_other_work(name: str, plain: Variant) -> Iterator[Variant]:
    """More or fewer blocks, smaller or larger images: other tokens."""
    known = backbones.describe(name)
    for layer in sorted({known.layer * 3 // 4, known.layer // 2} & set(known.layers)):
        encoder = _load(name, layer=layer).encoder
        yield dataclasses.replace(
            plain, name=f"layer {layer}, not {known.layer}", encoder=encoder, comparable=False
        )
    for side in known.input_sizes:
        if side != known.input_size:
            model = _load(name, input_size=side)
            yield dataclasses.replace(
                plain,
                name=f"{side} pixels, not {known.input_size}",
                encoder=model.encoder,
                squares=_squares(side)[:1],
                comparable=False,
            )


def _compare(variants: Sequence[Variant], rounds: int) -> None:
    """Print a row for each variant; the first is plain."""
    firsts, tokens = [], []
    for variant in variants:
        began = time.perf_counter()
        tokens.append(_tokens(variant))
        firsts.append(time.perf_counter() - began)
    walls, cpus = _measure_rounds(variants, rounds)
    for variant, theirs, wall, cpu, first in zip(
        variants, tokens, walls, cpus, firsts, strict=True
    ):
        distance = (theirs - tokens[0]).norm(dim=-1) if variant.comparable else None
        print_row(
            [
                f"{statistics.median(wall):.2f}",
                _ratio(wall, walls[0]),
                f"{statistics.median(cpu):.2f}",
                _ratio(cpu, cpus[0]),
                f"{first:.1f}",
                "-" if distance is None else f"{float(distance.max()):.1e}",
                "-" if distance is None else f"{float(distance.mean()):.1e}",
                variant.name,
            ]
        )


def _measure_rounds(
    variants: Sequence[Variant], rounds: int
) -> tuple[list[list[float]], list[list[float]]]:
    """Seconds of one image for each variant and round: on the clock, and of all cores together."""
    walls: list[list[float]] = [[] for _ in variants]
    cpus: list[list[float]] = [[] for _ in variants]
    end = time.perf_counter() + _SECONDS
    while len(walls[0]) < rounds or time.perf_counter() < end:
        for variant, wall, cpu in zip(variants, walls, cpus, strict=True):
            began, cpu_began = time.perf_counter(), time.process_time()
            _tokens(variant)
            wall.append((time.perf_counter() - began) / len(variant.squares))
            cpu.append((time.process_time() - cpu_began) / len(variant.squares))
    return walls, cpus


def _tokens(variant: Variant) -> torch.Tensor:
    """The first image's tokens, each of length 1: (h, w, c)."""
    torch.set_num_threads(variant.threads)
    encoder = variant.encoder
    with torch.inference_mode():
        tokens, _ = encoder.encode(standardize(variant.squares, encoder.mean, encoder.std))
        return normalize(tokens.float(), dim=-1)[0]


def _ratio(seconds: Sequence[float], plain: Sequence[float]) -> str:
    ratios = [ours / theirs for ours, theirs in zip(seconds, plain, strict=True)]
    return f"{statistics.median(ratios):.2f}"


if __name__ == "__main__":
    main()
