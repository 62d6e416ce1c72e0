from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from pointprompt.sources.framing import Framing
from pointprompt.sources.hub.fetch import (
    SUGGESTED_DATASET,
    DatasetError,
    DatasetRequest,
    fetch_dataset,
)
from pointprompt.sources.photos import Limits, read_set
from pointprompt.types import Progress
from tests.fake_hub import FakeHub, encoded, hub, images_of, parquet, stored

__all__ = ["FakeHub", "encoded", "hub", "parquet"]


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
    told = list(dict.fromkeys(step for step in seen if step.done))
    assert told == [Progress("read", i, 100) for i in range(1, 6)]
    assert len(read_set(files, Framing(8)).photos) == 5


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
    more = [encoded(7)] if chosen == "shots" else []
    assert images_of(files) == [encoded(0), *more, encoded(1)]


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
    monkeypatch.setattr("pointprompt.sources.hub.images._MAX_IMAGE_BYTES", 10_000)
    rows = [None, b"no image", encoded(1, size=100), encoded(2)]
    hub.add("me/data", {"train.parquet": parquet({"image": stored(*rows)})})
    assert images_of(fetch_dataset(DatasetRequest("me/data"), tmp_path)) == [encoded(2)]
    hub.add("me/plain", {f"{i}.png": data or b"" for i, data in enumerate(rows)})
    assert images_of(fetch_dataset(DatasetRequest("me/plain"), tmp_path)) == [encoded(2)]


def test_endless_bad_rows_end_the_reading(hub: FakeHub, tmp_path: Path) -> None:
    rows = [b"no"] * 500 + [encoded(0)]
    hub.add("me/data", {"train.parquet": parquet({"image": stored(*rows)})})
    with pytest.raises(DatasetError, match=r"first 101 entries .* 101 in no format"):
        fetch_dataset(DatasetRequest("me/data"), tmp_path)


def test_the_total_is_bounded(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointprompt.sources.hub.fetch._MAX_TOTAL_BYTES", 1000)
    hub.add("me/data", {"train.parquet": parquet({"image": stored(encoded(0), encoded(1))})})
    fetch_dataset(DatasetRequest("me/data", limit=1), tmp_path)
    with pytest.raises(DatasetError, match="Ask for fewer"):
        fetch_dataset(DatasetRequest("me/data", limit=3), tmp_path)


def test_what_progress_raises_comes_out_and_ends_the_work(hub: FakeHub, tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def cancel(step: Progress) -> None:
        if step.done:
            raise Cancelled

    hub.add("me/data", {"train.parquet": parquet({"image": stored(encoded(0), encoded(1))})})
    with pytest.raises(Cancelled):
        fetch_dataset(DatasetRequest("me/data"), tmp_path, progress=cancel)
    assert len(list(tmp_path.iterdir())) == 1


# --- Every dataset as it is ----------------------------------------------------------------------


def fetched(name: str, folder: Path, **asked: object) -> tuple[list[bytes], str]:
    """The images and everything that is said about them."""
    notes: list[str] = []
    request = DatasetRequest(name, **asked)  # type: ignore[arg-type]
    files = fetch_dataset(request, folder, note=notes.append)
    assert all(note.endswith(".") for note in notes)
    return images_of(files), " ".join(notes)


def table(*seeds: int) -> bytes:
    return parquet({"image": pa.array(stored(*map(encoded, seeds)), IMAGE)})


IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
TEXTS = parquet({"file_name": ["1.png"], "text": ["x"]})
A, B, C, D = (encoded(i) for i in range(4))
COPY = {"default/train/0000.parquet": table(1, 2)}


@pytest.mark.parametrize(
    ("files", "copy", "seeds", "said"),
    [
        # What a person would expect beside an illustration of the dataset's page.
        ({"images.zip": b"PK", "assets/teaser.png": D}, COPY, [1, 2], ""),
        ({"train-000.tar": b"x", "thumbnail.png": D}, COPY, [1, 2], ""),
        ({"data.jsonl": b"{}", "figure1.png": D}, COPY, [1, 2], ""),
        ({"odd.py": b"", "docs/logo.png": D}, COPY, [1, 2], ""),
        ({"images/1.png": A, "images/2.png": B, "banner.png": D}, None, [0, 1], "banner.png"),
        ({"images/1.png": A, "docs/fig.png": D}, None, [0], "docs/fig.png"),
        ({"logo.png": A, "teaser.png": B}, None, [0, 1], ""),
        # Tables that only describe the pictures.
        ({"train/1.png": A, "train/metadata.parquet": TEXTS}, None, [0], ""),
        ({"1.png": A, "2.png": B, "captions.parquet": TEXTS}, None, [0, 1], ""),
        ({"1.png": A, "words.parquet": TEXTS}, None, [0], ""),
        ({"words.parquet": TEXTS, "z.parquet": table(3), "teaser.png": A}, None, [3], ""),
        ({"images/1.png": A, "coco.json": b"{}"}, None, [0], "coco.json"),
        # Archives beside many pictures, or that hold no photos.
        ({f"{i}.png": encoded(i) for i in range(11)} | {"x.zip": b""}, None, range(11), "x.zip"),
        ({"1.png": A, "masks.zip": b""}, None, [0], ""),
        # Words of a split within a name.
        ({"photo of a cat.jpg": A, "photo of a train.jpg": B}, None, [0, 1], ""),
        ({"images/1.png": A, "images/crash_test_dummy.png": B}, None, [0, 1], ""),
        ({"crash test/1.png": A, "quiet/1.png": B}, None, [0, 1], ""),
        ({"train_cats/1.png": A, "test_cats/1.png": B}, None, [0], "also has test"),
        ({"train_1.png": A, "test_1.png": B}, None, [0], "also has test"),
        ({"test2017/1.png": A, "2.png": B}, None, [1], "also has test"),
        ({"train/1.png": A, "test/1.png": B, "more/1.png": C}, None, [0], "more/1.png"),
        ({"trainA/1.png": A, "testA/1.png": B}, None, [0], "also has test"),
        # Masks among the pictures.
        ({"images/1.png": A, "annotations/1.png": B}, None, [0], "annotations/1.png"),
        ({"JPEGImages/1.png": A, "SegmentationClass/1.png": B}, None, [0], "SegmentationClass"),
        ({"1.png": A, "1_mask.png": B, "2.png": C, "2_mask.png": D}, None, [0, 2], "1_mask.png"),
        ({"gtFine/a/1_gtFine.png": A, "leftImg8bit/a/1_leftImg8bit.png": B}, None, [1], "gtFine"),
        ({"mask/1.png": A, "no_mask/1.png": B}, None, [0, 1], ""),
        ({"masks/1.png": A}, None, [0], ""),
        # Files that are no data.
        ({".thumbs/a.png": A, "x.png": B}, None, [1], ""),
        ({"__MACOSX/._x.png": b"junk", "x.png": B, "._x.png": b"junk"}, None, [1], ""),
        # Suffixes in any case and of all kinds; a person's order.
        ({"A.JPG": A, "b.jfif": B, "c.jpe": C}, None, [0, 1, 2], ""),
        ({f"{i}.png": encoded(i) for i in (10, 2, 1)}, None, [1, 2, 10], ""),
        ({"a10/1.png": A, "a9/1.png": B}, None, [1, 0], ""),
        ({"TRAIN.PARQUET": table(1)}, None, [1], ""),
    ],
)
def test_a_person_gets_the_pictures_they_expect(
    hub: FakeHub, tmp_path: Path, files: dict, copy: dict | None, seeds: list[int], said: str
) -> None:
    hub.add("me/odd", {"README.md": b"", ".gitattributes": b"", **files}, copy=copy)
    images, notes = fetched("me/odd", tmp_path)
    assert images == [encoded(seed) for seed in seeds]
    assert said in notes
    assert bool(said) == bool(notes)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"images.zip": b"PK"}, r"in archives \(images.zip\).* unpack them, and upload"),
        ({"images.zip": b"PK", "teaser.png": A}, r"in archives \(images.zip\)"),
        ({"a.tar": b"", "b.tar": b"", "c.tar": b"", "d.tar": b""}, r"c.tar and 1 more"),
        ({"data-00000-of-00001.arrow": b"", "state.json": b""}, r"only files of the kind .arrow"),
        ({"data.jsonl": b"{}", "teaser.png": A}, r"only files of the kind .jsonl"),
        ({"texts.parquet": TEXTS, "teaser.png": A}, r"no column of images. It has: file_name"),
        ({"a.png": b"%PDF-1.4", "b.png": b""}, r"2 entries .*: 1 empty, 1 .*PDF"),
    ],
)
def test_where_there_are_no_pictures_a_sentence_says_what_there_is(
    hub: FakeHub, tmp_path: Path, files: dict, sentence: str
) -> None:
    hub.add("me/odd", files)
    with pytest.raises(DatasetError, match=sentence) as caught:
        fetch_dataset(DatasetRequest("me/odd"), tmp_path)
    assert str(caught.value).endswith(".")
    assert not list(tmp_path.iterdir())


def cell(seed: int) -> dict:
    return stored(encoded(seed))[0]


LISTS = pa.list_(IMAGE)
PAIR = pa.struct([("mask", IMAGE), ("img", IMAGE)])


@pytest.mark.parametrize(
    ("columns", "kinds", "seeds", "said"),
    [
        # Masks and the like stand before the photos.
        ({"annotation": stored(D), "image": stored(A)}, "all", [0], "annotation can be asked for"),
        ({"image_mask": stored(D), "image": stored(A)}, "all", [0], "image_mask"),
        ({"mask": stored(D), "pixel_values": stored(A)}, "all", [0], "mask"),
        ({"depth": stored(D), "scene": stored(A)}, "all", [0], "depth"),
        ({"seg.png": stored(D), "jpg": stored(A), "__key__": ["1"]}, "all", [0], "seg.png"),
        ({"conditioning_image": stored(D), "image": stored(A)}, "all", [0], "conditioning_image"),
        ({"thumbnail": stored(D), "scan": stored(A)}, "all", [0], "thumbnail"),
        ({"mask": stored(D), "image": [A]}, {}, [0], "mask"),
        ({"hash": [b"1234"], "x": [A]}, {}, [0], "hash"),
        # All images of a row, wherever they are in it.
        ({"images": pa.array([[cell(0), cell(1)], [cell(2)]], LISTS)}, {}, [0, 1, 2], ""),
        ({"images": pa.array([[], [None, cell(1)]], LISTS)}, {}, [1], "2 entries, 2 empty"),
        ({"images": pa.array([[cell(0), cell(1)]], pa.list_(IMAGE, 2))}, {}, [0, 1], ""),
        ({"images": [[A, B]]}, {}, [0, 1], ""),
        ({"pages": [{"image": stored(A, B)}]}, {}, [0, 1], ""),
        ({"pages": [[{"image": cell(0), "mask": cell(3)}]]}, {}, [0], "pages.mask"),
        ({"sample": pa.array([{"mask": cell(3), "img": cell(0)}], PAIR)}, {}, [0], "sample.mask"),
        # Base64, bare or as a data address.
        ({"image": [base64.b64encode(A).decode()], "text": ["abcd"]}, {}, [0], ""),
        ({"x": ["data:image/png;base64," + base64.encodebytes(A).decode()]}, {}, [0], ""),
        ({"caption": ["abcd"], "mask": stored(D), "b64": [base64.b64encode(A)]}, {}, [], ""),
        # Rows without an image.
        ({"image": pa.array([None] * 150 + stored(A), IMAGE)}, {}, [0], "150 entries, 150 empty"),
        ({"image": pa.array([None], pa.null()), "scan": stored(A)}, {}, [0], ""),
        ({"image": stored(A, b"%PDF-1.4")}, {}, [0], "1 entry, 0 empty, 1 in no format"),
    ],
)
def test_the_photos_are_found_in_any_columns(
    hub: FakeHub, tmp_path: Path, columns: dict, kinds: object, seeds: list[int], said: str
) -> None:
    declared = dict.fromkeys(columns, "Image") if kinds == "all" else {}
    hub.add("me/data", {"train.parquet": parquet(columns, declared)})
    if not seeds:
        with pytest.raises(DatasetError, match="1 in no format that can be read"):
            fetched("me/data", tmp_path)
        return
    images, notes = fetched("me/data", tmp_path)
    assert images == [encoded(seed) for seed in seeds]
    assert said in notes
    assert bool(said) == bool(notes)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"image": ["images/1.jpg"]}, r"It has: image\. The column image holds only addresses"),
        ({"image_url": ["https://x/y"], "t": ["a"]}, r"image_url holds .* upload them\."),
        ({"image": pa.array([{"path": "https://x/y.jpg"}], IMAGE)}, "only refers to images"),
        ({"image_url": ["https://x/y"], "mask": stored(D)}, r"column mask, .* image_url holds"),
        ({"mask": stored(D)}, r"only images .* in the column mask, .* enter the column's name\."),
        ({"label": stored(D), "gt": stored(D)}, r"in the columns label, gt, "),
        ({"audio": stored(b"RIFF"), "t": ["a"]}, r"in the column audio, "),
    ],
)
def test_columns_without_photos_are_told_as_what_they_are(
    hub: FakeHub, tmp_path: Path, columns: dict, sentence: str
) -> None:
    hub.add("me/data", {"train.parquet": parquet(columns)})
    with pytest.raises(DatasetError, match=sentence):
        fetch_dataset(DatasetRequest("me/data"), tmp_path)


def test_masks_are_loaded_when_their_column_is_asked_for(hub: FakeHub, tmp_path: Path) -> None:
    columns = {"image": stored(A), "sample": pa.array([{"mask": cell(2), "img": cell(1)}], PAIR)}
    hub.add("me/data", {"train.parquet": parquet(columns)})
    for column, right in (("sample.mask", C), ("sample", B), ("image", A)):
        assert fetched("me/data", tmp_path, column=column) == ([right], "")


def test_all_images_of_a_row_count_towards_the_limit(hub: FakeHub, tmp_path: Path) -> None:
    rows = pa.array([[cell(0), cell(1), cell(2)], [cell(3)]], LISTS)
    hub.add("me/data", {"train.parquet": parquet({"images": rows})})
    files = fetch_dataset(DatasetRequest("me/data", limit=2), tmp_path)
    assert [file.name for file in files] == ["train-00000.png", "train-00000-2.png"]
    assert images_of(files) == [A, B]


def test_pictures_that_a_table_only_names_are_taken_from_the_repository(
    hub: FakeHub, tmp_path: Path
) -> None:
    rows = pa.array([{"path": "images/1.png"}], IMAGE)
    hub.add("me/data", {"train.parquet": parquet({"image": rows}), "images/1.png": A})
    assert fetched("me/data", tmp_path)[0] == [A]


@pytest.mark.parametrize(
    ("data_files", "seeds"),
    [
        ("x/{1,2}.png", [1, 2]),
        ("x/{1,{2,3}}.png", [1, 2, 3]),
        ("**.png", [0, 1, 2, 3]),
        ("x/", [1, 2, 3]),
        ("x/metadata.csv", [1, 2, 3]),
        ({"train": ["x/1.png"], "test": ["x/2.png"]}, [1]),
        ("./x/[12].png", [1, 2]),
    ],
)
def test_a_cards_patterns_pick_what_they_say(
    hub: FakeHub, tmp_path: Path, data_files: object, seeds: list[int]
) -> None:
    held = {"0.png": A, "x/metadata.csv": b""} | {f"x/{i}.png": encoded(i) for i in (1, 2, 3)}
    hub.add("me/data", held, {"configs": [{"config_name": "c", "data_files": data_files}]})
    assert fetched("me/data", tmp_path)[0] == [encoded(seed) for seed in seeds]


def test_a_configuration_that_only_the_copy_has_is_read_from_there(
    hub: FakeHub, tmp_path: Path
) -> None:
    held = {"p/a.parquet": table(0), "z/images.zip": b"PK"}
    configs = [{"config_name": "p", "data_files": "p/*"}, {"config_name": "z", "data_files": "z/*"}]
    copy = {"p/train/0.parquet": table(0), "z/train/0.parquet": table(1), "y/x/0.parquet": table(2)}
    hub.add("me/data", held, {"configs": configs}, copy=copy)
    assert fetched("me/data", tmp_path, config="z") == ([B], "")
    assert fetched("me/data", tmp_path, config="y") == ([C], "")
    assert fetched("me/data", tmp_path, config="P") == ([A], "")
    with pytest.raises(DatasetError, match=r"no configuration q\. It has: p, y, z\."):
        fetched("me/data", tmp_path, config="q")


def test_a_copy_that_is_kept_in_part_is_told(hub: FakeHub, tmp_path: Path) -> None:
    copy = {"default/partial-train/0000.parquet": table(0)}
    hub.add("me/data", {"x.tar": b""}, copy=copy)
    assert "only the first part" in fetched("me/data", tmp_path)[1]
    assert fetched("me/data", tmp_path, limit=1) == ([A], "")


@pytest.mark.parametrize("asked", ["validation", "Validation", "val", "dev"])
def test_a_split_is_found_by_its_usual_names(hub: FakeHub, tmp_path: Path, asked: str) -> None:
    hub.add("me/data", {"val.parquet": table(0), "train.parquet": table(1)})
    assert fetched("me/data", tmp_path, split=asked) == ([A], "")
    assert fetched("me/data", tmp_path) == (
        [B],
        "These are of the split train; the dataset also has validation.",
    )


@pytest.mark.parametrize(
    "name",
    [
        "https://huggingface.co/datasets/me/data",
        "http://www.huggingface.co/datasets/me/data/",
        "huggingface.co/datasets/me/data/tree/main/data",
        "https://hf.co/datasets/me/data?library=datasets#files",
        "datasets/me/data",
        "https://huggingface.co/datasets/me/data/viewer/default/train?row=3",
    ],
)
def test_the_address_of_a_datasets_page_is_its_name(
    hub: FakeHub, tmp_path: Path, name: str
) -> None:
    hub.add("me/data", {"train.parquet": table(0)})
    assert fetched(name, tmp_path)[0] == [A]


def test_a_page_that_shows_a_split_stands_for_that_split(hub: FakeHub, tmp_path: Path) -> None:
    hub.add("me/data", {"train.parquet": table(0), "test.parquet": table(1)})
    page = "https://huggingface.co/datasets/me/data/viewer/default/test"
    assert fetched(page, tmp_path) == ([B], "")
    assert fetched(page, tmp_path, split="train") == ([A], "")


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
        "http://127.0.0.1/datasets/me/data",
        "https://huggingface.co/me/data",
        "https://huggingface.co.evil.com/datasets/me/data",
        "https://huggingface.co/datasets/../../x",
        "https://huggingface.co/datasets/me/data/../../x",
        "datasets/" + "a/" * 500,
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
        *(DatasetRequest("me/data", limit=odd) for odd in (None, "3", [], float("nan"))),  # type: ignore[arg-type]
        *(DatasetRequest(odd) for odd in (None, 3, ["me/data"], {})),  # type: ignore[arg-type]
        *(
            DatasetRequest("me/data", **{what: odd})  # type: ignore[arg-type]
            for what in ("config", "split", "column")
            for odd in (None, 3, ["x"], {}, b"x")
        ),
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
        "from pointprompt.sources.hub.fetch import DatasetError, DatasetRequest, fetch_dataset\n"
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
