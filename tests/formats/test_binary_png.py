import numpy as np

from pointprompt.formats.binary_png import BinaryPng
from tests.formats.made import files_of, labelled, opened, some_masks, things


def test_every_thing_has_a_mask_of_each_image():
    given = labelled(some_masks(2, [(6, 9), (1, 1)]), things("cat", "wild dog"))
    files = files_of(BinaryPng, given)
    for image in given:
        for thing, folder in enumerate(("cat", "wild dog")):
            shown = opened(files[f"masks/{folder}/image {image.index}.png"])
            assert shown.dtype == np.uint8
            assert np.array_equal(shown, image.mask(thing) * 255)
