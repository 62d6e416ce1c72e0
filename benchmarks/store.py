"""A set that was analysed before: opening it again against computing it, and what it takes to keep.

    python -m benchmarks.store
    python -m benchmarks.store --images 8

Both begin with files and a loaded backbone, and end with the analysis. Prints a table and judges
nothing else.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.photos import SIZE, make_photos
from benchmarks.stages import BACKBONE
from benchmarks.table import Figure, printed
from pointprompt import pipeline
from pointprompt.analysis import entry
from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.store import Store

OPENED_SECONDS = 2

_OPENINGS = 5
# Analyses of up to so many images are cheap enough to be repeated.
_FEW_IMAGES = 8
_REPEATS = 3
_COLUMNS = (
    "images",
    "computed (s)",
    "and stored (s)",
    "opened (s)",
    "times faster",
    "kB an image",
    "its file (kB)",
)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--images", type=int, nargs="+", default=[8, 100], metavar="N", help="how many in a set"
    )
    report.add_option(parser)
    options = parser.parse_args()
    print(f"{BACKBONE}, JPEG photos of {SIZE[0]} x {SIZE[1]} pixels. {report.machine()}.")
    print("Medians. What was aimed at stands after a stroke.")
    with tempfile.TemporaryDirectory() as folder:
        photos = make_photos(Path(folder), max(options.images))
        _analysis(photos[:2], None)  # What is imported and loaded first is no part of it.
        table = printed(_COLUMNS, _rows(photos, options.images, Path(folder) / "store"))
    if options.docs:
        report.publish("store", table, parser.prog)


def _rows(photos: Sequence[Path], counts: Sequence[int], folder: Path) -> Iterator[list[object]]:
    for count in counts:
        some = photos[:count]
        repeats = _REPEATS if count <= _FEW_IMAGES else 1
        computed = [_seconds(some, None) for _ in range(repeats)]
        stored = []
        for _ in range(repeats):
            shutil.rmtree(folder, ignore_errors=True)
            store = Store(folder)
            stored.append(_seconds(some, store))
        opened = [_seconds(some, store) for _ in range(_OPENINGS)]
        (key,) = store.keys()
        nbytes = entry.nbytes(folder / key) / count
        files = sum(photo.stat().st_size for photo in some) / count
        median = statistics.median(opened)
        yield [
            count,
            Figure(statistics.median(computed)),
            Figure(statistics.median(stored)),
            Figure(median, 2, aim=OPENED_SECONDS),
            Figure(statistics.median(computed) / median),
            Figure(nbytes / 1e3, 0),
            Figure(files / 1e3, 0),
        ]


def _seconds(photos: Sequence[Path], store: Store | None) -> float:
    began = time.perf_counter()
    _analysis(photos, store)
    return time.perf_counter() - began


def _analysis(photos: Sequence[Path], store: Store | None) -> Analysis:
    return pipeline.analyze(photos, backbone=BACKBONE, device="cpu", store=store)


if __name__ == "__main__":
    main()
