"""Datasets of any layout, made with a known right answer: which images must come, and no others."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointprompt.sources.hub.fetch import DatasetError, DatasetRequest, fetch_dataset
from tests.fake_hub import FakeHub, encoded, hub, parquet

__all__ = ["hub"]

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
# Each distinct, made once.
PHOTOS = [encoded(seed, size=6) for seed in range(24)]
MASKS = [encoded(seed, size=5) for seed in range(100, 124)]
TEASER = encoded(999, size=4)

PHOTO_COLUMNS = ["image", "img", "photo", "pixel_values", "jpg", "scan", "my_picture"]
MASK_COLUMNS = ["mask", "annotation", "label", "segmentation", "image_mask", "depth_map", "seg.png"]
SPLITS = ["train", "validation", "test"]


@dataclass
class Layout:
    """A repository, and the photos of each of its splits in order; none where it has none."""

    files: dict[str, bytes]
    photos: dict[str, list[bytes]]
    copy: dict[str, bytes] | None = None
    card: dict = field(default_factory=dict)


def stored(data: bytes | None, index: int) -> dict:
    return {"bytes": data, "path": f"{index}.png"}


@st.composite
def splits_of_photos(draw: st.DrawFn) -> dict[str, list[int]]:
    """Which photos, by number, each split holds."""
    names = draw(st.lists(st.sampled_from(SPLITS), min_size=1, max_size=3, unique=True))
    counts = [draw(st.integers(1, 5)) for _ in names]
    taken = iter(range(len(PHOTOS)))
    return {name: [next(taken) for _ in range(n)] for name, n in zip(names, counts, strict=True)}


def photo_cells(draw: st.DrawFn, numbers: list[int]) -> tuple[list, pa.DataType]:
    """The rows of a column that holds these photos in one of the usual ways."""
    images = [stored(PHOTOS[n], n) for n in numbers]
    form = draw(st.sampled_from(["image", "bytes", "list", "lists of one", "struct", "with gaps"]))
    if form == "bytes":
        return [PHOTOS[n] for n in numbers], pa.binary()
    if form == "list":
        cut = draw(st.integers(0, len(images)))
        return [images[:cut], images[cut:]], pa.list_(IMAGE)
    if form == "lists of one":
        return [[image] for image in images], pa.large_list(IMAGE)
    if form == "struct":
        kind = pa.struct([("mask", IMAGE), ("img", IMAGE)])
        rows = [{"mask": stored(MASKS[i], i), "img": image} for i, image in enumerate(images)]
        return rows, kind
    if form == "with gaps":
        return [None, *images, stored(b"no image", 0)], IMAGE
    return images, IMAGE


def table(draw: st.DrawFn, numbers: list[int], photo: str, masks: list[str]) -> bytes:
    rows, kind = photo_cells(draw, numbers)
    columns = {photo: pa.array(rows, kind), "caption": [f"a photo {i}" for i in range(len(rows))]}
    for mask in masks:
        columns[mask] = pa.array([stored(MASKS[i], i) for i in range(len(rows))], IMAGE)
    order = draw(st.permutations(list(columns)))
    declared = draw(st.booleans())
    kinds = {name: "Image" for name in order if declared and columns[name] is not None
             and name != "caption" and getattr(columns[name], "type", None) == IMAGE}  # fmt: skip
    return parquet({name: columns[name] for name in order}, kinds, rows_a_group=3)


def tables(draw: st.DrawFn, splits: dict[str, list[int]], path: str) -> dict[str, bytes]:
    photo = draw(st.sampled_from(PHOTO_COLUMNS))
    masks = draw(st.lists(st.sampled_from(MASK_COLUMNS), max_size=2, unique=True))
    return {
        path.format(split=split): table(draw, numbers, photo, masks)
        for split, numbers in splits.items()
    }


def beside(draw: st.DrawFn) -> dict[str, bytes]:
    """What lies around in any repository."""
    known = {
        "README.md": b"# Card",
        ".gitattributes": b"",
        "assets/teaser.png": TEASER,
        "teaser.png": TEASER,
        "docs/figure_1.jpg": TEASER,
        ".hidden/x.png": TEASER,
        "__MACOSX/._1.png": b"junk",
        "LICENSE": b"",
        "load.py": b"import this",
    }
    names = draw(st.lists(st.sampled_from(sorted(known)), unique=True))
    return {name: known[name] for name in names}


def right(splits: dict[str, list[int]]) -> dict[str, list[bytes]]:
    return {split: [PHOTOS[n] for n in numbers] for split, numbers in splits.items()}


@st.composite
def in_parquet(draw: st.DrawFn) -> Layout:
    splits = draw(splits_of_photos())
    path = draw(
        st.sampled_from(
            ["data/{split}-00000-of-00001.parquet", "{split}.parquet", "{split}/0000.parquet",
             "x/{split}-01.parquet", "data/{split}_set.PARQUET"]
        )
    )  # fmt: skip
    files = tables(draw, splits, path) | beside(draw)
    if draw(st.booleans()):
        files["metadata.parquet"] = parquet({"file_name": ["x"], "label": [1]})
    return Layout(files, right(splits))


@st.composite
def in_folders(draw: st.DrawFn) -> Layout:
    splits = draw(splits_of_photos())
    split_folder = draw(st.sampled_from(["{}", "data/{}", "{}_images", "images/{}", "{}2017"]))
    deeper = draw(st.sampled_from(["", "cat/", "a photo of a train/", "crash test/"]))
    stem = draw(st.sampled_from(["{}", "img_{}", "photo of a train {}", "crash_test_dummy{}"]))
    suffix = draw(st.sampled_from([".png", ".PNG", ".jpg", ".jpe", ".jfif"]))
    files, folders = {}, {split: split_folder.format(split) for split in splits}
    for split, numbers in splits.items():
        for n in numbers:
            files[f"{folders[split]}/{deeper}{stem.format(n)}{suffix}"] = PHOTOS[n]
    masks = draw(st.sampled_from(["", "masks/{}/", "annotations/{}/", "{}_masks/"]))
    if masks:
        for split, numbers in splits.items():
            for n in numbers:
                files[f"{masks.format(split)}{deeper}{stem.format(n)}.png"] = MASKS[n]
    described = draw(
        st.sampled_from([None, "metadata.csv", "metadata.jsonl", "metadata.parquet", "coco.json",
                         "captions.parquet"])
    )  # fmt: skip
    if described:
        folder = next(iter(folders.values()))
        files[f"{folder}/{described}"] = parquet({"file_name": ["1.png"], "text": ["x"]})
    return Layout(files | beside(draw), right(splits))


@st.composite
def in_one_folder(draw: st.DrawFn) -> Layout:
    numbers = draw(st.lists(st.integers(0, 23), min_size=2, max_size=6, unique=True))
    names = ["{}.png", "{} a train.png", "{} crash test.png", "{}_val.jpg", "{} eval me.png"]
    chosen = [draw(st.sampled_from(names)) for _ in numbers[1:]]
    folder = draw(st.sampled_from(["", "images/", "photos/raw/"]))
    files = {
        folder + name.format(n): PHOTOS[n]
        for n, name in zip(numbers, ["{}.png", *chosen], strict=True)
    }
    ordered = sorted(numbers)
    return Layout(files | beside(draw), {"train": [PHOTOS[n] for n in ordered]})


@st.composite
def in_archives(draw: st.DrawFn) -> Layout:
    splits = draw(splits_of_photos())
    kind = draw(st.sampled_from(["{}.zip", "{}-000.tar", "data/{}.tar.gz", "{}.arrow"]))
    files = {kind.format(split): b"PK" for split in splits} | beside(draw)
    if not draw(st.booleans()):
        return Layout(files, {})
    config = draw(st.sampled_from(["default", "v1"]))
    copy = tables(draw, splits, config + "/{split}/0000.parquet")
    return Layout(files, right(splits), copy)


@st.composite
def by_a_card(draw: st.DrawFn) -> Layout:
    splits = draw(splits_of_photos())
    files, entries = {}, []
    as_tables = draw(st.booleans())
    for index, (split, numbers) in enumerate(splits.items()):
        if as_tables:
            files |= tables(draw, {split: numbers}, f"part{index}/x.parquet")
            paths = [f"part{index}/*", f"part{index}/*.parquet", f"part{{{index},9}}/x.parquet"]
        else:
            files |= {f"part{index}/{n}.png": PHOTOS[n] for n in numbers}
            files[f"part{index}/metadata.csv"] = b""
            paths = [f"part{index}/**", f"part{index}/*.png", f"part{index}/metadata.csv",
                     f"./part{index}/"]  # fmt: skip
        entries.append({"split": split, "path": draw(st.sampled_from(paths))})
    card = {"configs": [{"config_name": "mine", "data_files": entries}]}
    return Layout(files | beside(draw), right(splits), card=card)


LAYOUTS = st.one_of(in_parquet(), in_folders(), in_one_folder(), in_archives(), by_a_card())


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(LAYOUTS, st.data())
def test_the_right_images_come_or_a_sentence(
    hub: FakeHub, layout: Layout, data: st.DataObject
) -> None:
    hub.datasets.clear()
    hub.files.clear()
    hub.add("me/any", layout.files, layout.card, layout.copy)
    split = data.draw(st.sampled_from(["", *layout.photos]))
    limit = data.draw(st.integers(1, 8))
    notes: list[str] = []

    def fetch() -> list[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            request = DatasetRequest("me/any", split=split, limit=limit)
            files = fetch_dataset(request, Path(folder), note=notes.append)
            return [file.read_bytes() for file in files]

    chosen = split or ("train" if "train" in layout.photos else "")
    if len(layout.photos) == 1:
        chosen = next(iter(layout.photos))
    if not layout.photos or not chosen:
        # Nothing that can be read, or more than one split and none that is asked for.
        with pytest.raises(DatasetError, match=r"(?:upload|Choose one of).*\.$"):
            fetch()
        return
    assert fetch() == layout.photos[chosen][:limit]
    for other in set(layout.photos) - {chosen}:
        assert split or other in " ".join(notes)
