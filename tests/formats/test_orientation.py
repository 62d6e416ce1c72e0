from dataclasses import replace

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from pointprompt.formats.format import Options
from pointprompt.formats.labelled import Labelled, LabelledImage
from pointprompt.formats.orientation import as_stored
from pointprompt.formats.registry import FORMATS
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import read
from tests.formats.made import (
    document,
    labelled,
    members,
    opened,
    photo,
    some_masks,
    things,
    turned_as_stored,
)

SIZE = (24, 36)
EIGHT = range(1, 9)
STORED = Options(orientation="stored")


def _pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("orientation", EIGHT)
@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 3)])
def test_what_pillow_turns_upright_is_turned_back(orientation, shape):
    stored = _pixels(*shape)
    image = Image.fromarray(stored)
    image.getexif()[ExifTags.Base.Orientation] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(as_stored(upright, orientation), stored)


@pytest.mark.parametrize("orientation", EIGHT)
def test_an_image_as_it_is_stored_has_the_pixels_of_its_file_and_its_masks_lie_on_them(
    tmp_path, orientation
):
    stored, path = _pixels(*SIZE, 3), tmp_path / "a.png"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(stored).save(path, exif=exif)
    turned, _ = read(path, "a.png", Framing(16))
    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    # What is bright is the thing, so that the mask can be told from the pixels.
    given = labelled([[upright[..., 0] > 127]], photos=[turned])
    image = LabelledImage(given, 0, "stored")
    assert image.shape == SIZE
    assert np.array_equal(image.pixels, stored)
    assert np.array_equal(image.mask(0), stored[..., 0] > 127)
    assert np.array_equal(image.upright_mask(0), upright[..., 0] > 127)
    (image,) = given
    assert image.shape == image.upright_shape == upright.shape[:2]
    assert np.array_equal(image.pixels, upright)


def _turned(given: Labelled, orientation: int) -> Labelled:
    """The same, of upright files that store what files of this orientation do."""
    return replace(
        given,
        photos=[
            photo(one.name, *size, turned_as_stored(one.source, orientation))
            for one in given.photos
            for size in [as_stored(one.source, orientation).shape[:2]]
        ],
        masks=[[turned_as_stored(mask, orientation) for mask in of] for of in given.masks],
        heatmaps=np.stack([[as_stored(one, orientation) for one in of] for of in given.heatmaps]),
    )


@pytest.mark.parametrize("orientation", EIGHT)
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "sheet"])
def test_a_format_as_stored_is_what_it_is_of_files_that_are_stored_so_and_upright(
    name, orientation
):
    given = labelled(
        some_masks(2, [SIZE]),
        things("cat", "dog"),
        [photo("a.png", *SIZE, _pixels(*SIZE, 3), orientation)],
    )
    found = members(given, [name], STORED)
    expected = members(_turned(given, orientation), [name])
    del found["prompt.json"], expected["prompt.json"]
    assert list(found) == list(expected)
    for file, data in expected.items():
        if name == "heatmaps":
            # Interpolated the other way round, which rounds otherwise.
            assert np.abs(opened(found[file]).astype(int) - opened(data)).max() <= 1
        else:
            assert found[file] == data


def test_the_sheet_is_upright_in_any_case():
    photos = [photo("a.png", *SIZE, _pixels(*SIZE, 3), 6)]
    given = labelled(some_masks(1, [SIZE]), photos=photos)
    stored, upright = members(given, ["sheet"], STORED), members(given, ["sheet"])
    assert stored["sheet.jpg"] == upright["sheet.jpg"]


def test_prompt_json_says_how_masks_lie_and_how_each_file_is_turned():
    photos = [photo("a.png", *SIZE, orientation=6), photo("b.png", 4, 5)]
    given = labelled([[np.ones(SIZE, bool), np.ones((4, 5), bool)]], photos=photos)
    assert document(given)["orientation"] == "upright"
    told = document(given, options=STORED)
    assert told["orientation"] == "stored"
    # Of the upright images, on which the clicks are.
    sizes = [(one["height"], one["width"], one["exif_orientation"]) for one in told["images"]]
    assert sizes == [(*SIZE, 6), (4, 5, 1)]


def test_there_is_no_third_orientation():
    with pytest.raises(ValueError, match="one of upright, stored, not 'sideways'"):
        Options(orientation="sideways")
