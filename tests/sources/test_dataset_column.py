"""Image columns of the real `datasets` package, from cells to an analysis."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset, Features, Image, IterableDataset, List, Value
from PIL import Image as Pictures

from pointprompt.pipeline import analyze
from pointprompt.sources.dataset_column import as_stored
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import ImageError, Limits, read_pixels, read_set

TURNED = 6


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three JPEGs, of which the camera was held upright for the last."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    paths = [folder / f"photo-{number}.jpg" for number in range(3)]
    for path in paths:
        pixels = rng.integers(0, 256, (6, 8, 3), np.uint8)
        exif = Pictures.Exif()
        exif[0x0112] = TURNED if path == paths[-1] else 1
        large = Pictures.fromarray(pixels).resize((160, 120), Pictures.Resampling.NEAREST)
        large.save(path, quality=95, exif=exif)
    return paths


@pytest.fixture(scope="module")
def dataset(files: list[Path]) -> Dataset:
    """The files' bytes, as a data set from the Hub holds them."""
    cells = [{"bytes": path.read_bytes(), "path": path.name} for path in files]
    return Dataset.from_dict({"image": cells}, features=Features({"image": Image()}))


def undecoded(dataset: Dataset | IterableDataset) -> Dataset | IterableDataset:
    return dataset.cast_column("image", Image(decode=False))


def test_a_column_gives_the_files_that_it_was_made_of(dataset: Dataset, files: list[Path]) -> None:
    cells = list(as_stored(dataset["image"]))
    assert [cell["bytes"] for cell in cells] == [path.read_bytes() for path in files]


def test_cells_are_read_as_files_are_under_their_names(dataset: Dataset, files: list[Path]) -> None:
    found = read_set(list(undecoded(dataset)["image"]), Framing(16))
    expected = read_set(files, Framing(16))
    np.testing.assert_array_equal(found.frames, expected.frames)
    assert [photo.name for photo in found.photos] == [path.name for path in files]
    assert [photo.width for photo in found.photos] == [160, 160, 120]
    for photo, path in zip(found.photos, files, strict=True):
        assert photo.source == path.read_bytes()
        np.testing.assert_array_equal(read_pixels(photo.source), read_pixels(path))


def test_a_cell_that_only_names_a_file_is_that_file(files: list[Path]) -> None:
    on_disk = Dataset.from_dict(
        {"image": [str(path) for path in files]}, features=Features({"image": Image()})
    )
    cells = list(as_stored(on_disk["image"]))
    assert [cell["bytes"] for cell in cells] == [None, None, None]
    found = read_set(cells, Framing(16))
    assert [photo.source for photo in found.photos] == files


@pytest.mark.parametrize("cell", [{"bytes": None, "path": None}, {"bytes": b"", "path": ""}, {}])
def test_an_empty_cell_is_no_image(cell: dict) -> None:
    with pytest.raises(ImageError, match="cell is empty"):
        read_pixels(cell)


def test_bytes_that_are_no_image_are_refused() -> None:
    with pytest.raises(ImageError):
        read_pixels(b"no image")


def test_a_row_without_an_image_is_refused_by_its_place(dataset: Dataset) -> None:
    found = read_set([dataset["image"][0], None], Framing(16))  # type: ignore[list-item]
    assert [rejected.name for rejected in found.rejected] == ["image-002.png"]


def test_a_transformed_column_gives_what_the_transform_makes(dataset: Dataset) -> None:
    def shrunk(rows: dict) -> dict:
        return {"image": [image.resize((10, 10)) for image in rows["image"]]}

    images = list(as_stored(dataset.with_transform(shrunk)["image"]))
    assert [image.size for image in images] == [(10, 10)] * 3


def test_what_is_no_column_of_images_is_left_as_it_is(dataset: Dataset, files: list[Path]) -> None:
    texts = Dataset.from_dict({"image": ["a"]}, features=Features({"image": Value("string")}))
    several = Dataset.from_dict({"image": [[]]}, features=Features({"image": List(Image())}))
    for images in (files, dataset.to_iterable_dataset()["image"], texts["image"], several["image"]):
        assert as_stored(images) is images


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("is_decoded", [False, True])
def test_a_column_is_analysed_as_its_files_are(
    dataset: Dataset, files: list[Path], is_streamed: bool, is_decoded: bool
) -> None:
    rows = dataset if is_decoded else undecoded(dataset)
    rows = rows.to_iterable_dataset() if is_streamed else rows
    found = analyze(rows["image"], backbone="efficientnet_lite0", device="cpu", n_eigvecs=4)
    expected = analyze(files, backbone="efficientnet_lite0", device="cpu", n_eigvecs=4)
    np.testing.assert_array_equal(found.eigvecs, expected.eigvecs)
    assert [p.width for p in found.photos] == [p.width for p in expected.photos]


def test_a_stream_without_end_is_refused_once_the_set_is_full(files: list[Path]) -> None:
    taken = []

    def rows() -> Iterator[dict]:
        while True:
            taken.append(1)
            yield {"image": {"bytes": files[0].read_bytes(), "path": None}}

    endless = IterableDataset.from_generator(rows)["image"]
    with pytest.raises(ImageError, match="room for only 2 of the images"):
        analyze(endless, backbone="efficientnet_lite0", device="cpu", limits=Limits(max_images=2))
    assert len(taken) < 10


def test_files_are_read_without_importing_datasets() -> None:
    program = (
        "import sys, pointprompt, pointprompt.pipeline\n"
        "from pointprompt.sources.dataset_column import as_stored\n"
        "as_stored(['a.jpg'])\n"
        "print('datasets' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"
