import numpy as np
import pytest

from pointprompt.formats.cutouts import Cutouts
from pointprompt.formats.labelled import UnreadablePhoto
from tests.formats.made import files_of, labelled, opened, photo, some_masks


def test_a_cut_out_has_the_photos_pixels_where_the_thing_is_and_nothing_elsewhere():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    given = labelled(some_masks(2, [(20, 30)]), photos=[photo("a.jpg", 20, 30, pixels)])
    files = files_of(Cutouts, given)
    (image,) = given
    assert list(files) == ["cutouts/thing 0/a.png", "cutouts/thing 1/a.png"]
    for data, mask in zip(files.values(), image.masks(), strict=True):
        cut = opened(data)
        assert cut.shape == (20, 30, 4)
        assert np.array_equal(cut[..., 3], mask * 255)
        assert np.array_equal(cut[mask, :3], pixels[mask])
        assert not cut[~mask].any()


def test_a_photo_that_is_gone_has_none(tmp_path):
    given = labelled([[np.ones((4, 4), bool)]], photos=[photo("a.png", 4, 4, tmp_path / "gone")])
    with pytest.raises(UnreadablePhoto):
        files_of(Cutouts, given)
