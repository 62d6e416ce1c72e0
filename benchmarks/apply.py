"""What `pointprompt apply` takes: images a second, here and on Ray; over the backbone; in memory.

    python -m benchmarks.apply
    python -m benchmarks.apply --rate 96 --memory 200 5000

On the CPU, with the built-in backbone; over the backbone with a larger one too. There the weights
are random, so that nothing is downloaded: that changes no second. Each figure is of a process of
its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.photos import SIZE, make_blobs, make_photos
from benchmarks.stages import BACKBONE, peak_memory
from benchmarks.table import Figure, Table, printed
from pointprompt import backbones
from pointprompt.analysis.analysis import Computed
from pointprompt.analysis.compute import compute
from pointprompt.analysis.terms import Terms
from pointprompt.sources.framing import Framing
from pointprompt.things import Thing
from pointprompt.types import BackboneRequest, ByteArray, Click, ProgressFn

# Of `apply` over the bare backbone, as a ratio of medians.
OVERHEAD = 1.15
# As many as `apply` computes at a time.
_BATCH = 8
_REPEATS = 3
# Of these it is measured, with so many images at most.
_OVER = {BACKBONE: 16, "dinov3_small": _BATCH}
# How a run is called, and its workers; none is this process.
_RUNS: dict[str, int | None] = {"here": None, "Ray, 1 worker": 1, "Ray, 2 workers": 2}


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.apply", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rate", type=int, default=96, metavar="N", help="images for the rates")
    parser.add_argument("--over", type=int, default=16, metavar="N", help="for the overhead")
    parser.add_argument(
        "--memory", type=int, nargs="*", default=[200, 5000], metavar="N", help="small images"
    )
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    report.add_option(parser)
    options = parser.parse_args()
    if options.alone:
        _alone(json.loads(options.alone))
        return
    print(f"{BACKBONE}, JPEG photos of {SIZE[0]} x {SIZE[1]} pixels. {report.machine()}.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _make_recipe(folder)
        show = partial(report.show, prog=parser.prog, docs=options.docs)
        if options.over:
            title = f"Seconds an image, median of {_REPEATS}, and times as many:"
            show("apply over", title, _over(folder, options.over))
        if options.rate:
            show("apply rate", "A folder to masks as PNG:", _rates(folder, options.rate))
        if options.memory:
            show("apply memory", "Peak of memory, small images:", _memory(folder, options.memory))


def _make_recipe(folder: Path) -> None:
    _in_a_process({"work": "recipe", "folder": str(folder)})


def _over(folder: Path, count: int) -> Table:
    def rows() -> Iterator[list[object]]:
        for name, most in _OVER.items():
            some = min(count, most)
            job = {"work": "over", "folder": str(folder), "count": some, "backbone": name}
            bare, *others = _in_a_process(job).values()
            yield [
                name,
                Figure(bare / some, 3),
                *(Figure(taken / bare, 2, OVERHEAD) for taken in others),
            ]

    return printed(["", "backbone alone, s an image", "apply", "apply, masks drawn"], rows())


def _rates(folder: Path, count: int) -> Table:
    (folder / "rate").mkdir()
    make_photos(folder / "rate", count)

    def rows() -> Iterator[list[object]]:
        for called, workers in _RUNS.items():
            job = {"work": "run", "folder": str(folder), "images": "rate", "workers": workers}
            told = _in_a_process(job)
            rate = (count - 1) / (told["last"] - told["first"])
            yield [called, Figure(rate, 2), Figure(told["first"], 0), Figure(told["all"], 0)]

    return printed(["", "images a second", "s to the first", "s in all"], rows())


def _memory(folder: Path, counts: Sequence[int]) -> Table:
    def rows() -> Iterator[list[object]]:
        for count in counts:
            make_blobs(folder / f"small-{count}", count, seed=count)
            job = {"work": "run", "folder": str(folder), "images": f"small-{count}"}
            told = _in_a_process({**job, "workers": None})
            yield [count, Figure(1000 * told["peak"], 0)]

    return printed(["images", "MB"], rows())


# --- In a process of its own ---------------------------------------------------------------------


def _in_a_process(job: Mapping[str, object]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.apply", "--alone", json.dumps(job)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def _alone(job: dict[str, object]) -> None:
    folder = Path(str(job["folder"]))
    if job["work"] == "recipe":
        told = _write_recipe(folder)
    elif job["work"] == "over":
        told = _timed_over(folder, int(str(job["count"])), str(job["backbone"]))
    else:
        workers = job["workers"]
        told = _timed_run(folder, str(job["images"]), workers if isinstance(workers, int) else None)
    print(json.dumps(told))


def _write_recipe(folder: Path) -> dict[str, float]:
    import pointprompt

    (folder / "set").mkdir()
    files = make_photos(folder / "set", 8)
    analysis = pointprompt.analyze(files, backbone=BACKBONE, device="cpu")
    thing = pointprompt.Thing("thing", (pointprompt.Click(0, 0.5, 0.5),))
    made = pointprompt.make_recipe(analysis, [thing], device="cpu")
    pointprompt.write_recipe(made, folder / "recipe.safetensors")
    return {}


class _Untrained:
    """An engine with one backbone, whose weights are random."""

    def __init__(self, name: str) -> None:
        self.model = backbones.load_untrained(name, device="cpu")

    def prepare(self, request: BackboneRequest, progress: ProgressFn | None = None) -> Framing:
        return self.model.framing

    def identity(self, request: BackboneRequest) -> str:
        return "untrained"

    def compute(
        self,
        frames: ByteArray,
        request: BackboneRequest,
        terms: Terms | None = None,
        **options: Any,
    ) -> Computed:
        return compute(frames, self.model, terms, **options)


def _timed_over(folder: Path, count: int, name: str) -> dict[str, float]:
    """Seconds for all images, median: of the backbone, of `apply`, and with masks drawn too."""
    from pointprompt.applying import apply
    from pointprompt.pipeline import analyze, make_recipe
    from pointprompt.sources.photos import Limits, read_set

    engine = _Untrained(name)
    model = engine.model
    photos = folder / f"over-{name}"
    photos.mkdir()
    files = make_photos(photos, count)
    analysis = analyze(files[:4], backbone=name, engine=engine)
    thing = Thing("thing", (Click(0, 0.5, 0.5),))
    recipe = make_recipe(analysis, [thing], engine=engine)
    frames = read_set(files, model.framing, limits=Limits(max_images=count)).frames

    def backbone() -> None:
        for start in range(0, count, _BATCH):
            model.features(frames[start : start + _BATCH])

    def found() -> None:
        for _ in apply(recipe, files, engine=engine):
            pass

    def drawn() -> None:
        for one in apply(recipe, files, engine=engine):
            np.count_nonzero(one.masks["thing"])

    works = {"backbone alone": backbone, "apply": found, "apply, masks drawn": drawn}
    taken: dict[str, list[float]] = {what: [] for what in works}
    for repeat in range(_REPEATS + 1):
        for what, work in works.items():
            began = time.perf_counter()
            work()
            # The first time is of what is made once.
            if repeat:
                taken[what].append(time.perf_counter() - began)
    return {what: statistics.median(times) for what, times in taken.items()}


def _timed_run(folder: Path, images: str, workers: int | None) -> dict[str, float]:
    """Seconds to the first image, to the last, and in all; GB of memory at most."""
    from pointprompt.cli.batch import Asked, run
    from pointprompt.cli.spreading import Spread

    spread = None if workers is None else Spread(workers)
    out = folder / f"out-{images}-{workers}"
    asked = Asked(
        folder / "recipe.safetensors",
        folder / images,
        out,
        ("png",),
        device="cpu",
        spread=spread,
    )
    began = time.time()
    run(asked)
    took = time.time() - began
    # By the files: what this process is told of comes in blocks from workers.
    times = sorted(file.stat().st_mtime - began for file in (out / "masks").iterdir())
    return {"first": times[0], "last": times[-1], "all": took, "peak": peak_memory()}


if __name__ == "__main__":
    main()
