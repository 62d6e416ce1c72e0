import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pointprompt.refine import MASK_RGB, CrispMasks, EdgedMasks, ImageMasks, upscale
from pointprompt.scoring import token_of
from pointprompt.types import Click, Photo


def test_four_quadrants_become_four_quadrants():
    mask = np.array([[True, False], [False, True]])
    large = upscale(mask, 6, 4)
    assert large.dtype == bool
    assert large.astype(int).tolist() == [[1, 1, 0, 0]] * 3 + [[0, 0, 1, 1]] * 3


def test_a_mask_of_its_own_size_stays_as_it_is():
    mask = np.random.default_rng(0).random((7, 5)) > 0.5
    assert np.array_equal(upscale(mask, 7, 5), mask)


def test_a_pixel_between_two_tokens_takes_the_one_its_centre_is_in():
    # Three pixels on two tokens: the middle one's centre is where the second begins.
    assert upscale(np.array([[True, False]]), 1, 3).tolist() == [[True, False, False]]
    # Two pixels on three tokens: centres at 0.75 and 2.25 tokens.
    assert upscale(np.array([[True, False, True]]), 1, 2).tolist() == [[True, True]]


@settings(deadline=None)
@given(
    tokens=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    seed=st.integers(0, 99),
)
def test_each_pixel_agrees_with_a_click_on_its_centre(tokens, size, seed):
    mask = np.random.default_rng(seed).random(tokens) > 0.5
    large = upscale(mask, *size)
    assert large.shape == size
    height, width = size
    diagonal = range(max(size))
    for row, column in zip(
        (i % height for i in diagonal), (i % width for i in diagonal), strict=True
    ):
        click = Click(0, (column + 0.5) / width, (row + 0.5) / height)
        assert large[row, column] == mask[token_of(click, *tokens)]


@pytest.mark.parametrize(
    "size", [(1, 1), (20_000, 50), (50, 20_000), (1, 300), (30, 30), (6000, 8333)]
)
def test_any_size_of_image_has_a_mask_of_that_size(size):
    mask = np.random.default_rng(0).random((64, 64)) > 0.5
    large = upscale(mask, *size)
    assert large.shape == size
    assert large[0, 0] == mask[32 if size[0] == 1 else 0, 32 if size[1] == 1 else 0]


@pytest.mark.parametrize("token", [True, False])
def test_one_token_fills_the_image(token):
    assert (upscale(np.array([[token]]), 5, 9) == token).all()


@pytest.mark.parametrize(
    ("shape", "size"),
    [((4,), (8, 8)), ((1, 4, 4), (8, 8)), ((0, 4), (8, 8)), ((4, 4), (0, 8)), ((4, 4), (8, -1))],
)
def test_what_has_no_pixels_or_tokens_is_an_error(shape, size):
    with pytest.raises(ValueError, match="must have"):
        upscale(np.zeros(shape, bool), *size)


SIZES = [(5, 7), (1, 1), (20, 3)]


def _masks():
    return np.random.default_rng(1).random((3, 4, 4)) > 0.5


def test_image_masks_are_a_sequence_of_masks_of_their_sizes():
    tokens = _masks()
    expected = [upscale(mask, *size) for mask, size in zip(tokens, SIZES, strict=True)]
    masks = ImageMasks(tokens, SIZES)
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
        ImageMasks(_masks(), SIZES)[index]


def test_image_masks_cannot_be_set_and_a_mask_belongs_to_its_caller():
    masks = ImageMasks(_masks(), SIZES)
    with pytest.raises(TypeError):
        masks[0] = masks[1]
    before = masks[0].copy()
    masks[0][:] = ~before
    assert np.array_equal(masks[0], before)


def test_a_mask_is_computed_only_when_it_is_asked_for():
    # Together these would take 50 terabytes.
    masks = ImageMasks(np.ones((1000, 1, 1), bool), [(250_000, 200_000)] * 999 + [(2, 3)])
    assert len(masks) == 1000
    assert masks[-1].shape == (2, 3)


def test_no_images_have_no_masks():
    masks = ImageMasks(np.zeros((0, 4, 4), bool), [])
    assert len(masks) == 0
    assert list(masks) == []


def test_every_mask_needs_a_size():
    with pytest.raises(ValueError, match="3 masks for 2 images"):
        ImageMasks(_masks(), SIZES[:2])


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
MARGINS = np.where(np.arange(16) < 8, np.float32(0.9), np.float32(-0.9))
MARGINS = np.broadcast_to(MARGINS, (2, 16, 16)).copy()


def test_edged_masks_end_where_the_photos_have_an_edge():
    masks = EdgedMasks(MARGINS, EDGED_PHOTOS)
    for mask, photo, edge in zip(masks, EDGED_PHOTOS, (0.45, 0.55), strict=True):
        assert mask.dtype == bool
        assert mask.shape == (photo.height, photo.width)
        # Within a pixel of the preview.
        found = mask.mean(axis=1) * photo.width
        assert np.abs(found - edge * photo.width).max() <= photo.width / 80


def test_edged_masks_are_a_sequence_of_masks_of_their_sizes():
    masks = EdgedMasks(MARGINS, EDGED_PHOTOS)
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
    masks = EdgedMasks(MARGINS, EDGED_PHOTOS)
    assert np.array_equal(masks.within(0, 4096), masks[0])
    small = masks.within(1, 4096)
    assert small.shape == (40, 80)
    assert np.abs(upscale(small, 400, 800).mean(axis=1) - masks[1].mean(axis=1)).max() < 1 / 80


def test_an_edged_mask_is_computed_only_when_it_is_asked_for():
    broken = Photo("broken.jpg", 50_000, 50_000, b"no preview", np.zeros((1, 1, 3), np.uint8))
    masks = EdgedMasks(np.repeat(MARGINS, 500, axis=0), [broken] * 999 + [EDGED_PHOTOS[1]])
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
    masks = CrispMasks(MARGINS, EDGED_PHOTOS, clicks, embeddings, decoder)
    assert len(masks) == 2
    for index, photo in enumerate(EDGED_PHOTOS):
        mask = masks[index]
        assert mask.dtype == bool
        assert mask.shape == (photo.height, photo.width)
        assert np.abs(mask.mean(axis=1) - 0.4).max() <= 1 / photo.width + 1 / 256
    assert [float(embedding.item()) for embedding in decoder.embeddings] == [0, 1]
    assert decoder.points[1][0].tolist() == pytest.approx([0.1, 0.25])
    assert masks.within(1, 50).shape == (25, 50)
