"""Seconds and memory of the backbones' features, each backbone and input size in a new process.

    python -m benchmarks.backbones
    python -m benchmarks.backbones sam_vit_b dinov2_small
    python -m benchmarks.backbones dinov3_large --images 1 --largest

Weights are random, so that nothing is downloaded: that changes no second and no byte.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np

from benchmarks import report
from benchmarks.stages import peak_memory
from benchmarks.table import printed
from pointprompt import backbones


def main() -> None:
    """Measure the backbones named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backbones", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", help="of the registry; all by default")
    parser.add_argument(
        "--images",
        type=int,
        default=3,
        metavar="N",
        help="of how many the median counts, after one that does not, unless there is only one (3)",
    )
    parser.add_argument("--largest", action="store_true", help="only the largest input size")
    report.add_option(parser)
    options = parser.parse_args()
    print(report.machine())
    table = printed(
        ["input size", "s/image", "CPU s/image", "peak GB", "channels", "backbone"],
        (
            _in_new_process(name, side, options.images)
            for name in options.names or backbones.REGISTRY
            for side in _sides(name, options.largest)
        ),
    )
    if options.docs:
        report.publish("backbones", table, parser.prog)


def _sides(name: str, largest: bool) -> Sequence[int]:
    sides = backbones.describe(name).input_sizes
    return [max(sides)] if largest else sides


def _in_new_process(name: str, side: int, images: int) -> list[object]:
    program = f"from benchmarks.backbones import measure; measure({name!r}, {side}, {images})"
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    cost = json.loads(done.stdout)
    figures = [f"{cost['seconds']:.2f}", f"{cost['cpu']:.2f}", f"{cost['peak']:.2f}"]
    return [side, *figures, cost["channels"], name]


def measure(name: str, side: int, images: int) -> None:
    """Print the cost of one image as JSON: the median of so many."""
    model = backbones.load_untrained(name, input_size=side)
    pixels = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), np.uint8)
    if images > 1:
        model.features(pixels)
    seconds, cpu = [], []
    for _ in range(images):
        began, cpu_began = time.perf_counter(), time.process_time()
        features = model.features(pixels)
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - cpu_began)
    cost = {
        "seconds": statistics.median(seconds),
        "cpu": statistics.median(cpu),
        "peak": peak_memory(),
        "channels": features.shape[-1],
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
