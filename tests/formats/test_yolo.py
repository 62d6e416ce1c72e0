import io

import numpy as np
import pytest
import supervision
import yaml
from PIL import Image
from supervision.detection.utils.converters import polygon_to_mask

from pointprompt.formats.yolo import Yolo
from tests.formats.made import files_of, iou, labelled, photo, some_masks, things, with_thin_parts


def _unpacked(given, folder):
    """The files in a folder, and the photos where data.yaml says they go."""
    for name, data in files_of(Yolo, given).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "yolo/images").mkdir()
    for one in given.photos:
        Image.new("RGB", (one.width, one.height)).save(folder / "yolo/images" / one.name)
    return folder / "yolo"


def _read(given, folder):
    """The masks that supervision reads, by the names of images."""
    place = _unpacked(given, folder)
    data = supervision.DetectionDataset.from_yolo(
        str(place / "images"), str(place / "labels"), str(place / "data.yaml"), force_masks=True
    )
    return data.classes, {path.rpartition("/")[2]: found for path, _, found in data}


def _joined(found, thing, shape):
    masks = [] if found.mask is None else found.mask[found.class_id == thing]
    return np.any([np.zeros(shape, bool), *masks], axis=0)


def _as_truncated(text, thing, shape):
    """The mask of a thing, read as trainings do that cut off what follows the dot."""
    height, width = shape
    mask = np.zeros(shape, bool)
    for line in text.splitlines():
        number, *values = line.split()
        if int(number) == thing:
            points = np.array(values, np.float32).reshape(-1, 2) * np.float32([width, height])
            mask |= polygon_to_mask(points.astype(np.int32), (width, height)) > 0
    return mask


def test_supervision_reads_the_same_masks_of_the_same_things(tmp_path):
    given = labelled(
        some_masks(3, [(40, 60), (33, 8), (1, 1)]), things("cat", "手", "a: 'b' \"c\"")
    )
    names, read = _read(given, tmp_path)
    assert names == ["cat", "手", "a: 'b' \"c\""]
    for image in given:
        for thing, mask in enumerate(image.masks()):
            assert np.array_equal(_joined(read[image.photo.name], thing, image.shape), mask)


@pytest.mark.parametrize("size", [(7, 9), (45, 30), (300, 400), (3000, 4000)], ids=str)
def test_holes_and_thin_parts_are_read_again_whatever_a_reader_does_with_halves(size, tmp_path):
    mask = with_thin_parts(*size)
    given = labelled([[mask]])
    text = files_of(Yolo, given)["yolo/labels/image 0.txt"].decode()
    assert iou(_as_truncated(text, 0, size), mask) >= 0.98
    if max(size) < 2000:
        _, read = _read(given, tmp_path)
        assert iou(_joined(read["image 0.jpeg"], 0, size), mask) >= 0.98


def test_no_corner_is_outside_and_a_pixel_has_an_area():
    given = labelled([[np.ones((1, 1), bool), np.pad(np.ones((1, 1), bool), (6, 0))]])
    for name, data in files_of(Yolo, given).items():
        if name.endswith(".txt"):
            corners = np.array(data.split()[1:], float).reshape(-1, 2)
            assert len(corners) == 4
            assert ((corners >= 0) & (corners < 1)).all()
            assert (np.ptp(corners, axis=0) > 0).all()


def test_an_image_without_things_has_an_empty_file():
    files = files_of(Yolo, labelled([[np.zeros((4, 5), bool)]]))
    assert files["yolo/labels/image 0.txt"] == b""


@pytest.mark.parametrize(
    "name", ["yes", "null", "0: x", "# a", "{a}", "'", '"', "a\\\\nb", "- b", "🎯"]
)
def test_a_name_is_a_text_in_yaml_whatever_is_in_it(name):
    given = labelled([[np.ones((2, 2), bool)]], things(name), [photo("a.png", 2, 2)])
    data = yaml.safe_load(io.BytesIO(files_of(Yolo, given)["yolo/data.yaml"]))
    assert data == {"train": "images", "val": "images", "names": {0: name}}
