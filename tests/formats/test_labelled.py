import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from pointprompt.formats.archive import write_zip
from pointprompt.formats.labelled import Labelled, LabelledImage, UnreadablePhoto
from pointprompt.formats.registry import FORMATS
from tests.formats.made import BACKBONE, labelled, photo, some_masks, things

SIZES = [(6, 9), (5, 5)]


def test_where_things_overlap_the_earlier_one_has_the_pixels():
    first, second, third = masks = some_masks(3, SIZES)
    for index, image in enumerate(labelled(masks)):
        assert np.array_equal(image.mask(0), first[index])
        assert np.array_equal(image.mask(1), second[index] & ~first[index])
        assert np.array_equal(image.mask(2), third[index] & ~second[index] & ~first[index])
        assert image.counts == [mask.sum() for mask in image.masks()]


def test_overlaps_can_be_kept():
    masks = some_masks(2, SIZES)
    for index, image in enumerate(labelled(masks, keeps_overlaps=True)):
        assert [np.array_equal(image.mask(t), masks[t][index]) for t in (0, 1)] == [True, True]


def test_masks_are_not_written_to():
    masks = some_masks(2, SIZES)
    copies = [[mask.copy() for mask in of] for of in masks]
    list(labelled(masks))
    assert all(
        np.array_equal(a, b)
        for x, y in zip(masks, copies, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_the_files_of_one_thing_lie_in_no_folder_of_their_own():
    (image, _) = labelled(some_masks(1, SIZES))
    assert image.path("masks", 0, ".png") == "masks/image 0.png"
    (image, _) = labelled(some_masks(2, SIZES))
    assert image.path("masks", 1, ".png") == "masks/thing 1/image 0.png"


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (["cat", "wild dog"], ("cat", "wild dog")),
        (["a/b", "a\\b"], ("a-b", "a-b-2")),
        (["..", "/"], ("image", "-")),
        (["left.hand", "left.foot"], ("left.hand", "left.foot")),
        (["CON", "nul.txt"], ("_CON", "_nul.txt")),
        (["a:b", 'a"b', "a?b"], ("ab", "ab-2", "ab-3")),
        (["Hände", "手"], ("Hände", "手")),
    ],
)
def test_a_folder_is_called_as_its_thing_as_far_as_file_systems_allow(names, folders):
    assert labelled(some_masks(len(names), SIZES), things(*names)).folders == folders


def test_a_photo_that_is_gone_is_an_error_of_its_own(tmp_path):
    (image,) = labelled([[np.ones((4, 4), bool)]], photos=[photo("a.png", 4, 4, tmp_path / "a")])
    with pytest.raises(UnreadablePhoto):
        _ = image.pixels


def test_what_does_not_belong_together_is_an_error():
    masks = some_masks(2, SIZES)
    with pytest.raises(ValueError, match="masks of 2 for 1 things"):
        labelled(masks, things("cat"))
    with pytest.raises(ValueError, match="1 masks for 2 images"):
        labelled([masks[0], masks[1][:1]])
    with pytest.raises(ValueError, match="same name"):
        labelled(masks, things("cat", "Cat"))
    photos = [photo("a.png", 6, 9), photo("b.png", 5, 6)]
    with pytest.raises(ValueError, match=r"b\.png is \(5, 5\), not \(5, 6\)"):
        list(labelled(masks, photos=photos))
    with pytest.raises(ValueError, match="heatmap"):
        Labelled(
            photos, things("cat"), [masks[0]], np.zeros((1, 1, 2, 2)), np.zeros((1, 2)), BACKBONE
        )


class _Counted:
    """Masks that know how many of them, and of images, there are at a time."""

    def __init__(self, images: int) -> None:
        self.live = self.most = self.most_images = 0
        self._images = images

    def __len__(self) -> int:
        return self._images

    def __getitem__(self, index: int) -> np.ndarray:
        mask = np.random.default_rng(index).random((30, 40)) > 0.5
        images = sum(type(one) is LabelledImage for one in gc.get_objects())
        self.most_images = max(self.most_images, images)
        self.live += 1
        self.most = max(self.most, self.live)
        weakref.finalize(mask, self._gone)
        return mask

    def _gone(self) -> None:
        self.live -= 1


@pytest.fixture
def few_objects() -> Iterator[None]:
    """Only what is made from now on is looked through for garbage; else that takes seconds."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("few_objects")
@pytest.mark.parametrize("name", FORMATS)
def test_one_mask_is_in_memory_at_a_time_and_one_image(name, tmp_path):
    counted = _Counted(6)
    photos = [photo(f"{i}.png", 30, 40) for i in range(6)]
    given = labelled([counted] * 3, photos=photos)
    live = []

    def look(_):
        gc.collect()
        live.append(counted.live)

    write_zip(tmp_path / "all.zip", given, [name], progress=look)
    assert counted.most == counted.most_images == 1
    assert len(live) >= 6
    assert not any(live)
