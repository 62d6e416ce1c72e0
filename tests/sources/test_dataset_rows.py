"""Data sets of this computer and of a local Hub, as a command line names them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict, Features, Image, List

from pointprompt.sources.dataset_rows import DatasetAsked, Row, Rows, is_dataset, open_rows
from pointprompt.sources.hub.remote import DatasetError
from tests.fake_hub import FakeHub, encoded, parquet, serving, stored

IMAGES = [encoded(index) for index in range(7)]
SHARDS = ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"]


def of(*images: bytes | None, rows_a_group: int = 2) -> bytes:
    return parquet({"image": stored(*images)}, {"image": "Image"}, rows_a_group)


def all_of(rows: Rows) -> list[bytes]:
    return [row.data for part in range(rows.parts) for row in rows.read(part)]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """The Hub, with a data set in two parts that only the token's owner may see."""
    import datasets

    with serving(monkeypatch) as fake:
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", fake.endpoint)
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
        fake.writing.add_user("hf_the_servers_own_token", "me", "read")
        files = dict(zip(SHARDS, [of(*IMAGES[:4]), of(*IMAGES[4:])], strict=True))
        fake.add("me/photos", {"README.md": b"", **files}, private=True)
        yield fake


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same on this computer, and a split for tests."""
    for name, images in zip(SHARDS, [IMAGES[:4], IMAGES[4:]], strict=True):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(of(*images))
    (tmp_path / "data/test-00000-of-00001.parquet").write_bytes(of(IMAGES[0]))
    return tmp_path


def test_a_data_set_of_the_hub_is_read_with_the_persons_own_token(hub: FakeHub):
    rows = open_rows(DatasetAsked("hf:me/photos"))
    assert (rows.parts, rows.revision) == (2, hub.datasets["me/photos"]["sha"])
    assert [row.own_name for row in rows.read(1)] == ["0.png", "1.png", "2.png"]
    assert all_of(rows) == IMAGES
    sent = {headers["authorization"] for headers in hub.headers if "authorization" in headers}
    assert sent == {"Bearer hf_the_servers_own_token"}


def test_nothing_of_a_part_is_asked_for_before_it_is_read(hub: FakeHub):
    rows = open_rows(DatasetAsked("hf:me/photos"))
    before = [path for _, path in hub.requests].count(
        f"/datasets/me/photos/resolve/{rows.revision}/{SHARDS[1]}"
    )
    list(rows.read(0))
    asked = [path for _, path in hub.requests]
    assert asked.count(f"/datasets/me/photos/resolve/{rows.revision}/{SHARDS[1]}") == before == 0


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("hf:me/nothing", "has no data set me/nothing, or not for you"),
        ("hf:../me", "is named as hf:owner/name"),
        ("hf:me/a/b", "is named as hf:owner/name"),
    ],
)
def test_what_the_hub_has_not_is_a_sentence(hub: FakeHub, place: str, says: str):
    with pytest.raises(DatasetError, match=says):
        open_rows(DatasetAsked(place))


def test_the_parquet_copy_is_read_where_there_is_no_own_file(hub: FakeHub):
    hub.add(
        "me/zipped",
        {"photos.zip": b"PK"},
        copy={"default/train/0000.parquet": of(*IMAGES[:2]), "more/test/0000.parquet": of(*IMAGES)},
    )
    assert all_of(open_rows(DatasetAsked("hf:me/zipped", "default"))) == IMAGES[:2]
    assert all_of(open_rows(DatasetAsked("hf:me/zipped", "more", "test"))) == IMAGES


def test_where_there_is_neither_it_says_what_to_do(hub: FakeHub):
    hub.add("me/plain", {"a.png": IMAGES[0]})
    with pytest.raises(DatasetError, match=r"hf download me/plain --repo-type dataset"):
        open_rows(DatasetAsked("hf:me/plain"))


def test_files_that_a_card_names_elsewhere_are_not_asked_for(hub: FakeHub):
    card = {"configs": [{"config_name": "default", "data_files": "http://127.0.0.1:9/x.parquet"}]}
    hub.add("me/card", {"x.parquet": of(IMAGES[0])}, card)
    with pytest.raises(DatasetError, match="no parquet files"):
        open_rows(DatasetAsked("hf:me/card"))


def test_a_hub_that_cannot_be_reached_is_told(hub: FakeHub, monkeypatch: pytest.MonkeyPatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DatasetError, match="could not be asked for me/photos"):
        open_rows(DatasetAsked("hf:me/photos"))


def test_a_folder_of_parquet_files_is_read_by_split(folder: Path):
    assert all_of(open_rows(DatasetAsked(str(folder)))) == IMAGES
    assert all_of(open_rows(DatasetAsked(str(folder), split="test"))) == IMAGES[:1]
    with pytest.raises(DatasetError, match="no split dev"):
        open_rows(DatasetAsked(str(folder), split="dev"))


def test_files_are_read_by_name_or_by_a_pattern(folder: Path):
    assert all_of(open_rows(DatasetAsked(str(folder / SHARDS[1])))) == IMAGES[4:]
    assert all_of(open_rows(DatasetAsked(str(folder / "data/train-*.parquet")))) == IMAGES
    with pytest.raises(DatasetError, match="There is no file"):
        open_rows(DatasetAsked(str(folder / "no-*.parquet")))
    with pytest.raises(DatasetError, match="A split is of a whole data set"):
        open_rows(DatasetAsked(str(folder / SHARDS[1]), split="test"))


def test_what_datasets_itself_saved_is_read(tmp_path: Path):
    data = Dataset.from_dict({"image": stored(*IMAGES)}, features=Features({"image": Image()}))
    data.save_to_disk(str(tmp_path / "one"))
    DatasetDict({"test": data, "val": data.select([1])}).save_to_disk(str(tmp_path / "splits"))
    assert all_of(open_rows(DatasetAsked(str(tmp_path / "one")))) == IMAGES
    assert all_of(open_rows(DatasetAsked(str(tmp_path / "splits"), split="val"))) == IMAGES[1:2]
    with pytest.raises(DatasetError, match="more than one split"):
        open_rows(DatasetAsked(str(tmp_path / "splits")))
    with pytest.raises(DatasetError, match="has no splits"):
        open_rows(DatasetAsked(str(tmp_path / "one"), split="test"))


def test_a_part_is_read_from_any_image_on(folder: Path):
    rows = open_rows(DatasetAsked(str(folder)))
    for skip in range(5):
        assert [row.data for row in rows.read(0, skip)] == IMAGES[skip:4]


def test_the_first_images_are_one_part(folder: Path):
    rows = open_rows(DatasetAsked(str(folder), limit=5))
    assert rows.parts == 1
    assert [row.data for row in rows.read()] == IMAGES[:5]
    assert [row.data for row in rows.read(0, 3)] == IMAGES[3:5]
    with pytest.raises(DatasetError, match="at least 1"):
        open_rows(DatasetAsked(str(folder), limit=0))


def test_the_column_is_found_or_named(tmp_path: Path):
    table = {
        "mask": stored(*reversed(IMAGES)),
        "photo": stored(*IMAGES),
        "text": ["a"] * len(IMAGES),
    }
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet(table, {"mask": "Image", "photo": "Image"}))
    assert all_of(open_rows(DatasetAsked(str(path)))) == IMAGES
    assert all_of(open_rows(DatasetAsked(str(path), column="mask"))) == IMAGES[::-1]
    with pytest.raises(DatasetError, match="column text does not hold images"):
        open_rows(DatasetAsked(str(path), column="text"))
    with pytest.raises(DatasetError, match="column no does not exist"):
        open_rows(DatasetAsked(str(path), column="no"))


def test_bytes_alone_and_several_in_a_row_are_images_too(tmp_path: Path):
    (tmp_path / "bytes.parquet").write_bytes(parquet({"image": IMAGES}))
    assert all_of(open_rows(DatasetAsked(str(tmp_path / "bytes.parquet")))) == IMAGES
    lists = Dataset.from_dict(
        {"images": [stored(*IMAGES[:3]), [], stored(*IMAGES[3:])]},
        features=Features({"images": List(Image())}),
    )
    lists.to_parquet(str(tmp_path / "lists.parquet"))
    rows = open_rows(DatasetAsked(str(tmp_path / "lists.parquet")))
    assert all_of(rows) == [*IMAGES[:3], b"", *IMAGES[3:]]
    assert [row.data for row in rows.read(0, 5)] == IMAGES[4:]


@pytest.mark.parametrize(
    "path",
    ["/etc/hostname", "http://127.0.0.1:9/secret.png", "hf://datasets/me/private/a.png", "../a"],
)
def test_what_a_row_only_names_is_not_looked_for(tmp_path: Path, path: str, hub: FakeHub):
    file = tmp_path / "a.parquet"
    cells = [{"bytes": None, "path": path}, {"bytes": IMAGES[0], "path": path}]
    file.write_bytes(parquet({"image": cells}, {"image": "Image"}))
    first, second = open_rows(DatasetAsked(str(file))).read()
    assert first.data == b""
    assert "stored elsewhere, and this is not followed" in first.lack
    # Of a path only the last name is taken, to call the image by.
    assert second == Row(path.rpartition("/")[2], IMAGES[0])
    assert hub.requests == []


def test_a_row_without_an_image_says_so(tmp_path: Path):
    file = tmp_path / "a.parquet"
    file.write_bytes(parquet({"image": [None, *stored(b"", IMAGES[0])]}, {"image": "Image"}))
    lacks = [row.lack for row in open_rows(DatasetAsked(str(file))).read()]
    assert [bool(lack) for lack in lacks] == [True, True, False]


def test_a_row_that_is_too_large_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pointprompt.sources.dataset_rows._MAX_IMAGE_BYTES", len(IMAGES[0]) - 1)
    (tmp_path / "a.parquet").write_bytes(of(IMAGES[0]))
    (row,) = open_rows(DatasetAsked(str(tmp_path / "a.parquet"))).read()
    assert (row.data, "more than" in row.lack) == (b"", True)


def test_a_damaged_file_is_told_and_what_came_before_is_there(tmp_path: Path):
    data = bytearray(of(*[encoded(index, 40) for index in range(9)], rows_a_group=1))
    data[len(data) // 2 : len(data) // 2 + 5000] = bytes(5000)
    (tmp_path / "a.parquet").write_bytes(data)
    rows = open_rows(DatasetAsked(str(tmp_path / "a.parquet")))
    with pytest.raises(DatasetError, match="Part 1 of 1 of the data set could not be read"):
        list(rows.read())
    (tmp_path / "b.parquet").write_bytes(b"PAR1 this is none PAR1")
    with pytest.raises(DatasetError, match="cannot be read"):
        open_rows(DatasetAsked(str(tmp_path / "b.parquet")))


def test_other_files_are_another_revision(folder: Path):
    before = open_rows(DatasetAsked(str(folder))).revision
    assert open_rows(DatasetAsked(str(folder))).revision == before
    (folder / SHARDS[0]).write_bytes(of(*IMAGES[:3]))
    assert open_rows(DatasetAsked(str(folder))).revision != before


def test_a_folder_of_images_is_no_data_set(folder: Path, tmp_path: Path):
    assert is_dataset("hf:me/photos")
    assert is_dataset("rows/*.parquet")
    assert is_dataset(str(folder))
    (folder / "a.png").write_bytes(IMAGES[0])
    assert not is_dataset(str(folder))
    assert not is_dataset(str(folder / "nowhere"))


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DatasetError, match=r"pip install 'pointprompt\[datasets\]'"):
        open_rows(DatasetAsked("a.parquet"))
