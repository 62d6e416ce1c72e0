"""What a download takes: each format alone and all together, in seconds and in memory.

    python -m benchmarks.exports
    python -m benchmarks.exports --images 8 --large 0

Three things are masked in photos that are made here; each case is written in a process of its own,
which a process with the opened session becomes two of. So what it holds more at most than when it
began is what the download takes above the session. What a session has prepared of photos that were
looked at is prepared, and what the formats import is imported. The large photos have 12 megapixels.

Prints tables and judges nothing else.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from benchmarks import report
from benchmarks.photos import SIZE, make_photos
from benchmarks.stages import BACKBONE, peak_memory
from benchmarks.table import Figure, Table, printed
from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.store import Store
from pointprompt.formats.registry import DEFAULT_FORMATS, FORMATS
from pointprompt.rules.predictor import Predictor
from pointprompt.server import memory, wire
from pointprompt.server.exports import Exports
from pointprompt.server.session import Session
from pointprompt.things import THING_COLORS, Color, Thing
from pointprompt.types import Click, tell_nobody

LARGE = (4000, 3000)
PEAK_GB = 1.5

# The same session in each of them, without its being opened again.
_FORK = get_context("fork")
# A thing each, on the first photos that are made: an image, x and y.
_CLICKS = {"left": (0, 0.3, 0.5), "right": (0, 0.7, 0.5), "other": (6, 0.5, 0.5)}


@dataclass(frozen=True)
class Cost:
    """What one download took.

    Attributes:
        seconds: To write it.
        cpu: Seconds that all cores were busy with it, together.
        peak: Bytes of memory above the session, at most.
        size: Bytes of the ZIP file.
    """

    seconds: float
    cpu: float
    peak: int
    size: int


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--images", type=int, nargs="*", default=[8, 100], metavar="N", help="how many in a set"
    )
    parser.add_argument(
        "--large", type=int, default=100, metavar="N", help="how many of 12 megapixels; 0 for none"
    )
    report.add_option(parser)
    options = parser.parse_args()
    print(f"{len(_CLICKS)} things in photos of {SIZE[0]} x {SIZE[1]} pixels. {report.machine()}.")
    if options.images:
        table = _by_format(options.images)
        if options.docs:
            report.publish("exports", table, parser.prog)
    if options.large:
        print(f"\nOf {LARGE[0]} x {LARGE[1]} pixels:")
        large = _of_large(options.large)
        if options.docs:
            report.publish("large exports", large, parser.prog)


def _by_format(counts: Sequence[int]) -> Table:
    """A row for each format, for the default ones and for all; the counts side by side."""
    cases = [*((name,) for name in FORMATS), DEFAULT_FORMATS, tuple(FORMATS)]
    costs = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            session = _session(Path(folder), count, SIZE)
            costs.append([_cost(session, formats) for formats in cases])
            print(f"{count} images are done.", flush=True)
    columns = [
        f"{count}: {what}" for count in counts for what in ("s", "CPU s", "MB above", "ZIP MB")
    ]
    rows = (
        [_called(formats), *(cell for cost in line for cell in _cells(cost))]
        for formats, *line in zip(cases, *costs, strict=True)
    )
    return printed(["formats", *columns], rows)


def _of_large(count: int) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        session = _session(Path(folder), count, LARGE)

        def rows() -> Iterator[list[object]]:
            for formats in (DEFAULT_FORMATS, tuple(FORMATS)):
                cost = _cost(session, formats)
                yield [
                    count,
                    _called(formats),
                    Figure(cost.seconds, 0),
                    Figure(cost.cpu, 0),
                    Figure(cost.peak / 1e9, 2, aim=PEAK_GB),
                    Figure(cost.size / 1e9, 2),
                ]

        return printed(
            ["images", "formats", "s", "CPU s", "GB above the session", "ZIP GB"], rows()
        )


def _called(formats: Sequence[str]) -> str:
    names = {tuple(FORMATS): f"all {len(FORMATS)}", DEFAULT_FORMATS: " and ".join(formats)}
    return names.get(tuple(formats), formats[0])


def _cells(cost: Cost) -> list[object]:
    return [
        Figure(cost.seconds),
        Figure(cost.cpu),
        Figure(cost.peak / 1e6, 0),
        Figure(cost.size / 1e6),
    ]


def _session(folder: Path, count: int, size: tuple[int, int]) -> Session:
    """An opened session with so many made photos, whose edges are looked for."""
    photos = folder / "photos"
    photos.mkdir()
    files = make_photos(photos, count, size)
    store = folder / "store"
    analysing = _FORK.Process(target=_analyze, args=(files, store))
    analysing.start()
    analysing.join()
    stored = Store(store)
    (key,) = stored.keys()
    analysis = stored.get(key)
    if analysis is None:
        raise RuntimeError("The photos were not analysed.")
    session = Session("token", folder / "session", analysis, Predictor(analysis))
    _prepare(session, analysis)
    return session


def _analyze(files: Sequence[Path], store: Path) -> None:
    """Apart, so that what computing takes is given back."""
    from pointprompt import pipeline
    from pointprompt.sources.photos import Limits

    limits = Limits(max_images=len(files))
    pipeline.analyze(files, backbone=BACKBONE, device="cpu", store=Store(store), limits=limits)


def _prepare(session: Session, analysis: Analysis) -> None:
    """Have what is there already when a person who has looked at all photos downloads once more."""
    from pointprompt.masks.photo_edges import PhotoEdges

    for photo in analysis.photos:
        _ = PhotoEdges.of(photo).segments
    all_but_one = range(1, len(analysis.photos))
    request = _request(tuple(FORMATS), skipped=tuple(all_but_one))
    Exports().write(session, request, tell_nobody)


def _request(formats: tuple[str, ...], skipped: tuple[int, ...] = ()) -> wire.ExportRequest:
    colors = THING_COLORS.values()
    things = tuple(
        Thing(name, (Click(*place),), color=Color(*color))
        for (name, place), color in zip(_CLICKS.items(), colors, strict=False)
    )
    return wire.ExportRequest("token", 1, things, True, False, skipped, formats)


def _cost(session: Session, formats: tuple[str, ...]) -> Cost:
    """What a download of this session takes."""
    memory.give_back()
    told, tells = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_write, args=(session, formats, tells))
    process.start()
    tells.close()
    cost: Cost = told.recv()
    process.join()
    return cost


def _write(session: Session, formats: tuple[str, ...], tells: Connection) -> None:
    held = psutil.Process().memory_info().rss
    began, busy = time.perf_counter(), time.process_time()
    path = Exports().write(session, _request(formats), tell_nobody)
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    tells.send(Cost(seconds, cpu, round(peak_memory() * 1e9) - held, path.stat().st_size))


if __name__ == "__main__":
    main()
