"""Images of a data set come in their order, those that are done without being read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointprompt.cli.images import Image, Streamed, first_of, in_folder
from pointprompt.sources.dataset_rows import DatasetAsked, Row, open_rows
from pointprompt.sources.photos import ImageError
from tests.fake_hub import encoded, parquet, stored

IMAGES = [encoded(index) for index in range(5)]


class Rows:
    """Three parts of so many rows; notes what is read."""

    parts, revision = 3, "1"

    def __init__(self, counts: tuple[int, ...] = (2, 0, 3)) -> None:
        self.counts = counts
        self.read_from: list[tuple[int, int]] = []

    def read(self, part: int = 0, skip: int = 0) -> Iterator[Row]:
        self.read_from.append((part, skip))
        for number in range(skip, self.counts[part]):
            yield Row(f"{part}/é {number}.jpg", IMAGES[number])


def streamed(rows: Any, state: Path, done: set[str]) -> Streamed:
    return Streamed(rows, state, lambda image: image.shown in done)


def test_every_image_has_a_name_of_its_own_by_its_place(tmp_path: Path):
    images = list(streamed(Rows(), tmp_path, set()))
    assert [image.shown for image in images] == [
        "row-000-000000",
        "row-000-000001",
        "row-002-000000",
        "row-002-000001",
        "row-002-000002",
    ]
    # The photo is a PNG whatever it is called.
    assert images[1].name == "row-000-000001-é 1.png"
    assert images[1].row == Row("0/é 1.jpg", IMAGES[1])


def test_what_is_done_is_not_read_again(tmp_path: Path):
    done = {image.shown for image in streamed(Rows(), tmp_path, set())}
    again = Rows()
    assert all(image.row is None for image in streamed(again, tmp_path, done))
    assert again.read_from == []
    done.remove("row-002-000001")
    images = list(streamed(again, tmp_path, done))
    assert again.read_from == [(2, 1)]
    assert [image.shown for image in images if image.row] == ["row-002-000001"]


def test_a_part_that_was_not_read_to_its_end_goes_on_where_it_was(tmp_path: Path):
    rows = Rows()
    images = iter(streamed(rows, tmp_path, set()))
    seen = [next(images).shown for _ in range(3)]
    images.close()
    again = Rows()
    rest = [image.shown for image in streamed(again, tmp_path, set(seen)) if image.row]
    assert rest == ["row-002-000001", "row-002-000002"]
    assert again.read_from == [(2, 1)]


def test_once_all_are_read_they_are_told_again_without_reading(tmp_path: Path):
    images = streamed(Rows(), tmp_path, set())
    before = [image.shown for image in images]
    assert [image.shown for image in images.again()] == before


def test_the_first_images_of_a_data_set_are_a_set(tmp_path: Path):
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet({"image": stored(*IMAGES, None)}, {"image": "Image"}))
    rows = open_rows(DatasetAsked(str(path)))
    found = first_of(rows, 2)
    assert [image.name for image in found] == ["row-000000-0.png", "row-000001-1.png"]
    with pytest.raises(ImageError, match="row-000005: "):
        first_of(rows, 6)


def test_files_of_a_folder_have_a_key_and_a_name(tmp_path: Path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.png").write_bytes(IMAGES[0])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "c.png").write_bytes(IMAGES[0])
    (image,) = in_folder(tmp_path, tmp_path / "out")
    assert image == Image(tmp_path / "b" / "a.png", image.key, "b/a.png", "b-a.png")
