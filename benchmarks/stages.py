"""Seconds and memory of the stages of one analysis, each analysis in a process of its own.

Run as a program with the paths of photos, it analyses them and prints an `AnalysisCost` as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pointprompt.types import Progress

BACKBONE = "efficientnet_lite0"


@dataclass(frozen=True)
class AnalysisCost:
    """What one analysis took.

    Attributes:
        load: Seconds until the backbone was ready, the imports included.
        read: Seconds of reading the photos.
        features: Seconds of the backbone.
        cut: Seconds of the cut.
        colors: Seconds of the colour view.
        cpu: Seconds that all cores were busy with it, together.
        peak: GB (1e9 bytes) of memory that the process held at most.
    """

    load: float
    read: float
    features: float
    cut: float
    colors: float
    cpu: float
    peak: float

    @property
    def ready(self) -> float:
        """Seconds from nothing to the finished analysis."""
        return self.load + self.read + self.features + self.cut + self.colors


def analyze_in_new_process(photos: Sequence[Path]) -> AnalysisCost:
    """The cost of analysing these photos with the built-in backbone, from a fresh start."""
    # The new process inherits this one's peak as its least: keep this one small.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.stages", *map(str, photos)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return AnalysisCost(**json.loads(done.stdout))


def _analyze(photos: Sequence[Path]) -> AnalysisCost:
    begins = {"load": time.perf_counter()}

    def note(progress: Progress) -> None:
        begins.setdefault(progress.stage, time.perf_counter())

    from benchmarks.analysis import analyze_set
    from pointprompt import backbones
    from pointprompt.sources.photos import Limits, read_set

    model = backbones.load(BACKBONE)
    begins["read"] = time.perf_counter()
    image_set = read_set(photos, model.framing, limits=Limits(max_images=len(photos)))
    analyze_set(image_set, model, progress=note)
    end = time.perf_counter()
    return AnalysisCost(
        load=begins["read"] - begins["load"],
        read=begins["features"] - begins["read"],
        features=begins["cut"] - begins["features"],
        cut=begins["colors"] - begins["cut"],
        colors=end - begins["colors"],
        cpu=time.process_time(),
        peak=peak_memory(),
    )


def peak_memory() -> float:
    """GB that this process held at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, Linux kibibytes.
    return (peak if sys.platform == "darwin" else peak * 1024) / 1e9


if __name__ == "__main__":
    print(json.dumps(dataclasses.asdict(_analyze([Path(path) for path in sys.argv[1:]]))))
