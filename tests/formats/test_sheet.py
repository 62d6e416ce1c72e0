import numpy as np
import pytest
from PIL import ImageFont

from pointprompt.formats import sheet
from pointprompt.formats.labelled import UnreadablePhoto
from pointprompt.formats.sheet import MAX_SIDE, Sheet
from pointprompt.types import Photo
from tests.formats.made import GREY, document, files_of, labelled, opened, photo, some_masks, things


def _near(pixels, color):
    return np.abs(pixels.astype(int) - np.array(color)).max(axis=-1) < 12


def test_all_images_are_on_one_picture_with_their_things_and_a_legend():
    mask = np.zeros((30, 60), bool)
    mask[:, :30] = True
    given = labelled([[mask] * 4, [~mask] * 4], things("cat", "dog"))
    (page,) = files_of(Sheet, given).values()
    pixels = opened(page)
    for color in ((255, 0, 255), (120, 255, 0)):
        # In the legend as it is, and on the photos mixed with them.
        assert _near(pixels[:40], color).sum() > 100
        tinted = GREY * 0.55 + np.array(color) * 0.45
        assert _near(pixels, tinted).sum() > 4 * 200 * 200


@pytest.mark.parametrize("count", [1, 7, 100, 230])
def test_no_page_is_too_large_and_all_images_are_on_some(count):
    mask = np.ones((8, 8), bool)
    given = labelled([[mask] * count])
    files = files_of(Sheet, given)
    shown = 0
    for page in files.values():
        pixels = opened(page)
        assert max(pixels.shape) <= MAX_SIDE
        shown += _near(pixels, GREY * 0.55 + np.array((255, 0, 255)) * 0.45).sum()
    names = ["sheet.jpg"] if len(files) == 1 else [f"sheet-{i + 1}.jpg" for i in range(len(files))]
    assert list(files) == names
    assert (len(files) > 1) == (count > 200)
    # The least a picture has, but for its outline.
    assert shown > count * 220 * 220


def test_the_longest_names_of_most_things_fit_on_the_smallest_sheet():
    names = [f"{i:02}" + "m" * 58 for i in range(20)]
    given = labelled(some_masks(20, [(4, 4)]), things(*names))
    (page,) = files_of(Sheet, given).values()
    assert max(opened(page).shape) <= MAX_SIDE


def test_an_image_whose_preview_is_damaged_leaves_its_place_and_is_told_of():
    photos = [photo("a.png", 4, 5), Photo("b.png", 4, 5, b"", np.zeros((4, 5, 3), np.uint8))]
    given = labelled([[np.ones((4, 5), bool)] * 2], photos=photos)
    with pytest.raises(UnreadablePhoto):
        files_of(Sheet, given)
    assert document(given, ["sheet"])["problems"] == [
        {"image": "b.png", "problem": "No picture on the sheet: The preview is damaged."}
    ]


def test_letters_that_a_font_lacks_are_replaced_by_plain_ones():
    plain = ImageFont.load_default(16)
    assert sheet._drawable("schöner Hund, 手.jpg", plain) == "schoner Hund, ?.jpg"


def test_an_image_of_extreme_shape_has_a_place():
    given = labelled([[np.ones((1, 3000), bool), np.ones((3000, 1), bool)]])
    assert list(files_of(Sheet, given)) == ["sheet.jpg"]
