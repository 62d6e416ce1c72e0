import io

import numpy as np
from PIL import Image

from pointprompt.formats.heatmaps import Heatmaps
from pointprompt.formats.labelled import Labelled
from pointprompt.grid import enlarge
from tests.formats.made import BACKBONE, files_of, labelled, photo, some_masks, things


def test_a_heatmap_is_grey_of_sixteen_bits_at_the_images_own_size():
    given = labelled(some_masks(2, [(40, 61), (3, 2)]))
    files = files_of(Heatmaps, given)
    for thing in range(2):
        for index, size in enumerate([(40, 61), (3, 2)]):
            image = Image.open(io.BytesIO(files[f"heatmaps/thing {thing}/image {index}.png"]))
            assert image.mode == "I;16"
            shown = np.asarray(image) / 65535
            assert np.abs(shown - enlarge(given.heatmaps[thing, index], *size)).max() < 1e-4


def test_what_is_beyond_0_and_1_is_cut_off_there():
    heatmaps = np.array([[[[-0.5, 1.5]]]], np.float32)
    masks = [[np.ones((1, 2), bool)]]
    photos = [photo("a.png", 1, 2)]
    given = Labelled(photos, things("x"), masks, heatmaps, np.ones((1, 1)), BACKBONE)
    (data,) = files_of(Heatmaps, given).values()
    assert np.asarray(Image.open(io.BytesIO(data))).tolist() == [[0, 65535]]
