"""What the measurements of downloads stand on: what a process apart says of its cost."""

from __future__ import annotations

from pathlib import Path

from benchmarks.exports import _called, _cost
from pointprompt.formats.registry import DEFAULT_FORMATS, FORMATS
from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from tests.server.test_service import ColorEngine, analyzed, no_tsne, photo

__all__ = ["no_tsne"]


def test_cases_are_called_by_what_is_in_them():
    assert _called(("coco",)) == "coco"
    assert _called(DEFAULT_FORMATS) == "png and overlays"
    assert _called(tuple(FORMATS)) == f"all {len(FORMATS)}"


def test_what_a_download_costs_is_told_by_the_process_that_wrote_it(tmp_path: Path):
    service = Service(SessionStore(tmp_path / "sessions"), Limits(), ColorEngine())
    photos = [photo(tmp_path / f"{index}.png", (0, 0), (3, index % 3)) for index in range(7)]
    session = analyzed(service, photos)
    # A recipe names a backbone that there is.
    most = tuple(name for name in FORMATS if name != "recipe")
    small, large = (_cost(session, formats) for formats in (("csv",), most))
    sizes = [file.stat().st_size for file in session.folder.glob("exports/*/*.zip")]
    assert sorted(sizes) == [small.size, large.size]
    assert large.peak > 0
