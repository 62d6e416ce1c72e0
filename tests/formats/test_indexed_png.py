import io
import json

import numpy as np
import pytest
from PIL import Image

from pointprompt.formats.indexed_png import IndexedPng
from tests.formats.made import files_of, labelled, opened, some_masks, things

SIZES = [(6, 9), (33, 7), (1, 1)]


@pytest.mark.parametrize("keeps_overlaps", [False, True])
def test_a_pixel_is_the_number_of_the_first_thing_that_has_it(keeps_overlaps):
    first, second = masks = some_masks(2, SIZES)
    files = files_of(IndexedPng, labelled(masks, keeps_overlaps=keeps_overlaps))
    for index in range(len(SIZES)):
        numbers = opened(files[f"indexed/image {index}.png"])
        assert np.array_equal(numbers == 1, first[index])
        assert np.array_equal(numbers == 2, second[index] & ~first[index])


def test_the_palette_has_the_colours_of_things():
    mask = np.array([[True, False]])
    given = labelled([[mask], [~mask]], things("cat", "dog"))
    image = Image.open(io.BytesIO(files_of(IndexedPng, given)["indexed/image 0.png"]))
    assert (image.format, image.mode) == ("PNG", "P")
    shown = np.asarray(image.convert("RGB"))
    assert shown.tolist() == [[list(thing.color) for thing in given.things]]


def test_files_have_eight_bits_a_pixel():
    (data, *_) = files_of(IndexedPng, labelled(some_masks(1, [(4, 4)]))).values()
    assert data[24] == 8


def test_a_legend_says_what_the_numbers_are():
    files = files_of(IndexedPng, labelled(some_masks(2, SIZES), things("cat", '"手"')))
    assert json.loads(files["indexed/legend.json"]) == [
        {"index": 0, "name": "background", "color": [0, 0, 0]},
        {"index": 1, "name": "cat", "color": [255, 0, 255]},
        {"index": 2, "name": '"手"', "color": [120, 255, 0]},
    ]
    assert files["indexed/legend.txt"].decode() == '0\tbackground\n1\tcat\n2\t"手"\n'
