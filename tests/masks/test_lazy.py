import gc
import io

import numpy as np
import pytest
from PIL import Image

from pointprompt.grid import upscale
from pointprompt.masks import photo_edges
from pointprompt.masks.lazy import MASK_RGB, PhotoEdgeMasks, SamEdgeMasks, TokenMasks
from pointprompt.types import Click, Photo

SIZES = [(5, 7), (1, 1), (20, 3)]


def _masks():
    return np.random.default_rng(1).random((3, 4, 4)) > 0.5


def test_image_masks_are_a_sequence_of_masks_of_their_sizes():
    tokens = _masks()
    expected = [upscale(mask, *size) for mask, size in zip(tokens, SIZES, strict=True)]
    masks = TokenMasks(tokens, SIZES)
    assert len(masks) == 3
    for i in range(-3, 3):
        assert np.array_equal(masks[i], expected[i])
    assert [mask.shape for mask in masks] == SIZES
    assert [mask.shape for mask in reversed(masks)] == SIZES[::-1]
    for index in (slice(None), slice(1, 99), slice(None, None, -2), slice(2, 1)):
        assert isinstance(masks[index], tuple)
        assert [mask.shape for mask in masks[index]] == SIZES[index]


@pytest.mark.parametrize("index", [3, -4])
def test_there_is_no_mask_beyond_the_last_image(index):
    with pytest.raises(IndexError):
        TokenMasks(_masks(), SIZES)[index]


def test_image_masks_cannot_be_set_and_a_mask_belongs_to_its_caller():
    masks = TokenMasks(_masks(), SIZES)
    with pytest.raises(TypeError):
        masks[0] = masks[1]
    before = masks[0].copy()
    masks[0][:] = ~before
    assert np.array_equal(masks[0], before)


def test_a_mask_is_computed_only_when_it_is_asked_for():
    # Together these would take 50 terabytes.
    masks = TokenMasks(np.ones((1000, 1, 1), bool), [(250_000, 200_000)] * 999 + [(2, 3)])
    assert len(masks) == 1000
    assert masks[-1].shape == (2, 3)


def test_no_images_have_no_masks():
    masks = TokenMasks(np.zeros((0, 4, 4), bool), [])
    assert len(masks) == 0
    assert list(masks) == []


def test_every_mask_needs_a_size():
    with pytest.raises(ValueError, match="3 masks for 2 images"):
        TokenMasks(_masks(), SIZES[:2])


# Masks along edges.


def _photo(size, preview_size, edge):
    """A photo that is dark left of `edge`, from 0 to 1, and bright right of it."""
    height, width = preview_size
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[:, round(edge * width) :] = 220
    preview = io.BytesIO()
    Image.fromarray(pixels).save(preview, "JPEG", quality=95)
    return Photo("photo.jpg", *size, preview.getvalue(), pixels)


# The tokens' border is at half, the photos' edges are beside it. Of the second, only the preview
# is small, as with a large photo.
EDGED_PHOTOS = [_photo((60, 90), (60, 90), 0.45), _photo((400, 800), (40, 80), 0.55)]
# Sharper ones would be believed against the photo.
MARGINS = np.where(np.arange(16) < 8, np.float32(0.3), np.float32(-0.3))
MARGINS = np.broadcast_to(MARGINS, (2, 16, 16)).copy()


def test_edged_masks_end_where_the_photos_have_an_edge():
    masks = PhotoEdgeMasks(MARGINS, EDGED_PHOTOS)
    for mask, photo, edge in zip(masks, EDGED_PHOTOS, (0.45, 0.55), strict=True):
        assert mask.dtype == bool
        assert mask.shape == (photo.height, photo.width)
        # Within a pixel of the preview.
        found = mask.mean(axis=1) * photo.width
        assert np.abs(found - edge * photo.width).max() <= photo.width / 80 + 1e-6


def test_a_photo_is_prepared_once_and_no_longer_than_it_is_there(monkeypatch):
    prepared = []
    monkeypatch.setattr(photo_edges, "segment", lambda _: prepared.append(1) or segments)
    segments = [np.zeros((60, 90), np.int32)]
    photo = _photo((60, 90), (60, 90), 0.45)
    masks = PhotoEdgeMasks(MARGINS[:1], [photo])
    assert masks[0].any()
    assert masks.within(0, 40).any()
    assert PhotoEdgeMasks(-MARGINS[:1], [photo])[0].any()
    assert len(prepared) == 1
    before = len(photo_edges._PREPARED)
    del masks, photo
    gc.collect()
    assert len(photo_edges._PREPARED) == before - 1


def test_edged_masks_are_a_sequence_of_masks_of_their_sizes():
    masks = PhotoEdgeMasks(MARGINS, EDGED_PHOTOS)
    sizes = [(60, 90), (400, 800)]
    assert len(masks) == 2
    for i in range(-2, 2):
        assert masks[i].shape == sizes[i]
        assert np.array_equal(masks[i], masks[i % 2])
    for index in (slice(None), slice(1, 99), slice(None, None, -1), slice(2, 1)):
        assert isinstance(masks[index], tuple)
        assert [mask.shape for mask in masks[index]] == sizes[index]
    for index in (2, -3):
        with pytest.raises(IndexError):
            masks[index]


def test_an_edged_mask_within_a_screen_is_the_same_mask_and_smaller():
    masks = PhotoEdgeMasks(MARGINS, EDGED_PHOTOS)
    assert np.array_equal(masks.within(0, 4096), masks[0])
    assert masks.within(1, 4096).shape == (400, 800)
    small = masks.within(1, 80)
    assert small.shape == (40, 80)
    assert np.abs(upscale(small, 400, 800).mean(axis=1) - masks[1].mean(axis=1)).max() < 1 / 80


def test_an_edged_mask_is_computed_only_when_it_is_asked_for():
    broken = Photo("broken.jpg", 50_000, 50_000, b"no preview", np.zeros((1, 1, 3), np.uint8))
    masks = PhotoEdgeMasks(np.repeat(MARGINS, 500, axis=0), [broken] * 999 + [EDGED_PHOTOS[1]])
    assert len(masks) == 1000
    assert masks[-1].shape == (400, 800)


def test_the_mask_colour_is_three_bytes():
    assert len(np.array(MASK_RGB, np.uint8)) == 3


class Draws:
    """A decoder that draws the left `share` of every image."""

    def __init__(self, share):
        self.share = share
        self.embeddings, self.points = [], []

    def masks(self, embedding, points, labels):
        self.embeddings.append(embedding)
        self.points.extend(points)
        logits = np.where(np.arange(256) < 256 * self.share, np.float32(5), np.float32(-5))
        logits = np.broadcast_to(logits, (len(points), 256, 256)).copy()
        return logits, np.ones(len(points), np.float32)


def test_crisp_masks_are_what_the_decoder_draws_of_each_image_with_its_clicks():
    decoder = Draws(0.4)
    embeddings = np.arange(2, dtype=np.float16).reshape(2, 1, 1, 1)
    clicks = [[], [Click(1, 0.1, 0.25)]]
    masks = SamEdgeMasks(MARGINS, EDGED_PHOTOS, clicks, embeddings, decoder)
    assert len(masks) == 2
    for index, photo in enumerate(EDGED_PHOTOS):
        mask = masks[index]
        assert mask.dtype == bool
        assert mask.shape == (photo.height, photo.width)
        assert np.abs(mask.mean(axis=1) - 0.4).max() <= 1 / photo.width + 1 / 256
    assert [float(embedding.item()) for embedding in decoder.embeddings] == [0, 1]
    assert decoder.points[1][0].tolist() == pytest.approx([0.1, 0.25])
    assert masks.within(1, 50).shape == (25, 50)
