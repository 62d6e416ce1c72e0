"""What is stored comes back bit for bit or not at all, whatever happened to it meanwhile."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pointprompt import pipeline
from pointprompt.analysis import entry
from pointprompt.analysis.analysis import Analysis, Computed
from pointprompt.analysis.codes import Embedder
from pointprompt.analysis.cut import Cut
from pointprompt.analysis.keys import Conditions, Content, digest_of_analysis, key_of
from pointprompt.analysis.store import Store
from pointprompt.analysis.terms import Terms
from pointprompt.backbones import describe, weights
from pointprompt.engines.engine import ThisProcess
from pointprompt.sources.photos import Limits
from pointprompt.types import BackboneChoice, BackboneRequest, Photo
from tests.killing import tells_within, working
from tests.server.test_service import ColorEngine, no_tsne

__all__ = ["no_tsne"]

CONDITIONS = Conditions("made up", 6, 0, versions={"numpy": "1"})


def made_up(
    folder: Path, seed: int = 0, *, n: int = 3, embeddings: bool = False
) -> tuple[str, Analysis, list[Path]]:
    """The key of an analysis that nobody computed, itself, and its images as they came."""
    rng = np.random.default_rng(seed)

    def floats(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{seed}-{index}.JPG" for index in range(n)]
    for file in files:
        file.write_bytes(rng.bytes(500))
    cut = Cut(floats(6), floats(20, 9), floats(20, 6), floats(20), 0.1 + seed)
    terms = Terms(cut, Embedder(floats(9), floats(9, 7), floats(5), floats(12, 8)))
    photos = tuple(
        Photo(
            f"private-{i}.jpg", 40 + i, 30, rng.bytes(90 + i), file, "A remark." * (i == 1), 1 + i
        )
        for i, file in enumerate(files)
    )
    analysis = Analysis(
        photos,
        floats(n, 4, 5, 6),
        floats(n, 4, 5, 8),
        rng.integers(0, 256, (n, 4, 5, 3), np.uint8),
        terms,
        BackboneChoice("made_up", "block", 3, 64, True),
        rng.standard_normal((n, 64, 64, 256)).astype(np.float16) if embeddings else None,
    )
    return key_of([Content.of(file) for file in files], CONDITIONS), analysis, files


def put(store: Store, made: tuple[str, Analysis, list[Path]]) -> bool:
    key, analysis, files = made
    return store.put(key, analysis, files, CONDITIONS)


def assert_same(found: Analysis | None, analysis: Analysis) -> None:
    """Assert that all is the same to the last bit; but for names and places, which are its own."""
    assert found is not None
    for name in ("eigvecs", "codes", "colors", "image_embeddings"):
        there, here = getattr(found, name), getattr(analysis, name)
        assert (there is None) == (here is None)
        if here is not None:
            assert there.dtype == here.dtype
            assert there.tobytes() == here.tobytes()
            assert there.flags.writeable
    assert digest_of_analysis(found) == digest_of_analysis(analysis)
    assert found.backbone == analysis.backbone
    for photo, original in zip(found.photos, analysis.photos, strict=True):
        assert isinstance(photo.source, Path)
        assert isinstance(original.source, Path)
        assert photo.source.read_bytes() == original.source.read_bytes()
        for name in ("height", "width", "preview", "remark", "orientation"):
            assert getattr(photo, name) == getattr(original, name)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def made(tmp_path: Path) -> tuple[str, Analysis, list[Path]]:
    return made_up(tmp_path / "in")


def leftovers(folder: Path) -> list[str]:
    """What lies in a store's folder besides entries and its own files."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


# --- Round trips ----------------------------------------------------------------------------------


@pytest.mark.parametrize("embeddings", [False, True])
def test_what_was_stored_comes_back_bit_for_bit(store, tmp_path, embeddings):
    made = made_up(tmp_path / "in", embeddings=embeddings)
    assert store.get(made[0]) is None
    assert put(store, made)
    assert_same(store.get(made[0]), made[1])
    assert_same(Store(store.folder).get(made[0]), made[1])
    assert leftovers(store.folder) == []


def test_bytes_of_files_are_stored_as_files(store, made):
    key, analysis, files = made
    assert store.put(key, analysis, [file.read_bytes() for file in files], CONDITIONS)
    assert_same(store.get(key), analysis)


def test_an_image_takes_no_room_twice_and_outlives_the_file_that_it_came_as(store, made):
    key, _, files = made
    put(store, made)
    assert [file.stat().st_nlink for file in files] == [2, 2, 2]
    held = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    assert [photo.source.read_bytes() for photo in store.get(key).photos] == held


def test_an_image_is_copied_where_it_cannot_be_linked(store, made, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    assert put(store, made)
    assert_same(store.get(made[0]), made[1])


def test_nothing_that_is_stored_says_what_a_visitor_calls_the_images(store, made):
    put(store, made)
    for path in store.folder.rglob("*"):
        assert "private" not in path.name
        assert path.is_dir() or b"private" not in path.read_bytes()


def test_only_its_owner_can_look_into_the_store(store, made):
    put(store, made)
    assert store.folder.stat().st_mode & 0o077 == 0
    assert (store.folder / made[0]).stat().st_mode & 0o077 == 0


def test_a_key_is_of_the_images_in_their_order_and_of_all_conditions(tmp_path):
    _, _, files = made_up(tmp_path)
    contents = [Content.of(file) for file in files]
    others = [
        replace(CONDITIONS, backbone="another"),
        replace(CONDITIONS, n_eigvecs=7),
        replace(CONDITIONS, seed=1),
        replace(CONDITIONS, joins="another"),
        replace(CONDITIONS, versions={"numpy": "2"}),
        replace(CONDITIONS, code="another"),
    ]
    keys = [key_of(contents, one) for one in [CONDITIONS, *others]]
    keys.append(key_of(contents[::-1], CONDITIONS))
    keys.append(key_of(contents[:2], CONDITIONS))
    keys.append(key_of([replace(contents[0], suffix=".tga"), *contents[1:]], CONDITIONS))
    assert len(set(keys)) == len(keys)
    assert key_of(contents, Conditions(**CONDITIONS.as_dict())) == keys[0]


@pytest.mark.parametrize("key", ["", "..", "../x", "/etc", "a" * 63, "A" * 64, "a" * 64 + "\n"])
def test_what_is_no_key_finds_nothing_and_stores_nothing(store, made, key):
    put(store, made)
    assert store.get(key) is None
    with pytest.raises(ValueError, match="key_of"):
        store.put(key, made[1], made[2], CONDITIONS)


# --- Damage ---------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


FILES = [
    "entry.json",
    "entry.sha256",
    "eigvecs.safetensors",
    "codes.safetensors",
    "colors.safetensors",
    "terms.safetensors",
    "previews.safetensors",
    "images/000.jpg",
    "images/002.jpg",
]


def test_every_file_of_an_entry_is_among_those_that_are_damaged_here(store, made):
    put(store, made)
    there = (store.folder / made[0]).rglob("*")
    names = {path.relative_to(store.folder / made[0]).as_posix() for path in there}
    assert names == {*FILES, "images", "images/001.jpg"}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage", [truncate, empty, flip, append, Path.unlink, become_a_folder, become_a_pipe]
)
def test_a_damaged_entry_is_noticed_said_removed_and_can_be_stored_again(
    store, made, name, damage, caplog
):
    put(store, made)
    path = store.folder / made[0] / name
    # The file that it was linked from is another matter.
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    damage(path)
    assert store.get(made[0]) is None
    assert "damaged" in caplog.text
    assert not store.has(made[0])
    assert leftovers(store.folder) == []
    assert put(store, made)
    assert_same(store.get(made[0]), made[1])


def edited(document: Any, place: tuple[str | int, ...], value: object) -> Any:
    """The document with another value at a place."""
    if not place:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[place[0]] = edited(copy[place[0]], place[1:], value)
    return copy


def write_as_ours(folder: Path, text: bytes) -> None:
    """Write an entry.json whose digest is right, as nobody but an attacker would."""
    (folder / "entry.json").write_bytes(text)
    (folder / "entry.sha256").write_text(hashlib.sha256(text).hexdigest())


PLACES: list[tuple[str | int, ...]] = [
    ("format",),
    ("conditions",),
    ("conditions", "versions"),
    ("conditions", "seed"),
    ("conditions", "joins"),
    ("backbone",),
    ("backbone", "layer"),
    ("backbone", "debias"),
    ("files",),
    ("files", "codes"),
    ("files", "codes", "bytes"),
    ("files", "codes", "sha256"),
    ("images",),
    ("images", 1),
    ("images", 1, "height"),
    ("images", 1, "remark"),
    ("images", 1, "orientation"),
    ("images", 1, "suffix"),
    ("images", 1, "bytes"),
]
HOSTILE = [None, -1, 1.5, 1e400, [], ["x"], "../../secret.jpg", {"codes": "/etc/passwd"}, "\0"]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:12])
def test_a_hostile_entry_is_none_and_leads_nowhere_else(store, made, place, value):
    put(store, made)
    folder = store.folder / made[0]
    if place == ("images", 1, "remark") and isinstance(value, str):
        return  # A remark is any text.
    if place[0] == "conditions" and len(place) > 1:
        if place[1] == "seed" and value == -1:
            return
        if place[1] == "joins" and isinstance(value, str):
            return
        if place[1] == "versions" and isinstance(value, dict):
            return
    if place == ("backbone", "layer") and value == -1:
        return
    document = json.loads((folder / "entry.json").read_text())
    (store.folder / "secret.jpg").write_bytes((folder / "images" / "001.jpg").read_bytes())
    write_as_ours(folder, json.dumps(edited(document, place, value)).encode())
    assert store.get(made[0]) is None
    assert not folder.exists()
    assert (store.folder / "secret.jpg").exists()


def test_an_entry_from_before_it_said_how_photos_are_turned_is_still_read(store, made):
    put(store, made)
    folder = store.folder / made[0]
    document = json.loads((folder / "entry.json").read_text())
    for image in document["images"]:
        del image["orientation"]
    write_as_ours(folder, json.dumps(document).encode())
    assert {photo.orientation for photo in store.get(made[0]).photos} == {1}


@pytest.mark.parametrize(
    "text",
    [b"", b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b"{}", b'{"format": 1}', b"9" * 10_000],
    ids=lambda text: repr(text)[:12],
)
def test_what_is_no_entry_is_none(store, made, text):
    put(store, made)
    write_as_ours(store.folder / made[0], text)
    assert store.get(made[0]) is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("codes", lambda arrays: {"codes": arrays["codes"][:2]}),
        ("codes", lambda arrays: {"codes": arrays["codes"].astype(np.float64)}),
        ("eigvecs", lambda arrays: {"eigvecs": arrays["eigvecs"][..., 0]}),
        ("colors", lambda arrays: {"other": arrays["colors"]}),
        ("colors", lambda arrays: {"colors": arrays["colors"][..., :2]}),
        ("terms", lambda arrays: {}),
        ("terms", lambda arrays: {**arrays, "version": np.array(99)}),
        ("previews", lambda arrays: {}),
        ("previews", lambda arrays: {**arrays, "001": np.zeros((2, 2), np.float32)}),
    ],
)
def test_arrays_that_do_not_fit_each_other_are_none(store, made, name, change):
    from safetensors.numpy import load, save

    put(store, made)
    folder = store.folder / made[0]
    data = save(change(load((folder / f"{name}.safetensors").read_bytes())))
    (folder / f"{name}.safetensors").write_bytes(data)
    described = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    document = json.loads((folder / "entry.json").read_text())
    write_as_ours(folder, json.dumps(edited(document, ("files", name), described)).encode())
    assert store.get(made[0]) is None


def test_an_entry_is_not_removed_for_what_is_no_fault_of_its_own(store, made, monkeypatch):
    put(store, made)

    def fail(_: Path) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(entry, "read", fail)
        assert store.get(made[0]) is None
    assert_same(store.get(made[0]), made[1])


# --- Room -----------------------------------------------------------------------------------------


def size_of_one(tmp_path: Path) -> int:
    trial = Store(tmp_path / "trial")
    made = made_up(tmp_path / "in")
    put(trial, made)
    return entry.nbytes(trial.folder / made[0])


def aged(store: Store, key: str, seconds: int) -> None:
    """Have an entry be used last so long ago."""
    then = time.time() - seconds
    os.utime(store.folder / key, (then, then))


def test_the_one_that_was_not_used_for_longest_goes_first(tmp_path):
    size = size_of_one(tmp_path)
    store = Store(tmp_path / "store", max_bytes=size * 7 // 2)
    made = [made_up(tmp_path / "in", seed) for seed in range(4)]
    for seconds, one in zip((30, 20, 10), made, strict=False):
        assert put(store, one)
        aged(store, one[0], seconds)
    assert store.get(made[0][0]) is not None  # Which thereby counts as used.
    assert put(store, made[3])
    assert [store.has(one[0]) for one in made] == [True, False, True, True]
    assert len(store.keys()) == 3


def test_what_is_in_use_never_goes_and_then_nothing_more_is_stored(tmp_path):
    size = size_of_one(tmp_path)
    store = Store(tmp_path / "store", max_bytes=size * 3 // 2)
    first, second = made_up(tmp_path / "in", 1), made_up(tmp_path / "in", 2)
    put(store, first)
    with store.using(first[0]) as found:
        assert not put(store, second)
        assert not put(Store(store.folder, store.max_bytes), second)
        assert found.analysis.photos[0].source.exists()
    assert leftovers(store.folder) == []
    assert put(store, second)
    assert [store.has(one[0]) for one in (first, second)] == [False, True]


def test_what_is_larger_than_the_store_may_be_is_not_stored_and_drives_nothing_out(tmp_path):
    store = Store(tmp_path / "store", max_bytes=size_of_one(tmp_path) * 3 // 2)
    small = made_up(tmp_path / "in", 1)
    put(store, small)
    assert not put(store, made_up(tmp_path / "in", 2, n=9))
    assert store.has(small[0])


def test_the_entries_of_an_earlier_run_count_too(tmp_path):
    size = size_of_one(tmp_path)
    made = [made_up(tmp_path / "in", seed) for seed in range(3)]
    for one in made[:2]:
        put(Store(tmp_path / "store"), one)
    aged(Store(tmp_path / "store"), made[0][0], 9)
    put(Store(tmp_path / "store", size * 5 // 2), made[2])
    assert [Store(tmp_path / "store").has(one[0]) for one in made] == [False, True, True]


# --- Disks and processes --------------------------------------------------------------------------


def test_a_disk_that_is_full_at_any_write_leaves_nothing(tmp_path, monkeypatch, caplog):
    real = entry._write
    store, made = Store(tmp_path / "store"), made_up(tmp_path / "in")
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EXDEV, "")))
    writes = 0
    while True:
        left = writes

        def write(file: Any, data: bytes) -> None:
            nonlocal left
            if left == 0:
                file.write(data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            left -= 1
            real(file, data)

        monkeypatch.setattr(entry, "_write", write)
        if put(store, made):
            break
        assert "No space left on device" in caplog.text
        assert not store.has(made[0])
        assert store.get(made[0]) is None
        assert leftovers(store.folder) == []
        writes += 1
    assert writes == 5 + 3 + 2
    assert_same(store.get(made[0]), made[1])


def test_a_disk_that_is_nearly_full_is_left_alone(store, made, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("U", (), {"free": 10**6})())
    assert not put(store, made)
    assert len(store.keys()) == 0


@pytest.mark.parametrize("how", ["gone", "a file"])
def test_a_folder_that_vanishes_is_a_warning_and_nothing_else(tmp_path, made, how, caplog):
    store = Store(tmp_path / "store")
    (store.folder / "store.lock").unlink()
    store.folder.rmdir()
    if how == "a file":
        store.folder.write_text("")
    assert not put(store, made)
    assert store.get(made[0]) is None
    assert len(store.keys()) == 0
    assert "could not be stored" in caplog.text
    Store(tmp_path / "in" / "0-0.JPG" / "store")
    assert "cannot be stored" in caplog.text


def write_on(store: Path, images: Path, first: int, told: Connection) -> None:
    """Store one after another, and tell the key of each that is stored."""
    mine = Store(store)
    told.send("ready")
    for seed in range(first, 10_000):
        made = made_up(images, seed, n=6)
        assert put(mine, made)
        told.send(made[0])


@contextmanager
def writing(store: Path, images: Path, first: int) -> Iterator[tuple[int, Connection]]:
    """A process that does so: its number, and what it tells."""
    with working(write_on, store, images, first) as (process, told):
        assert tells_within(told) == "ready"
        yield process, told


def all_told(told: Connection) -> list[str]:
    """All keys that were told before the end."""
    keys = []
    with suppress(EOFError):
        while True:
            keys.append(told.recv())
    return keys


def test_whoever_is_killed_while_storing_leaves_nothing_half(tmp_path):
    rng = random.Random(0)
    folder = tmp_path / "store"
    kept: list[str] = []
    unfinished = 0
    for kill in range(20):
        with writing(folder, tmp_path / "in", kill * 100) as (process, told):
            time.sleep(rng.uniform(0, 0.1))
            os.kill(process, signal.SIGKILL)
            kept += all_told(told)
        unfinished += len(leftovers(folder))
        store = Store(folder)
        assert leftovers(folder) == []
        assert set(kept) <= set(store.keys())
        assert all(store.get(key) for key in store.keys())  # noqa: SIM118 - it is no dict
    assert len(kept) > 0
    assert unfinished > 0


def test_two_processes_may_store_the_same_at_once(tmp_path):
    folder = tmp_path / "store"
    with (
        writing(folder, tmp_path / "a", 0) as (_, one),
        writing(folder, tmp_path / "b", 0) as (_, other),
    ):
        keys = [[tells_within(told) for _ in range(30)] for told in (one, other)]
    assert keys[0] == keys[1]
    store = Store(folder)
    assert leftovers(folder) == []
    assert all(store.get(key) for key in keys[0])


def test_what_another_process_is_just_writing_is_not_swept(tmp_path, made, monkeypatch):
    store = Store(tmp_path / "store")
    real = entry.write
    seen = []

    def write(folder: Path, *args: Any) -> None:
        real(folder, *args)
        Store(store.folder)  # As another process would at its start.
        seen.append(leftovers(store.folder))

    monkeypatch.setattr(entry, "write", write)
    assert put(store, made)
    assert len(seen[0]) == 1
    assert_same(store.get(made[0]), made[1])


def test_a_file_system_without_locks_loses_nothing(tmp_path, made, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    store = Store(tmp_path / "store")
    assert put(store, made)
    assert_same(Store(tmp_path / "store").get(made[0]), made[1])


def test_an_entry_that_another_process_removes_while_it_is_read_is_none(store, made, monkeypatch):
    put(store, made)
    real = entry._load

    def load(*args: Any) -> dict[str, Any]:
        assert store._remove(store.folder / made[0])
        return real(*args)

    monkeypatch.setattr(entry, "_load", load)
    assert store.get(made[0]) is None


# --- Analyses -------------------------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    files = [tmp_path / "photos" / name for name in ("a.png", "b.png", "c.png")]
    files[0].parent.mkdir()
    for file in files:
        Image.fromarray(rng.integers(0, 256, (32, 48, 3), np.uint8)).save(file)
    return files


class CountingEngine(ColorEngine):
    """Notes how many images each call computes."""

    def __init__(self) -> None:
        super().__init__()
        self.computed: list[int] = []

    def identity(self, request: BackboneRequest) -> str:
        return str(request)

    def compute(self, frames: np.ndarray, *args: Any, **options: Any) -> Computed:
        self.computed.append(len(frames))
        return super().compute(frames, *args, **options)


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


Engines = CountingEngine | ThisProcess


def analyze(photos: list[Any], store: Store, engine: Engines, **options: Any) -> Analysis:
    asked = {"backbone": "efficientnet_lite0", "input_size": 384, **options}
    return pipeline.analyze(photos, store=store, engine=engine, **asked)


def test_the_same_images_are_ready_without_computing_and_exactly_alike(store, photos, engine):
    first = analyze(photos[:2], store, engine)
    copies = [photo.with_name(f"copy-{photo.name}") for photo in photos[:2]]
    for photo, copy in zip(photos, copies, strict=False):
        copy.write_bytes(photo.read_bytes())
    again = analyze(copies, store, engine)
    assert engine.computed == [2]
    assert [photo.name for photo in again.photos] == ["copy-a.png", "copy-b.png"]
    assert [photo.source for photo in again.photos] == copies
    for name in ("eigvecs", "codes", "colors"):
        assert getattr(again, name).tobytes() == getattr(first, name).tobytes()
    assert digest_of_analysis(again) == digest_of_analysis(first)


def test_what_else_is_asked_for_is_computed(store, photos, engine):
    analyze(photos[:2], store, engine)
    analyze(photos[1::-1], store, engine)
    analyze(photos[:2], store, engine, seed=1)
    analyze(photos[:2], store, engine, n_eigvecs=9)
    analyze(photos[:2], store, engine, input_size=512)
    analyze(photos, store, engine)
    assert engine.computed == [2, 2, 2, 2, 2, 3]


def test_images_that_join_a_set_are_stored_with_it(store, photos, engine):
    first = analyze(photos[:2], store, engine)
    joined = pipeline.extend(first, photos[2:], engine=engine, store=store)
    again = pipeline.extend(first, photos[2:], names=["a.png"], engine=engine, store=store)
    assert engine.computed == [2, 1]
    assert [photo.name for photo in again.photos] == ["a.png", "b.png", "a-2.png"]
    assert again.codes.tobytes() == joined.codes.tobytes()
    other = analyze(photos[1::-1], store, engine)
    pipeline.extend(other, photos[2:], engine=engine, store=store)
    assert engine.computed == [2, 1, 2, 1]


def test_a_broken_image_does_not_keep_the_others_from_being_found(store, photos, engine):
    broken = photos[0].with_name("broken.png")
    broken.write_bytes(b"no picture")
    request = BackboneRequest("efficientnet_lite0", input_size=384)
    found = [
        pipeline.analyze_readable(
            [broken, *photos[:2]], request, engine, limits=Limits(), store=store
        )
        for _ in range(2)
    ]
    assert engine.computed == [2]
    assert found[0].key == found[1].key != ""
    assert [one.name for one in found[1].rejected] == ["broken.png"]
    assert [photo.source for photo in found[1].analysis.photos] == photos[:2]
    analyze(photos[:2], store, engine)
    assert engine.computed == [2]


def test_a_set_that_is_over_todays_limits_is_not_found(store, photos, engine):
    analyze(photos[:2], store, engine)
    with pytest.raises(ValueError, match="images"):
        analyze(photos[:2], store, engine, limits=Limits(max_images=1))
    with pytest.raises(ValueError, match="megapixels"):
        analyze(photos[:2], store, engine, limits=Limits(max_megapixels=0.001))


def test_pixels_are_analysed_and_not_stored(store, photos, engine):
    pixels = [np.asarray(Image.open(photo)) for photo in photos[:2]]
    analyze(pixels, store, engine)
    analyze(pixels, store, engine)
    assert engine.computed == [2, 2]
    assert len(store.keys()) == 0
    analyze([photo.read_bytes() for photo in photos[:2]], store, engine)
    analyze([photo.read_bytes() for photo in photos[:2]], store, engine)
    assert engine.computed == [2, 2, 2]


def test_with_a_real_backbone_too_all_bits_come_back(store, photos):
    computed = analyze(photos[:2], store, ThisProcess("cpu"))
    found = analyze(photos[:2], store, ThisProcess("cpu"), node="block")
    assert len(store.keys()) == 1
    assert digest_of_analysis(found) == digest_of_analysis(computed)


def test_an_engine_is_told_from_others_by_its_options_and_what_its_weights_hold(
    tmp_path, monkeypatch
):
    here = ThisProcess("cpu")
    request = BackboneRequest("efficientnet_lite0")
    identity = here.identity(request)
    # What is the default is the same where it is said.
    assert here.identity(BackboneRequest("efficientnet_lite0", "block", input_size=512)) == identity
    assert here.identity(BackboneRequest("efficientnet_lite0", input_size=384)) != identity
    file = tmp_path / "weights.pth"
    file.write_bytes(weights.find(describe("efficientnet_lite0")).read_bytes())
    monkeypatch.setenv("POINTPROMPT_EFFICIENTNET_LITE0", str(file))
    assert here.identity(request) == identity
    file.write_bytes(file.read_bytes() + b"\0")
    assert here.identity(request) != identity
