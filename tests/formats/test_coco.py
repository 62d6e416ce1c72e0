import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from pointprompt.formats.coco import Coco
from pointprompt.formats.format import Options
from pointprompt.grid import regions
from tests.formats.made import files_of, labelled, photo, some_masks, things, with_thin_parts

SIZES = [(40, 60), (33, 7), (1, 1)]
EVERY = [
    Options(polygons, per_region) for polygons in (False, True) for per_region in (False, True)
]


def _read(given, options, tmp_path):
    files = files_of(Coco, given, options)
    assert list(files) == ["coco.json"]
    path = tmp_path / "coco.json"
    path.write_bytes(files["coco.json"])
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(path)


@pytest.mark.parametrize("keeps_overlaps", [False, True])
@pytest.mark.parametrize("options", EVERY, ids=str)
def test_pycocotools_reads_the_same_masks(options, keeps_overlaps, tmp_path):
    given = labelled(some_masks(3, SIZES), keeps_overlaps=keeps_overlaps)
    coco = _read(given, options, tmp_path)
    for image in given:
        for thing, expected in enumerate(image.masks()):
            found = coco.loadAnns(coco.getAnnIds(image.index + 1, thing + 1))
            masks = [coco.annToMask(annotation) > 0 for annotation in found]
            assert np.array_equal(np.any([np.zeros(image.shape, bool), *masks], axis=0), expected)
            count = regions(expected)[1] if options.coco_regions else int(expected.any())
            assert len(found) == count
            for annotation, mask in zip(found, masks, strict=True):
                y, x = np.nonzero(mask)
                box = [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
                assert annotation["bbox"] == box
                assert annotation["area"] == mask.sum()
                assert annotation["iscrowd"] == 0


@pytest.mark.parametrize("options", EVERY, ids=str)
def test_holes_and_thin_parts_are_read_again_exactly(options, tmp_path):
    mask = with_thin_parts(300, 400)
    coco = _read(labelled([[mask]]), options, tmp_path)
    masks = [coco.annToMask(annotation) for annotation in coco.anns.values()]
    assert np.array_equal(np.any(masks, axis=0), mask)


def test_names_are_kept_whatever_is_in_them(tmp_path):
    names = ['a "b"/\\\\c', "手", "<i>"]
    photos = [photo("schöner Hund.jpeg", 4, 5)]
    coco = _read(labelled(some_masks(3, [(4, 5)]), things(*names), photos), Options(), tmp_path)
    assert [category["name"] for category in coco.loadCats([1, 2, 3])] == names
    assert coco.imgs == {1: {"id": 1, "file_name": "schöner Hund.jpeg", "width": 5, "height": 4}}


def test_what_is_nowhere_has_a_category_and_no_annotation(tmp_path):
    coco = _read(labelled([[np.zeros((4, 5), bool)]]), Options(), tmp_path)
    assert len(coco.cats) == len(coco.imgs) == 1
    assert coco.anns == {}


def test_annotations_are_numbered_through_and_polygons_have_no_needless_dots():
    mask = np.zeros((4, 9), bool)
    mask[:2, :2] = mask[:2, 5:7] = True
    (data,) = files_of(
        Coco, labelled([[mask]] * 2, keeps_overlaps=True), Options(True, True)
    ).values()
    annotations = json.loads(data)["annotations"]
    assert [annotation["id"] for annotation in annotations] == [1, 2, 3, 4]
    assert b'"segmentation":[[0,0,2,0,2,2,0,2]]' in data
