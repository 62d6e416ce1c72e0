"""Reads the same datasets with `datasets` and with our own reader: what each costs, and refuses.

    python -m benchmarks.datasets_or_ours

It takes three minutes, and writes its table into docs/decisions/0001-datasets.md.

Good and bad datasets lie on a Hub on this machine. Each is read in a process of its own, which is
ended after a while if it does not end itself. `datasets` streams: its builder named by us, explicit
files of the repository's list, no token, one row at a time, nothing decoded.
"""

from __future__ import annotations

import gzip
import importlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.report import publish
from benchmarks.table import Table
from tests.fake_hub import FakeHub, encoded, parquet, served, stored

NAME = "me/data"
LIMIT = 20
# A process that is not done by then is ended.
PATIENCE = 60.0
# When the person who waits for the images gives up.
GIVES_UP_AFTER = 1.0
# What each reader imports before it is measured: as the page has it imported anyway.
IMPORTS = {
    "ours": ("huggingface_hub.file_download", "pyarrow.parquet", "pointprompt.sources.hub.fetch"),
    "datasets": ("datasets", "torch.utils.data"),
}

Request = BaseHTTPRequestHandler


@dataclass(frozen=True)
class Case:
    """A dataset on the Hub, and what the Hub does when its files are asked for.

    Attributes:
        files: The repository's.
        kind: The builder of `datasets` that reads them.
        answer: Answers a request for a file; None as the Hub does.
    """

    files: Callable[[], dict[str, bytes]]
    kind: str = "parquet"
    answer: Callable[[Request, str], None] | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of reading one dataset.

    Attributes:
        images: How many were written.
        error: The class of what was raised, "" if nothing.
        seconds: Until the caller had either; without imports.
        megabytes: By how much the process's peak of memory rose.
    """

    images: int
    error: str
    seconds: float
    megabytes: float


# --- The datasets --------------------------------------------------------------------------------


def _photos() -> dict[str, bytes]:
    """120 photos of 0.5 MB, beside as much of something else."""
    images = [encoded(index, size=400) for index in range(120)]
    other = [os.urandom(len(image)) for image in images]
    return {"data/train.parquet": parquet({"image": stored(*images), "other": other})}


def _photos_in_pages() -> dict[str, bytes]:
    """The same, a page each, as newer versions of `datasets` store them."""
    (whole,) = _photos().values()
    data = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(whole)), data, write_batch_size=1)
    return {"data/train.parquet": data.getvalue()}


def _pictures() -> dict[str, bytes]:
    return {f"{index:03}.png": encoded(index, size=400) for index in range(200)}


def _small() -> dict[str, bytes]:
    return {"train.parquet": parquet({"image": stored(encoded(0))})}


def _damaged() -> dict[str, bytes]:
    whole = next(iter(_photos().values()))
    middle = len(whole) // 500
    return {"train.parquet": whole[:middle] + bytes(100_000) + whole[middle + 100_000 :]}


def _local_file() -> dict[str, bytes]:
    return {"train.parquet": parquet({"image": [{"bytes": None, "path": "/etc/hostname"}]})}


def _start(request: Request, status: int, **headers: str) -> None:
    request.send_response(status)
    asked = request.headers.get("Range", "bytes=0-0").removeprefix("bytes=")
    if status == 206:
        request.send_header("Content-Range", f"bytes {asked}/1000000")
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()


def _elsewhere(request: Request, foreign: str) -> None:
    _start(request, 302, Location=f"{foreign}/secret", Content_Length="0")


def _without_end(request: Request, _: str) -> None:
    _start(request, 206, Connection="close")
    for _number in range(2**14):
        request.wfile.write(bytes(2**16))


def _swollen(request: Request, _: str) -> None:
    body = gzip.compress(bytes(2**30), 1)
    _start(request, 206, Content_Encoding="gzip", Content_Length=str(len(body)))
    request.wfile.write(body)


def _busy(request: Request, _: str) -> None:
    _start(request, 503, Content_Length="0")


def _silent(request: Request, _: str) -> None:
    time.sleep(PATIENCE)


CASES = {
    "20 of 120 photos in one page": Case(_photos),
    "20 of 120 photos, a page each": Case(_photos_in_pages),
    "20 of 200 pictures": Case(_pictures, "imagefolder"),
    "damaged parquet": Case(_damaged),
    "a local file's name in a cell": Case(_local_file),
    "redirect to another server": Case(_small, answer=_elsewhere),
    "answer without end": Case(_small, answer=_without_end),
    "1 MB that unpacks to 1 GB": Case(_small, answer=_swollen),
    "Hub answers 503": Case(_small, answer=_busy),
    "silent Hub, given up after 1 s": Case(_small, answer=_silent),
}


# --- One reading, in a process of its own --------------------------------------------------------


class _GaveUp(Exception):
    """Nobody waits for the images any more."""


def _read(reader: str, kind: str, folder: Path) -> Outcome:
    for module in IMPORTS[reader]:
        importlib.import_module(module)
    peak = _peak()
    began = time.monotonic()
    error = ""
    try:
        if reader == "ours":
            _by_us(folder, began)
        else:
            _by_datasets(kind, folder, began)
    # Whatever either raises is its answer.
    except Exception as raised:
        error = type(raised).__name__
    seconds = time.monotonic() - began
    return Outcome(len(list(folder.iterdir())), error, seconds, _peak() - peak)


def _peak() -> float:
    """MB of memory that this process held at most, by Linux's count: others begin at a parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def _by_us(folder: Path, began: float) -> None:
    from pointprompt.sources.hub.fetch import DatasetRequest, fetch_dataset

    fetch_dataset(
        DatasetRequest(NAME, limit=LIMIT), folder, progress=lambda _: _tell(began), timeout=5
    )


def _by_datasets(kind: str, folder: Path, began: float) -> None:
    from datasets import DownloadConfig, Image, load_dataset
    from datasets.utils.file_utils import xopen

    from pointprompt.sources.hub.layout import contents_of
    from pointprompt.sources.hub.remote import Connection
    from pointprompt.sources.hub.repository import repository

    found = repository(Connection(), NAME, 5)
    (contents,) = contents_of(found.files, found.card).values()
    (files,) = (contents.parquet or contents.pictures).values()
    urls = [f"hf://datasets/{NAME}@{found.commit}/{file}" for file in files]
    options = {"columns": ["image"], "batch_size": 1} if kind == "parquet" else {}
    # Explicit files are asked after one by one: no more of them than images are wanted.
    rows = load_dataset(
        kind,
        data_files={"train": urls[:LIMIT]},
        split="train",
        streaming=True,
        token=False,
        **options,
    )
    for number, row in enumerate(rows.cast_column("image", Image(decode=False)).take(LIMIT)):
        _tell(began)
        cell = row["image"]
        data = cell["bytes"]
        # A picture's file is only named. A name that a parquet file tells is not followed.
        if data is None and kind == "imagefolder":
            with xopen(cell["path"], "rb", download_config=DownloadConfig(token=False)) as file:
                data = file.read()
        if data:
            (folder / f"{number}.png").write_bytes(data)


def _tell(began: float) -> None:
    if time.monotonic() - began > GIVES_UP_AFTER and "GIVE_UP" in os.environ:
        raise _GaveUp


# --- All of them ---------------------------------------------------------------------------------


def main() -> None:
    """Read every dataset in both ways and write down what came of it."""
    columns = ["dataset", "reader", "images", "error", "seconds", "MB", "sent MB", "requests"]
    rows: list[list[object]] = []
    for name, case in CASES.items():
        for reader in IMPORTS:
            rows.append([name, reader, *_measured(name, case, reader)])
            print(*rows[-1], sep="  ", flush=True)
    publish("datasets or ours", Table(columns, rows), "python -m benchmarks.datasets_or_ours")


def _measured(name: str, case: Case, reader: str) -> list[object]:
    with served() as hub, served() as foreign, tempfile.TemporaryDirectory() as folder:
        hub.add(NAME, case.files())
        if case.answer is not None:
            hub.hostile = _for_files(case.answer, foreign.endpoint)
        outcome = _in_new_process(hub, case.kind, reader, Path(folder), "given up" in name)
        tokens = any("authorization" in headers for headers in hub.headers + foreign.headers)
        asked = f"{len(hub.requests)}{', a token' if tokens else ''}"
        if foreign.requests:
            asked += f", {len(foreign.requests)} elsewhere"
        sent = f"{hub.sent_bytes / 1e6:.1f}"
    if outcome is None:
        return ["-", f"ended after {PATIENCE:g} s", "-", "-", sent, asked]
    seconds, megabytes = f"{outcome.seconds:.2f}", f"{outcome.megabytes:.0f}"
    return [outcome.images, outcome.error or "-", seconds, megabytes, sent, asked]


def _for_files(
    answer: Callable[[Request, str], None], foreign: str
) -> Callable[[BaseHTTPRequestHandler], bool]:
    def hostile(request: BaseHTTPRequestHandler) -> bool:
        if not request.path.startswith("/datasets/"):
            return False
        answer(request, foreign)
        return True

    return hostile


def _in_new_process(
    hub: FakeHub, kind: str, reader: str, folder: Path, gives_up: bool
) -> Outcome | None:
    """What came of it, None if it had to be ended."""
    environment = os.environ | {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": "hf_the_servers_own"}
    with tempfile.TemporaryDirectory() as cache:
        environment |= {"HF_HOME": cache, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        if gives_up:
            environment["GIVE_UP"] = "1"
        try:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.datasets_or_ours", reader, kind, str(folder)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                text=True,
                timeout=PATIENCE,
                check=True,
            )
        except subprocess.TimeoutExpired:
            return None
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        print(json.dumps(asdict(_read(sys.argv[1], sys.argv[2], Path(sys.argv[3])))), flush=True)
        # Threads that still wait for the Hub are no part of what was measured.
        os._exit(0)
