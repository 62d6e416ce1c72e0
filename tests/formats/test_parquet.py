import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pillow_heif
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, Features, load_dataset
from PIL import ExifTags, Image, ImageOps

from pointprompt.formats import parquet
from pointprompt.formats.archive import write_folder, write_zip
from pointprompt.formats.dataset_card import FEATURES
from pointprompt.formats.format import Options
from pointprompt.formats.labelled import Labelled
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import read
from tests.formats.made import labelled, some_masks, things

SIZES = [(24, 36), (30, 20), (5, 7)]
NAMES = ("cat", "wild | *dog*")
SHARD = "dataset/data/train-00000-of-00001.parquet"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what `datasets` reads stays."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))


def pixels(height: int, width: int, seed: int = 0) -> np.ndarray:
    """What JPEG has no trouble with."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 5, y * 5, x + y + seed * 20], -1).astype(np.uint8)


def saved(path: Path, image: np.ndarray, orientation: int = 1, **options: object) -> Path:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "A camera"
    Image.fromarray(image).save(path, exif=exif, **options)
    return path


def of_files(paths: list[Path], seed: int = 0, keeps_overlaps: bool = False) -> Labelled:
    """Two things in the photos of these files."""
    photos = [read(path, path.name, Framing(16))[0] for path in paths]
    masks = some_masks(2, [(one.height, one.width) for one in photos], seed)
    return labelled(masks, things(*NAMES), photos, keeps_overlaps)


def written(folder: Path, given: Labelled, options: Options | None = None) -> Path:
    folder.mkdir()
    write_folder(folder, given, ["parquet"], options=options or Options())
    return folder


def rows_of(folder: Path) -> Dataset:
    return load_dataset("parquet", data_files=str(folder / "dataset/data/*.parquet"), split="train")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A file of each kind that goes in as it is."""
    return [
        saved(tmp_path / "a.png", pixels(24, 36)),
        saved(tmp_path / "b.jpg", pixels(30, 20, 1), quality=80),
        saved(tmp_path / "c.webp", pixels(5, 7, 2), quality=50),
    ]


@pytest.mark.parametrize("keeps_overlaps", [False, True])
def test_datasets_reads_the_same_masks_and_the_same_photos(tmp_path, files, keeps_overlaps):
    given = of_files(files, keeps_overlaps=keeps_overlaps)
    rows = rows_of(written(tmp_path / "out", given))
    assert rows.features == Features.from_dict(FEATURES)
    assert len(rows) == len(files)
    for row, image in zip(rows, given, strict=True):
        assert (row["name"], row["height"], row["width"]) == (image.photo.name, *image.shape)
        assert np.array_equal(np.asarray(row["image"]), image.pixels)
        assert [thing["name"] for thing in row["things"]] == list(NAMES)
        assert [thing["color"] for thing in row["things"]] == ["#ff00ff", "#78ff00"]
        numbers = np.zeros(image.shape, np.uint8)
        for thing, told in enumerate(row["things"]):
            mask = np.asarray(told["mask"])
            assert mask.dtype == np.uint8
            assert np.array_equal(mask, image.mask(thing) * 255)
            assert told["pixels"] == image.counts[thing] == (mask > 0).sum()
            assert told["presence"] == pytest.approx(given.presence[thing, image.index])
            numbers[image.mask(thing) & (numbers == 0)] = thing + 1
        assert np.array_equal(np.asarray(row["indexed"]), numbers)
        assert row["indexed"].mode == "P"


def test_a_folder_is_a_data_set_with_a_card_that_says_the_same(tmp_path, files):
    folder = written(tmp_path / "out", of_files(files)) / "dataset"
    rows = load_dataset(str(folder))["train"]
    assert rows.features == Features.from_dict(FEATURES)
    assert rows.info.splits["train"].num_examples == 3
    assert rows[0]["image"].size == (36, 24)
    card = (folder / "README.md").read_text()
    assert "| 1 | cat | `#ff00ff` |" in card
    # Nothing of a name is Markdown's.
    assert "| 2 | wild &#124; &#42;dog&#42; | `#78ff00` |" in card


def test_the_files_of_photos_go_in_as_they_are(tmp_path, files):
    rows = rows_of(written(tmp_path / "out", of_files(files)))
    raw = rows.cast_column("image", rows.features["image"].__class__(decode=False))
    assert [row["image"]["bytes"] for row in raw] == [file.read_bytes() for file in files]
    assert [row["image"]["path"] for row in raw] == [file.name for file in files]


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("how", ["upright", "stored"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_turned_photo_lies_as_its_masks_do_for_every_reader(tmp_path, orientation, how, suffix):
    stored = pixels(24, 36)
    options = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    path = saved(tmp_path / f"a.{suffix}", stored, orientation, **options)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    expected = upright if how == "upright" else stored
    given = of_files([path])
    rows = rows_of(written(tmp_path / "out", given, Options(orientation=how)))
    row = rows[0]
    assert (row["height"], row["width"]) == expected.shape[:2]
    # `datasets` turns what its EXIF says; Pillow does not.
    raw = rows.cast_column("image", rows.features["image"].__class__(decode=False))[0]["image"]
    for seen in (row["image"], Image.open(io.BytesIO(raw["bytes"]))):
        np.testing.assert_allclose(np.asarray(seen).astype(int), expected, atol=6)
    assert raw["path"] == f"a.{suffix}"
    assert all(thing["mask"].size == row["image"].size for thing in row["things"])


def test_what_other_readers_would_show_otherwise_is_encoded_as_it_is_shown(tmp_path):
    grey = np.linspace(1000, 3000, 24 * 36).reshape(24, 36).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / "deep.png")
    pillow_heif.from_pillow(Image.fromarray(pixels(24, 36))).save(tmp_path / "phone.heic")
    whole = saved(tmp_path / "cut.jpg", pixels(200, 300), quality=95).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) * 3 // 4])
    Image.fromarray(pixels(24, 36)).save(tmp_path / "scan.tif")
    names = ["deep.png", "phone.heic", "cut.jpg", "scan.tif"]
    given = of_files([tmp_path / name for name in names])
    rows = rows_of(written(tmp_path / "out", given))
    paths = rows.cast_column("image", rows.features["image"].__class__(decode=False))["image"]
    assert [cell["path"] for cell in paths] == ["deep.png", "phone.jpg", "cut.jpg", "scan.png"]
    for row, image in zip(rows, given, strict=True):
        assert row["image"].mode == "RGB"
        assert np.abs(np.asarray(row["image"]).astype(int) - image.pixels).mean() < 2
    assert rows["name"][:] == names


def test_photos_without_a_file_are_png(tmp_path):
    given = labelled(some_masks(1, SIZES), things("cat"))
    rows = rows_of(written(tmp_path / "out", given))
    for row, image in zip(rows, given, strict=True):
        assert np.array_equal(np.asarray(row["image"]), image.pixels)


def test_a_photo_that_is_gone_has_no_row_and_is_listed(tmp_path, files):
    given = of_files(files)
    files[1].unlink()
    folder = written(tmp_path / "out", given)
    assert rows_of(folder)["name"][:] == ["a.png", "c.webp"]
    document = json.loads((folder / "prompt.json").read_text())
    assert [one["image"] for one in document["problems"]] == ["b.jpg"]
    assert document["problems"][0]["problem"].startswith("No row in the data set: ")
    assert "num_examples: 2" in (folder / "dataset/README.md").read_text()


def test_without_any_photo_there_is_a_data_set_of_no_rows(tmp_path, files):
    given = of_files(files)
    for file in files:
        file.unlink()
    table = pq.read_table(written(tmp_path / "out", given) / SHARD)
    assert (table.num_rows, table.column_names) == (0, list(FEATURES))


def test_large_sets_are_several_files(tmp_path, files, monkeypatch):
    monkeypatch.setattr(parquet, "_SHARD_BYTES", 1)
    folder = written(tmp_path / "out", of_files(files))
    names = sorted(path.name for path in (folder / "dataset/data").iterdir())
    assert names == [f"train-{number:05d}-of-00003.parquet" for number in range(3)]
    assert load_dataset(str(folder / "dataset"))["train"]["name"][:] == ["a.png", "b.jpg", "c.webp"]


def test_an_archive_holds_the_same_files(tmp_path, files):
    given = of_files(files)
    folder = written(tmp_path / "out", given)
    write_zip(tmp_path / "all.zip", given, ["parquet"])
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist()[:2] == [SHARD, "dataset/README.md"]
        for name in archive.namelist():
            assert archive.read(name) == (folder / name).read_bytes()


def test_what_is_written_beside_an_archive_is_gone_when_it_fails(tmp_path, files, monkeypatch):
    shards = []

    class Shard(parquet._Shard):
        def __init__(self) -> None:
            super().__init__()
            shards.append(self)

    def stop(_: object) -> None:
        if shards:
            raise InterruptedError

    monkeypatch.setattr(parquet, "_Shard", Shard)
    with pytest.raises(InterruptedError):
        write_zip(tmp_path / "all.zip", of_files(files), ["parquet"], progress=stop)
    assert [shard._file.closed for shard in shards] == [True]


def test_a_side_too_long_for_jpeg_is_a_png(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "JPEG_MAX_SIDE", 30)
    given = of_files([saved(tmp_path / "a.jpg", pixels(24, 36), 3)])
    rows = rows_of(written(tmp_path / "out", given))
    assert rows[0]["image"].format == "PNG"
