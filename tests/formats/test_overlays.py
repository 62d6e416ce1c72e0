import numpy as np

from pointprompt.formats.overlays import Overlays
from tests.formats.made import GREY, files_of, labelled, opened, things


def test_every_thing_has_its_colour_and_the_earlier_one_is_on_top():
    left, middle = np.zeros((2, 60, 90), bool)
    left[:, :40] = middle[:, 20:60] = True
    for keeps_overlaps in (False, True):
        given = labelled([[left], [middle]], things("cat", "dog"), keeps_overlaps=keeps_overlaps)
        shown = opened(files_of(Overlays, given)["overlays/image 0.jpg"]).astype(int)
        for column, color in ((10, (255, 0, 255)), (30, (255, 0, 255)), (50, (120, 255, 0))):
            expected = GREY * 0.55 + np.array(color) * 0.45
            assert np.abs(shown[30, column] - expected).max() < 8
        assert np.abs(shown[30, 80] - GREY).max() <= 3
