import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pointprompt.formats.labelme import LabelMe
from pointprompt.grid import regions
from tests.formats.made import files_of, iou, labelled, photo, some_masks, things, with_thin_parts


def _read(given):
    return {name: json.loads(data) for name, data in files_of(LabelMe, given).items()}


def _mask(document, label):
    """The mask of a label by LabelMe's rule: each polygon filled and outlined, and joined."""
    size = document["imageWidth"], document["imageHeight"]
    joined = np.zeros(size[::-1], bool)
    for shape in document["shapes"]:
        if shape["label"] == label:
            assert shape["shape_type"] == "polygon"
            assert len(shape["points"]) > 2
            filled = Image.new("1", size)
            points = [tuple(point) for point in shape["points"]]
            ImageDraw.Draw(filled).polygon(points, outline=1, fill=1)
            joined |= np.asarray(filled)
    return joined


def test_polygons_are_filled_to_the_same_masks():
    given = labelled(some_masks(2, [(40, 60), (33, 8), (1, 1)]), things("cat", "dog"))
    read = list(_read(given).values())
    for image, document in zip(given, read, strict=True):
        for thing, label in enumerate(("cat", "dog")):
            assert np.array_equal(_mask(document, label), image.mask(thing))


@pytest.mark.parametrize("size", [(7, 9), (45, 30), (300, 400), (3000, 4000)], ids=str)
def test_holes_and_thin_parts_are_read_again(size):
    mask = with_thin_parts(*size)
    (document,) = _read(labelled([[mask]])).values()
    assert iou(_mask(document, "thing 0"), mask) >= 0.98


def test_regions_of_a_thing_are_a_group_and_one_region_is_none():
    two = np.zeros((5, 9), bool)
    two[1, 1] = two[3, 5] = True
    one = ~two
    (document,) = _read(labelled([[two], [one]], things("two", "one"))).values()
    assert [shape["group_id"] for shape in document["shapes"]] == [0, 0, None]
    assert regions(two)[1] == 2


def test_a_file_names_its_photo_and_holds_no_pixels():
    photos = [photo("schöner Hund.jpeg", 4, 5)]
    (entry,) = _read(labelled([[np.zeros((4, 5), bool)]], things('"手"'), photos)).items()
    name, document = entry
    assert name == "labelme/schöner Hund.json"
    assert document == {
        "version": "5.5.0",
        "flags": {},
        "shapes": [],
        "imagePath": "schöner Hund.jpeg",
        "imageData": None,
        "imageHeight": 4,
        "imageWidth": 5,
    }
