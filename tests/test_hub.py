from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pointprompt.hub import (
    SUGGESTED_DATASET,
    DatasetError,
    DatasetRequest,
    fetch_dataset,
)
from pointprompt.images import Limits, read_set
from pointprompt.types import Progress

COMMIT = "1234567890abcdef1234567890abcdef12345678"
COPY_COMMIT = "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"


@dataclass
class FakeHub:
    """The part of the Hub that reading a dataset needs, on this machine's loopback."""

    datasets: dict[str, dict] = field(default_factory=dict)
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sent_bytes: int = 0
    breaks_after: int | None = None
    endpoint: str = ""

    def add(
        self,
        name: str,
        files: dict[str, bytes],
        card: dict | None = None,
        copy: dict[str, bytes] | None = None,
        **info: object,
    ) -> None:
        for commit, held in ((COMMIT, files), (COPY_COMMIT, copy)):
            if held is None:
                continue
            key = name if commit == COMMIT else f"{name}/revision/refs/convert/parquet"
            self.datasets[key] = {
                "id": name,
                "sha": commit,
                "gated": False,
                "private": False,
                "siblings": [{"rfilename": path} for path in held],
                "cardData": card or {},
                **info,
            }
            self.datasets[f"{name}/revision/{commit}"] = self.datasets[key]
            self.files |= {(f"{name}@{commit}", path): data for path, data in held.items()}

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(request.path).path)
        self.requests.append((request.command, path))
        self.headers.append({key.lower(): value for key, value in request.headers.items()})
        if self.breaks_after is not None and len(self.requests) > self.breaks_after:
            request.connection.close()
            return
        if path.startswith("/datasets/"):
            repo, _, rest = path.removeprefix("/datasets/").partition("/resolve/")
            commit, _, file = rest.partition("/")
            self._send_file(request, self.files.get((f"{repo}@{commit}", file)))
        else:
            self._send_info(request, path.removeprefix("/api/datasets/"))

    def _send_info(self, request: BaseHTTPRequestHandler, key: str) -> None:
        name = key.partition("/revision/")[0]
        if key in self.datasets:
            error = self.datasets[key].get("error")
            self._send_json(request, self.datasets[key], *(error or ()))
        elif name in self.datasets:
            self._send_json(request, {"error": "no"}, 404, "RevisionNotFound")
        else:
            self._send_json(request, {"error": "no"}, 401, "")

    def _send_json(
        self, request: BaseHTTPRequestHandler, what: object, status: int = 200, code: str = ""
    ) -> None:
        body = json.dumps(what).encode()
        request.send_response(status)
        if code:
            request.send_header("X-Error-Code", code)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _send_file(self, request: BaseHTTPRequestHandler, data: bytes | None) -> None:
        if data is None:
            self._send_json(request, {"error": "no"}, 404, "EntryNotFound")
            return
        asked = request.headers.get("Range")
        body = data
        if asked:
            start, end = (int(part) for part in asked.removeprefix("bytes=").split("-"))
            body = data[start : end + 1]
        if asked and not body:
            self._send_json(request, {"error": "range"}, 416)
            return
        request.send_response(206 if asked else 200)
        if asked:
            last = start + len(body) - 1
            request.send_header("Content-Range", f"bytes {start}-{last}/{len(data)}")
        request.send_header("Content-Length", str(len(body)))
        request.send_header("ETag", '"abc"')
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(body)
            self.sent_bytes += len(body)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    from huggingface_hub import constants

    fake = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fake.answer(self)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    fake.endpoint = f"http://127.0.0.1:{server.server_port}"
    template = fake.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", fake.endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_the_servers_own_token")
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


def encoded(seed: int, size: int = 12, kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def parquet(columns: dict, kinds: dict[str, str] | None = None, rows_a_group: int = 100) -> bytes:
    table = pa.table(columns)
    if kinds:
        features = {name: {"_type": kind} for name, kind in kinds.items()}
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=rows_a_group)
    return buffer.getvalue()


def stored(*cells: bytes | None) -> list[dict]:
    return [{"bytes": data, "path": f"{i}.png"} for i, data in enumerate(cells)]


def images_of(files: list[Path]) -> list[bytes]:
    return [file.read_bytes() for file in files]


# --- What is loaded ------------------------------------------------------------------------------


def test_the_suggested_dataset_loads_from_its_card(hub: FakeHub, tmp_path: Path) -> None:
    first, second = [encoded(i) for i in range(3)], [encoded(i, kind="JPEG") for i in range(3, 5)]
    hub.add(
        SUGGESTED_DATASET.name,
        {
            "Activity/test-00000-of-00002.parquet": parquet(
                {"id": list("abc"), "image": stored(*first)}, {"image": "Image"}
            ),
            "Activity/test-00001-of-00002.parquet": parquet(
                {"id": list("de"), "image": stored(*second)}, {"image": "Image"}
            ),
            "Other/test-00000-of-00001.parquet": b"never read",
        },
        {
            "configs": [
                {"config_name": n, "data_files": [{"split": "test", "path": f"{n}/test-*"}]}
                for n in ("Activity", "Other")
            ]
        },
    )
    seen: list[Progress] = []
    files = fetch_dataset(SUGGESTED_DATASET, tmp_path, progress=seen.append)
    assert images_of(files) == first + second
    assert [f.name for f in files[2:4]] == ["test-00002.png", "test-00003.jpg"]
    assert all(f.parent == tmp_path for f in files)
    assert seen == [Progress("read", i, 100) for i in range(1, 6)]
    assert len(read_set(files, 8).photos) == 5


def test_no_request_carries_the_servers_token(hub: FakeHub, tmp_path: Path) -> None:
    hub.add("me/data", {"train.parquet": parquet({"image": stored(encoded(0))})})
    fetch_dataset(DatasetRequest("me/data"), tmp_path)
    hub.add("me/plain", {"a.png": encoded(0)})
    fetch_dataset(DatasetRequest("me/plain"), tmp_path)
    with pytest.raises(DatasetError):
        fetch_dataset(DatasetRequest("me/private"), tmp_path)
    assert len(hub.headers) > 5
    assert all("authorization" not in headers for headers in hub.headers)
    assert "the_servers_own_token" not in str(hub.headers) + str(hub.requests)


def test_the_limit_ends_the_reading_early(hub: FakeHub, tmp_path: Path) -> None:
    images = [encoded(i, size=200) for i in range(120)]
    other = [os.urandom(50_000) for _ in images]
    data = parquet({"image": stored(*images), "other": other}, rows_a_group=10)
    assert len(data) > 20_000_000
    hub.add("me/huge", {f"data/train-{i:05d}-of-00900.parquet": data for i in range(3)})
    files = fetch_dataset(DatasetRequest("me/huge", limit=3), tmp_path)
    assert images_of(files) == images[:3]
    assert hub.sent_bytes < 5_000_000


@pytest.mark.parametrize(
    ("columns", "kinds", "chosen"),
    [
        ({"x": [1, 2], "picture": "images"}, {}, "picture"),
        ({"thumb": "images", "photo": "images"}, {"photo": "Image"}, "photo"),
        ({"sound": "images", "photo": "images"}, {"sound": "Audio"}, "photo"),
        ({"blob": "bytes"}, {}, "blob"),
        ({"blob": "bytes", "photo": "images"}, {}, "photo"),
        ({"shots": "lists"}, {"shots": "Sequence"}, "shots"),
        ({"shots": "lists", "photo": "images"}, {}, "photo"),
    ],
)
def test_the_image_column_is_found_by_itself(
    hub: FakeHub, tmp_path: Path, columns: dict, kinds: dict, chosen: str
) -> None:
    def cells(column: str, what: object) -> object:
        right = [encoded(0), encoded(1)] if column == chosen else [encoded(8), encoded(9)]
        known = {
            "images": stored(*right),
            "bytes": right,
            "lists": [stored(right[0], encoded(7)), stored(right[1])],
        }
        return known[what] if isinstance(what, str) else what

    table = {name: cells(name, what) for name, what in columns.items()}
    hub.add("me/data", {"test.parquet": parquet(table, kinds)})
    files = fetch_dataset(DatasetRequest("me/data"), tmp_path)
    assert images_of(files) == [encoded(0), encoded(1)]


def test_a_column_can_be_chosen_and_wrong_ones_are_named(hub: FakeHub, tmp_path: Path) -> None:
    table = {"a": stored(encoded(0)), "b": stored(encoded(1)), "label": ["x"]}
    hub.add("me/data", {"train.parquet": parquet(table)})
    files = fetch_dataset(DatasetRequest("me/data", column="b"), tmp_path)
    assert images_of(files) == [encoded(1)]
    with pytest.raises(DatasetError, match=r"label does not hold images. These do: a, b\."):
        fetch_dataset(DatasetRequest("me/data", column="label"), tmp_path)
    with pytest.raises(DatasetError, match=r"column c does not exist"):
        fetch_dataset(DatasetRequest("me/data", column="c"), tmp_path)


def test_plain_image_files_are_loaded_under_their_names(hub: FakeHub, tmp_path: Path) -> None:
    held = {"train/b/x.png": encoded(0), "train/a/x.JPG": encoded(1), "test/y.png": encoded(2)}
    hub.add("me/plain", {**held, "README.md": b"", "notes.txt": b""})
    files = fetch_dataset(DatasetRequest("me/plain"), tmp_path)
    assert [f.name for f in files] == ["x.JPG", "x-2.png"]
    assert images_of(files) == [encoded(1), encoded(0)]
    files = fetch_dataset(DatasetRequest("me/plain", split="test"), tmp_path)
    assert images_of(files) == [encoded(2)]


def test_a_dataset_in_another_form_is_read_from_the_hubs_parquet_copy(
    hub: FakeHub, tmp_path: Path
) -> None:
    copy = {"default/partial-train/0000.parquet": parquet({"image": stored(encoded(3))})}
    hub.add("me/tarred", {"shard.tar": b"", "tarred.py": b"import os"}, copy=copy)
    assert images_of(fetch_dataset(DatasetRequest("me/tarred"), tmp_path)) == [encoded(3)]


def test_bad_rows_are_passed_over(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointprompt.hub._MAX_IMAGE_BYTES", 10_000)
    rows = [None, b"no image", encoded(1, size=100), encoded(2)]
    hub.add("me/data", {"train.parquet": parquet({"image": stored(*rows)})})
    assert images_of(fetch_dataset(DatasetRequest("me/data"), tmp_path)) == [encoded(2)]
    hub.add("me/plain", {f"{i}.png": data or b"" for i, data in enumerate(rows)})
    assert images_of(fetch_dataset(DatasetRequest("me/plain"), tmp_path)) == [encoded(2)]


def test_endless_bad_rows_end_the_reading(hub: FakeHub, tmp_path: Path) -> None:
    rows = [b"no"] * 500 + [encoded(0)]
    hub.add("me/data", {"train.parquet": parquet({"image": stored(*rows)})})
    with pytest.raises(DatasetError, match="empty"):
        fetch_dataset(DatasetRequest("me/data"), tmp_path)


def test_the_total_is_bounded(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointprompt.hub._MAX_TOTAL_BYTES", 1000)
    hub.add("me/data", {"train.parquet": parquet({"image": stored(encoded(0), encoded(1))})})
    fetch_dataset(DatasetRequest("me/data", limit=1), tmp_path)
    with pytest.raises(DatasetError, match="Ask for fewer"):
        fetch_dataset(DatasetRequest("me/data", limit=3), tmp_path)


def test_what_progress_raises_comes_out_and_ends_the_work(hub: FakeHub, tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def cancel(_: Progress) -> None:
        raise Cancelled

    hub.add("me/data", {"train.parquet": parquet({"image": stored(encoded(0), encoded(1))})})
    with pytest.raises(Cancelled):
        fetch_dataset(DatasetRequest("me/data"), tmp_path, progress=cancel)
    assert len(list(tmp_path.iterdir())) == 1


# --- Configurations and splits -------------------------------------------------------------------


def two_configs(default: bool) -> dict:
    return {
        "configs": [
            {"config_name": "cats", "data_files": "cats/*.parquet"},
            {
                "config_name": "dogs",
                "default": default,
                "data_files": [
                    {"split": "train", "path": ["dogs/**/train*.parquet"]},
                    {"split": "held out", "path": "dogs/other.parquet"},
                ],
            },
        ]
    }


@pytest.mark.parametrize(
    ("config", "split", "seed"),
    [("cats", "", 0), ("dogs", "train", 1), ("dogs", "held out", 2), ("", "", 1)],
)
def test_configurations_and_splits_are_those_of_the_card(
    hub: FakeHub, tmp_path: Path, config: str, split: str, seed: int
) -> None:
    paths = ["cats/x.parquet", "dogs/deep/train-1.parquet", "dogs/other.parquet"]
    held = {path: parquet({"image": stored(encoded(i))}) for i, path in enumerate(paths)}
    hub.add("me/pets", held, two_configs(default=True))
    files = fetch_dataset(DatasetRequest("me/pets", config, split), tmp_path)
    assert images_of(files) == [encoded(seed)]


def test_what_does_not_exist_is_answered_with_the_choices(hub: FakeHub, tmp_path: Path) -> None:
    data = parquet({"image": stored(encoded(0))})
    paths = ["cats/x.parquet", "dogs/train.parquet", "dogs/other.parquet"]
    hub.add("me/pets", dict.fromkeys(paths, data), two_configs(default=False))
    with pytest.raises(DatasetError, match=r"more than one configuration. .*: cats, dogs\."):
        fetch_dataset(DatasetRequest("me/pets"), tmp_path)
    with pytest.raises(DatasetError, match=r"no configuration cows. It has: cats, dogs\."):
        fetch_dataset(DatasetRequest("me/pets", "cows"), tmp_path)
    with pytest.raises(DatasetError, match=r"no split test. It has: held out, train\."):
        fetch_dataset(DatasetRequest("me/pets", "dogs", "test"), tmp_path)


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("data/train-00000-of-00001.parquet", "train"),
        ("data/odd_name-00000-of-00001.parquet", "odd_name"),
        ("my-val-2.parquet", "validation"),
        ("eval/0.parquet", "test"),
        ("images.parquet", "train"),
        ("attestation.parquet", "train"),
    ],
)
def test_without_a_card_file_names_tell_the_split(
    hub: FakeHub, tmp_path: Path, path: str, split: str
) -> None:
    hub.add("me/data", {path: parquet({"image": stored(encoded(0))})})
    assert fetch_dataset(DatasetRequest("me/data", split=split), tmp_path)


def test_a_configuration_can_be_a_folder(hub: FakeHub, tmp_path: Path) -> None:
    held = {f"{n}/{n}.png": encoded(i) for i, n in enumerate(("a", "b"))}
    card = {"configs": [{"config_name": n, "data_dir": n} for n in ("a", "b")]}
    hub.add("me/data", held, card)
    assert images_of(fetch_dataset(DatasetRequest("me/data", "b"), tmp_path)) == [encoded(1)]


# --- Hostile names, cards and rows ---------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "../..",
        "/etc/passwd",
        "owner/../name",
        "owner/..",
        "a/b/c",
        "file:///etc/passwd",
        "http://127.0.0.1/x",
        "hf://datasets/a/b",
        "owner/name@main",
        "owner/name?x=1",
        "owner/name#x",
        "owner/na%2e%2e",
        "owner\\name",
        "~/data",
        "own\ner/name",
        "owner/name\n",
        "öwner/näme",
        "owner/" + "x" * 500,
        "-owner/name",
        "owner/name::zip",
        "owner/a..b",
        "owner/a--b",
        "owner/name.git",
        "owner/name.",
        "owner/name-",
    ],
)
def test_anything_but_a_datasets_name_is_refused_without_a_request(
    hub: FakeHub, tmp_path: Path, name: str
) -> None:
    with pytest.raises(DatasetError, match="form owner/name"):
        fetch_dataset(DatasetRequest(name), tmp_path)
    assert not hub.requests


@pytest.mark.parametrize(
    "request_",
    [
        DatasetRequest("me/data", config="x" * 1000),
        DatasetRequest("me/data", split="a\0b"),
        DatasetRequest("me/data", column="a\nb"),
        DatasetRequest("me/data", limit=0),
        DatasetRequest("me/data", limit=101),
        DatasetRequest("me/data", limit=2.5),  # type: ignore[arg-type]
        DatasetRequest("me/data", limit=True),
    ],
)
def test_other_malformed_requests_are_refused_without_a_request(
    hub: FakeHub, tmp_path: Path, request_: DatasetRequest
) -> None:
    with pytest.raises(DatasetError, match=r"\.$"):
        fetch_dataset(request_, tmp_path)
    assert not hub.requests


def test_as_many_images_can_be_asked_for_as_the_limits_allow(hub: FakeHub, tmp_path: Path) -> None:
    hub.add("me/data", {"a.png": encoded(0)})
    fetch_dataset(DatasetRequest("me/data", limit=500), tmp_path, limits=Limits(max_images=500))


@pytest.mark.parametrize("name", ["me/data", "parquet", "imagefolder", "csv", "json"])
def test_local_folders_and_builders_of_that_name_are_not_read(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    local = tmp_path / "work" / name
    local.mkdir(parents=True)
    (local / "secret.png").write_bytes(encoded(0))
    (local / "train.parquet").write_bytes(parquet({"image": stored(encoded(0))}))
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(DatasetError, match="no public dataset named"):
        fetch_dataset(DatasetRequest(name), tmp_path)
    assert [path for _, path in hub.requests] == [f"/api/datasets/{name}"]


HOSTILE_PATTERNS: list[Callable[[Path, str], str]] = [
    lambda secret, _: str(secret),
    lambda secret, _: f"file://{secret}",
    lambda secret, _: f"/../../..{secret}",
    lambda secret, _: f"../../../../../../../..{secret}",
    lambda secret, _: f"zip://*::{secret}",
    lambda secret, _: f"{secret.parent}/**",
    lambda _, endpoint: f"{endpoint}/internal.png",
    lambda _, endpoint: f"{endpoint}/*.png",
    lambda *_: "hf://datasets/other/private/secret.png",
    lambda *_: "/".join(["**"] * 50) + "/a",
    lambda *_: "*a" * 5000,
]


@pytest.mark.parametrize("hostile", HOSTILE_PATTERNS)
@pytest.mark.parametrize("where", ["data_files", "data_dir"])
def test_a_card_cannot_point_outside_its_repository(
    hub: FakeHub, tmp_path: Path, hostile: Callable[[Path, str], str], where: str
) -> None:
    secret = tmp_path / "secret" / "secret.png"
    secret.parent.mkdir()
    secret.write_bytes(encoded(0))
    card = {"configs": [{"config_name": "default", where: hostile(secret, hub.endpoint)}]}
    hub.add("me/evil", {"shown/a.png": encoded(1), "secret/b.txt": b""}, card)
    with pytest.raises(DatasetError, match="holds neither"):
        fetch_dataset(DatasetRequest("me/evil"), tmp_path)
    assert {path for _, path in hub.requests} == {
        "/api/datasets/me/evil",
        "/api/datasets/me/evil/revision/refs/convert/parquet",
    }


@pytest.mark.parametrize(
    "configs",
    [
        3,
        "x",
        [3, None, []],
        [{"config_name": ["x"], "data_files": 4}],
        [{"data_files": {"train": [1, {}]}}],
        [{"data_files": [{"split": {}, "path": {}}]}],
        [{"data_dir": {"a": 1}}],
    ],
)
def test_a_malformed_card_is_at_worst_an_error(
    hub: FakeHub, tmp_path: Path, configs: object
) -> None:
    hub.add("me/odd", {"a.png": encoded(1)}, {"configs": configs})
    try:
        assert images_of(fetch_dataset(DatasetRequest("me/odd"), tmp_path)) == [encoded(1)]
    except DatasetError as error:
        assert str(error).endswith(".")


def test_paths_in_rows_are_never_followed(hub: FakeHub, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(encoded(0))
    targets = [str(secret), f"file://{secret}", f"{hub.endpoint}/secret.png", "/etc/passwd"]
    cells = [{"bytes": None, "path": target} for target in targets]
    hub.add("me/evil", {"train.parquet": parquet({"image": cells}, {"image": "Image"})})
    with pytest.raises(DatasetError, match="stored elsewhere"):
        fetch_dataset(DatasetRequest("me/evil"), tmp_path)
    assert not any("secret" in path for _, path in hub.requests)


def test_a_column_of_paths_is_no_column_of_images(hub: FakeHub, tmp_path: Path) -> None:
    hub.add("me/evil", {"train.parquet": parquet({"image": ["/etc/passwd"]}, {"image": "Image"})})
    with pytest.raises(DatasetError, match=r"no column of images. It has: image\."):
        fetch_dataset(DatasetRequest("me/evil"), tmp_path)


def test_a_split_named_like_a_path_names_no_file_elsewhere(hub: FakeHub, tmp_path: Path) -> None:
    split = "../../x"
    card = {"configs": [{"data_files": [{"split": split, "path": "a.parquet"}]}]}
    hub.add("me/evil", {"a.parquet": parquet({"image": stored(encoded(0))})}, card)
    (file,) = fetch_dataset(DatasetRequest("me/evil", split=split), tmp_path)
    assert file.resolve().parent == tmp_path.resolve()


def test_a_file_that_is_no_parquet_is_a_damaged_one(hub: FakeHub, tmp_path: Path) -> None:
    hub.add("me/evil", {"train.parquet": b"PAR1" + b"\xff" * 100 + b"PAR1"})
    with pytest.raises(DatasetError, match="damaged"):
        fetch_dataset(DatasetRequest("me/evil"), tmp_path)


# --- What the Hub refuses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "info", "sentence"),
    [
        ({"a.png": b""}, {"gated": "manual"}, "is gated"),
        ({"a.png": b""}, {"error": (403, "GatedRepo")}, "is gated"),
        ({"a.png": b""}, {"error": (404, "RepoNotFound")}, "no public dataset named me/data"),
        ({"a.png": b""}, {"error": (500, "")}, "Try again later"),
        ({"data.py": b"", "x.zip": b""}, {}, "program of its own"),
        ({"x.csv": b""}, {}, "neither parquet files nor plain images"),
        ({}, {}, "neither parquet files nor plain images"),
        ({"a.parquet": parquet({"text": ["x"]})}, {}, "no column of images. It has: text"),
        ({"a.parquet": parquet({"image": pa.array([], pa.binary())})}, {}, "is empty"),
        ({"a.png": b""}, {"sha": "../../x"}, "could not answer"),
        ({"a.png": b""}, {"id": "../../x"}, "could not answer"),
    ],
)
def test_each_refusal_has_its_own_sentence(
    hub: FakeHub, tmp_path: Path, files: dict, info: dict, sentence: str
) -> None:
    hub.add("me/data", files, **info)
    with pytest.raises(DatasetError, match=sentence) as caught:
        fetch_dataset(DatasetRequest("me/data"), tmp_path)
    assert str(caught.value).endswith(".")
    assert not list(tmp_path.iterdir())


def test_a_connection_that_breaks_off_is_told_and_tried_once_more_only(
    hub: FakeHub, tmp_path: Path
) -> None:
    hub.add("me/data", {"a.png": encoded(0), "b.png": encoded(1)})
    hub.breaks_after = 2
    with pytest.raises(DatasetError, match="broke off"):
        fetch_dataset(DatasetRequest("me/data"), tmp_path)
    assert len(hub.requests) == 4


def test_an_unreachable_hub_is_asked_once(hub: FakeHub, tmp_path: Path) -> None:
    hub.breaks_after = 0
    with pytest.raises(DatasetError, match="cannot be reached"):
        fetch_dataset(DatasetRequest("me/data"), tmp_path)
    assert len(hub.requests) == 1


def test_a_closed_port_is_an_unreachable_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DatasetError, match="cannot be reached"):
        fetch_dataset(DatasetRequest("me/data"), tmp_path)


def test_the_hubs_own_settings_are_respected(hub: FakeHub, tmp_path: Path) -> None:
    hub.add("me/data", {"train.parquet": parquet({"image": stored(encoded(0))})})
    program = (
        "import sys, pathlib\n"
        "from pointprompt.hub import DatasetError, DatasetRequest, fetch_dataset\n"
        "assert 'huggingface_hub' not in sys.modules and 'pyarrow' not in sys.modules\n"
        "try:\n"
        "    print(len(fetch_dataset(DatasetRequest('me/data'), pathlib.Path(sys.argv[1]))))\n"
        "except DatasetError as error:\n"
        "    print(error)\n"
    )
    environment = os.environ | {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": "hf_own"}
    for offline, expected in (("0", "1"), ("1", "HF_HUB_OFFLINE")):
        before = len(hub.requests)
        result = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            env=environment | {"HF_HUB_OFFLINE": offline},
            capture_output=True,
            text=True,
            check=True,
        )
        assert expected in result.stdout
        assert result.stderr == ""
        assert (len(hub.requests) > before) == (offline == "0")
    assert all("authorization" not in headers for headers in hub.headers)
