"""What the way to a server costs: `/predict` by a client of the API, beside the service itself.

    python -m benchmarks.api
    python -m benchmarks.api --images 100 --rounds 3

The same prompt is asked of the same session in turn: here, of `Service`, which writes the masks as
files; and over HTTP by gradio's client for Python, which fetches the files too, or leaves them
there. Each way is compared with the service in its own round; the medians are told.

Prints a table and judges nothing else.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import gradio_client

from benchmarks import report
from benchmarks.photos import SIZE, make_photos
from benchmarks.table import Figure, Table, printed
from pointprompt.server import parsing
from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from pointprompt.types import tell_nobody

_THINGS = [{"name": "thing", "clicks": [{"image": 0, "x": 0.3, "y": 0.5}]}]
_WAYS = ("the service, files written", "the client, files fetched", "the client, files left there")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--images", type=int, nargs="*", default=[1, 12, 40], metavar="N", help="how many in a set"
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="of each way")
    report.add_option(parser)
    options = parser.parse_args()
    print(f"One thing in photos of {SIZE[0]} x {SIZE[1]} pixels. {report.machine()}.")
    table = _measured(options.images, options.rounds)
    if options.docs:
        report.publish("api", table, parser.prog)


def _measured(counts: Sequence[int], rounds: int) -> Table:
    from pointprompt.ui.launch import launch

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        service = Service(SessionStore(root / "sessions"), Limits())
        demo = launch(service, quiet=True)
        files = make_photos(_made(root / "photos"), max(counts), SIZE)
        try:
            rows = [
                row
                for count in counts
                for row in _rows(service, str(demo.local_url), files[:count], root, rounds)
            ]
        finally:
            demo.close()
    return printed(["images", "asked", "ms", "times the service"], rows)


def _rows(
    service: Service, url: str, files: Sequence[Path], root: Path, rounds: int
) -> list[list[object]]:
    """A row for each way to ask for the masks of a set."""
    fetching = gradio_client.Client(url, verbose=False, download_files=root / "fetched")
    leaving = gradio_client.Client(url, verbose=False, download_files=False)
    # Both are to have the same session.
    leaving.session_hash = fetching.session_hash
    handed = [gradio_client.handle_file(str(file)) for file in files]
    session = fetching.predict(files=handed, api_name="/analyze")["session"]
    # Who made it, which the client does not know.
    visitor = service.store._sessions[session].visitor

    def asked_here() -> object:
        request = parsing.parse_things(session, _THINGS)
        return service.masks(request, None, tell_nobody, visitor)

    def asked_by(client: Any) -> Callable[[], object]:
        return lambda: client.predict(session=session, things=_THINGS, api_name="/predict")

    taken = _taken([asked_here, asked_by(fetching), asked_by(leaving)], rounds)
    fetching.close()
    leaving.close()
    service.store.drop(session)
    return [
        [
            len(files),
            way,
            Figure(median(seconds) * 1000, 0),
            Figure(median(one / here for one, here in zip(seconds, taken[0], strict=True)), 2),
        ]
        for way, seconds in zip(_WAYS, taken, strict=True)
    ]


def _taken(ways: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """The seconds of each way, in rounds of all of them after one that is not counted."""
    taken: list[list[float]] = [[] for _ in ways]
    for number in range(rounds + 1):
        for seconds, ask in zip(taken, ways, strict=True):
            began = time.perf_counter()
            ask()
            if number:
                seconds.append(time.perf_counter() - began)
    return taken


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    main()
