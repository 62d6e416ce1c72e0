"""What the measurements of downloads stand on: what a process apart says of its cost."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.exports import _called, _cost
from pointprompt.formats.registry import DEFAULT_FORMATS, FORMATS
from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from tests.killing import COPIES, tells_within
from tests.server.test_service import ColorEngine, analyzed, photo


def test_cases_are_called_by_what_is_in_them():
    assert _called(("coco",)) == "coco"
    assert _called(DEFAULT_FORMATS) == "png and overlays"
    assert _called(tuple(FORMATS)) == f"all {len(FORMATS)}"


def measured(folder: Path, tells: Connection) -> None:
    """Tell what two downloads cost, and how large their files are."""
    service = Service(SessionStore(folder / "sessions"), Limits(), ColorEngine())
    photos = [photo(folder / f"{index}.png", (0, 0), (3, index % 3)) for index in range(7)]
    session = analyzed(service, photos)
    # A recipe names a backbone that there is.
    most = tuple(name for name in FORMATS if name != "recipe")
    costs = [_cost(session, formats) for formats in (("csv",), most)]
    tells.send((costs, [file.stat().st_size for file in session.folder.glob("exports/*/*.zip")]))


def test_what_a_download_costs_is_told_by_the_process_that_wrote_it(tmp_path: Path):
    told, tells = COPIES.Pipe(duplex=False)
    process = COPIES.Process(target=measured, args=(tmp_path, tells))
    process.start()
    (small, large), sizes = tells_within(told)
    process.join()
    assert sorted(sizes) == [small.size, large.size]
    assert large.peak > 0
