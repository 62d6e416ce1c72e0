"""Seconds and memory of the backbones' features, each backbone and input size in a new process.

    python -m benchmarks.backbones
    python -m benchmarks.backbones sam_vit_b dinov2_small

Weights are random, so that nothing is downloaded: that changes no second and no byte.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import torch

from benchmarks.stages import peak_memory
from benchmarks.table import print_row
from pointprompt import backbones

# Of one image; the median of them counts.
_REPEATS = 3


def main() -> None:
    """Measure the backbones named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backbones", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", help="of the registry; all by default")
    print(machine())
    print_row(["input size", "s/image", "CPU s/image", "peak GB", "channels", "backbone"])
    for name in parser.parse_args().names or backbones.REGISTRY:
        for side in backbones.describe(name).input_sizes:
            _print_in_new_process(name, side)


def machine() -> str:
    """What torch computes with here, and how busy it is, as a sentence."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    cores, threads = os.cpu_count(), torch.get_num_threads()
    return f"{cores} cores, {threads} threads, load average {load}; torch {torch.__version__}."


def _print_in_new_process(name: str, side: int) -> None:
    program = f"from benchmarks.backbones import measure; measure({name!r}, {side})"
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    cost = json.loads(done.stdout)
    figures = [f"{cost['seconds']:.2f}", f"{cost['cpu']:.2f}", f"{cost['peak']:.2f}"]
    print_row([side, *figures, cost["channels"], name])


def measure(name: str, side: int) -> None:
    """Print the cost of one image as JSON: medians of a few, after one that does not count."""
    model = backbones.load_untrained(name, input_size=side)
    pixels = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), np.uint8)
    model.features(pixels)
    seconds, cpu = [], []
    for _ in range(_REPEATS):
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
