from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointprompt.sources.hub.layout import Contents, contents_of
from pointprompt.sources.hub.names import split_called, words_in
from pointprompt.sources.hub.remote import DatasetError


def only(files: list[str], card: dict | None = None) -> Contents:
    (contents,) = contents_of(files, card or {}).values()
    return contents


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SegmentationClass_2", ["segmentation", "class"]),
        ("gtFine", ["gt", "fine"]),
        ("trainA", ["train", "a"]),
        ("TRAIN-01.of.02", ["train", "of"]),
        ("photo of a train", ["photo", "of", "a", "train"]),
        ("2017", []),
    ],
)
def test_the_words_of_a_name_are_found(name: str, words: list[str]) -> None:
    assert words_in(name) == words


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (["data/train-00000-of-00001.parquet"], {"train"}),
        (["data/my_own-00000-of-00001.parquet", "data/train-00000-of-00001.parquet"],
         {"my_own", "train"}),
        (["deep/down/test-00000-of-00002.parquet"], {"test"}),
        (["train/0.parquet", "dev/0.parquet"], {"train", "validation"}),
        (["a.parquet", "test.parquet"], {"train", "test"}),
        (["cats-train.parquet", "cats-test.parquet"], {"train", "test"}),
        (["crash_test_dummy.parquet", "calm.parquet"], {"train"}),
    ],
)  # fmt: skip
def test_parquet_files_are_in_the_split_that_their_names_tell(
    files: list[str], splits: set[str]
) -> None:
    found = only(files)
    assert set(found.parquet) == splits
    assert sorted(f for split in found.parquet.values() for f in split) == sorted(files)
    assert found.left_out == ()


def test_every_picture_is_in_a_split_or_told_as_left_out() -> None:
    files = ["train/1.png", "test/1.png", "x/1.png", "train/masks/1.png", "docs/a.png"]
    found = only(files)
    assert found.pictures == {"train": ("train/1.png",), "test": ("test/1.png",)}
    assert sorted(found.left_out) == ["docs/a.png", "train/masks/1.png", "x/1.png"]


# fmt: off
SEGMENTS = st.sampled_from([
    "train", "test", "val", "images", "masks", "labels", "docs", "assets", "cat", "1", "2", "10",
    "crash_test", "no_mask", "gtFine", "teaser", "photo.of.a.train", "1_mask", "ä",
    "SegmentationClass", "data-00000-of-00001",
])
# fmt: on
NAMES = st.builds(
    lambda folders, stem, suffix: "/".join([*folders, stem + suffix]),
    st.lists(SEGMENTS, max_size=3),
    SEGMENTS,
    st.sampled_from([".png", ".JPG", ".parquet", ".zip", ".json", ".md"]),
)


@given(st.lists(NAMES, max_size=12, unique=True))
def test_no_picture_and_no_table_is_lost_without_a_word(files: list[str]) -> None:
    found = only(files)
    in_splits = [
        file for splits in (found.parquet, found.pictures) for split in splits.values()
        for file in split
    ]  # fmt: skip
    known = [*in_splits, *found.left_out]
    assert len(known) == len(set(known))
    pictures = {f for f in files if f.endswith((".png", ".JPG"))}
    assert pictures == {f for f in known if f.endswith((".png", ".JPG"))}
    assert bool(pictures) == bool(found.pictures)
    # Tables that are called labels or the like count only where there is no other.
    tables = {f for f in files if f.endswith(".parquet")}
    assert {f for f in tables if "labels.parquet" not in f} <= set(known)
    assert bool(tables) == bool(found.parquet)


@given(st.lists(st.integers(0, 10**30), unique=True, max_size=8))
def test_numbered_files_come_in_the_order_of_their_numbers(numbers: list[int]) -> None:
    found = only([f"train/{number}.png" for number in numbers])
    ordered = tuple(f"train/{number}.png" for number in sorted(numbers))
    assert found.pictures.get("train", ()) == ordered


def test_alternatives_in_braces_are_bounded() -> None:
    pattern = "{a,b}" * 60 + ".png"
    card = {"configs": [{"data_files": pattern}]}
    assert only(["a" * 60 + ".png"], card).archives == ()


def test_a_card_that_would_take_minutes_to_look_through_is_refused() -> None:
    files = [f"x/{i}.png" for i in range(60_000)]
    entries = [{"split": f"s{i}", "path": f"y/{i}*.png"} for i in range(150)]
    with pytest.raises(DatasetError, match="more files than are looked through"):
        contents_of(files, {"configs": [{"data_files": entries}]})


def test_deep_folders_and_many_stars_take_no_time() -> None:
    deep = "/".join(["a"] * 2000) + "/x.png"
    pattern = "/".join(["**", "a"] * 200) + "/y.png"
    started = time.monotonic()
    assert not only([deep], {"configs": [{"data_files": pattern}]}).readable
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("asked", "split"), [("dev", "validation"), ("Training", "train"), ("odd", "odd")]
)
def test_a_split_has_a_usual_name(asked: str, split: str) -> None:
    assert split_called(asked) == split
