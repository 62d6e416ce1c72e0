import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointprompt.grid import upscale
from pointprompt.masks import sam_edges
from pointprompt.masks.photo_edges import PhotoEdges, follow_edges
from pointprompt.masks.sam_edges import BESIDE, LEAST_IOU, LEAST_TOKENS, MOST_REGIONS
from pointprompt.types import Click

GRID = 64
SIZE = (300, 400)
NOT_THIS, THIS, TOP_LEFT, BOTTOM_RIGHT = range(4)
# As sure as a rule may be of a token that nobody clicked.
SURE = 0.9
EMBEDDING = np.zeros((64, 64, 256), np.float16)
# Blocks of tokens: top, left, bottom and right.
LEFT_BLOCK, RIGHT_BLOCK = (10, 8, 30, 24), (20, 40, 36, 60)


def sam_mask(margins, photo, clicks, embedding, decoder, size=None):
    size = size or photo.shape[:2]
    return sam_edges.sam_mask(margins, PhotoEdges(photo), clicks, embedding, decoder, size=size)


class FakeDecoder:
    """Draws the same thing for every prompt; by default the ellipse that fills its box.

    Attributes:
        embeddings: What each call was given.
        prompts: Of all calls, each a list of (x, y, label).
    """

    def __init__(self, draw=None, quality=SURE):
        self.draw = draw or (lambda box: ellipse(box, (256, 256)))
        self.quality = quality
        self.embeddings = []
        self.prompts = []

    def masks(self, embedding, points, labels):
        self.embeddings.append(embedding)
        logits = []
        for where, what in zip(points, labels, strict=True):
            assert where.shape == (len(what), 2)
            assert where.dtype == np.float32
            assert what.dtype == np.intp
            self.prompts.append([(*xy, k) for xy, k in zip(where.tolist(), what, strict=True)])
            drawn = self.draw((*where[what == TOP_LEFT][0], *where[what == BOTTOM_RIGHT][0]))
            logits.append(np.where(drawn, np.float32(5), np.float32(-5)))
        return np.stack(logits), np.full(len(points), self.quality, np.float32)

    @property
    def boxes(self):
        """Left, top, right and bottom of each prompt, in tokens."""
        return [
            tuple(
                round(side * GRID, 3)
                for label in (TOP_LEFT, BOTTOM_RIGHT)
                for x, y, what in prompt
                if what == label
                for side in (x, y)
            )
            for prompt in self.prompts
        ]


def ellipse(box, size):
    """The mask of a size of the ellipse in a box of left, top, right and bottom, in [0, 1]."""
    left, top, right, bottom = box
    y, x = ((np.arange(pixels) + 0.5) / pixels for pixels in size)
    across = (2 * x - left - right) / (right - left)
    down = (2 * y - top - bottom) / (bottom - top)
    return across[None] ** 2 + down[:, None] ** 2 < 1


def ellipse_in(block, size=SIZE):
    top, left, bottom, right = block
    return ellipse(np.array([left, top, right, bottom]) / GRID, size)


def margins_of(*blocks):
    margins = np.full((GRID, GRID), -SURE, np.float32)
    for top, left, bottom, right in blocks:
        margins[top:bottom, left:right] = SURE
    return margins


def click_on(row, column, positive=True):
    """A click inside a token, not in its middle."""
    return Click(0, (column + 0.25) / GRID, (row + 0.75) / GRID, positive)


def point_of(click):
    return (float(np.float32(click.x)), float(np.float32(click.y)))


def points(prompt, label):
    return [(x, y) for x, y, what in prompt if what == label]


def photo_of(mask):
    """What is in the mask has one colour, the rest another."""
    return np.where(mask[..., None], (200, 60, 50), (60, 90, 160)).astype(np.uint8)


def iou(mask, expected):
    return (mask & expected).sum() / (mask | expected).sum()


GREY = np.full((*SIZE, 3), 128, np.uint8)


def test_two_things_are_two_prompts_and_both_are_drawn():
    decoder = FakeDecoder()
    mask = sam_mask(margins_of(LEFT_BLOCK, RIGHT_BLOCK), GREY, [], EMBEDDING, decoder)
    assert mask.dtype == bool
    assert mask.shape == SIZE
    # The two blocks have as many tokens as each other.
    assert decoder.boxes == [(8, 10, 24, 30), (40, 20, 60, 36)]
    assert iou(mask, ellipse_in(LEFT_BLOCK) | ellipse_in(RIGHT_BLOCK)) > 0.98
    # All in one call: the decoder prepares the image once.
    assert len(decoder.embeddings) == 1
    assert decoder.embeddings[0] is EMBEDDING


def test_tokens_that_touch_at_a_corner_are_one_thing():
    decoder = FakeDecoder(quality=0)
    sam_mask(margins_of((0, 0, 4, 4), (4, 4, 8, 8)), GREY, [], EMBEDDING, decoder)
    assert decoder.boxes == [(0, 0, 8, 8)]


def test_clicks_in_a_region_are_its_points():
    margins = margins_of(LEFT_BLOCK, RIGHT_BLOCK)
    left, also_left, right = click_on(12, 10), click_on(29, 23), click_on(25, 50)
    elsewhere = click_on(50, 5)
    decoder = FakeDecoder()
    sam_mask(margins, GREY, [left, right, also_left, elsewhere], EMBEDDING, decoder)
    of_left, of_right = decoder.prompts
    assert points(of_left, THIS) == [point_of(left), point_of(also_left)]
    assert points(of_right, THIS) == [point_of(right)]


def test_negative_clicks_are_points_of_the_regions_they_are_beside():
    margins = margins_of(LEFT_BLOCK, RIGHT_BLOCK)
    top, left, bottom, right = LEFT_BLOCK
    beside = click_on(top - BESIDE, left - BESIDE, False)
    also_beside = click_on(bottom + BESIDE - 1, right + BESIDE - 1, False)
    too_far = click_on(bottom + BESIDE, right, False)
    decoder = FakeDecoder()
    sam_mask(margins, GREY, [beside, also_beside, too_far], EMBEDDING, decoder)
    of_left, of_right = decoder.prompts
    assert points(of_left, NOT_THIS) == [point_of(beside), point_of(also_beside)]
    assert points(of_right, NOT_THIS) == []


def test_a_negative_click_on_a_token_that_is_inside_nevertheless_is_no_point():
    decoder = FakeDecoder()
    clicks = [click_on(12, 10), click_on(12, 10, False)]
    sam_mask(margins_of(LEFT_BLOCK), GREY, clicks, EMBEDDING, decoder)
    assert points(decoder.prompts[0], THIS) == [point_of(clicks[0])]
    assert points(decoder.prompts[0], NOT_THIS) == []


def test_a_region_at_the_border_of_the_image_has_its_box_there():
    decoder = FakeDecoder()
    negative = click_on(7, 7, False)
    sam_mask(margins_of((0, 0, 6, 6), (60, 0, 64, 64)), GREY, [negative], EMBEDDING, decoder)
    assert decoder.boxes == [(0, 60, 64, 64), (0, 0, 6, 6)]
    assert points(decoder.prompts[1], NOT_THIS) == [point_of(negative)]


def test_without_a_click_the_point_is_the_centre_of_the_surest_token():
    margins = margins_of((10, 10, 20, 20), (0, 40, 5, 45))
    margins[margins > 0] = 0.1
    margins[12, 16] = SURE
    decoder = FakeDecoder()
    sam_mask(margins, GREY, [], EMBEDDING, decoder)
    surest, middle = decoder.prompts
    assert points(surest, THIS) == [(16.5 / GRID, 12.5 / GRID)]
    # Where all are as sure, the one in the middle.
    assert points(middle, THIS) == [(42.5 / GRID, 2.5 / GRID)]


@pytest.mark.parametrize(
    "decoder",
    [
        FakeDecoder(lambda _box: ellipse((0, 0, 0.2, 0.2), (256, 256))),
        FakeDecoder(lambda _box: np.ones((256, 256), bool)),
        FakeDecoder(lambda _box: np.zeros((256, 256), bool)),
        FakeDecoder(quality=LEAST_IOU - 0.01),
        FakeDecoder(quality=np.nan),
    ],
    ids=["elsewhere", "everything", "nothing", "bad", "broken"],
)
def test_where_the_decoder_draws_something_else_the_region_keeps_its_shape(decoder):
    margins = margins_of(LEFT_BLOCK, RIGHT_BLOCK)
    photo = photo_of(ellipse_in(LEFT_BLOCK) | ellipse_in(RIGHT_BLOCK))
    mask = sam_mask(margins, photo, [], EMBEDDING, decoder)
    assert len(decoder.prompts) == 2
    assert np.array_equal(mask, follow_edges(margins, photo))


def test_what_is_drawn_replaces_the_region_from_half_in_common_on():
    for share, is_drawn in ((LEAST_IOU + 0.05, True), (LEAST_IOU - 0.05, False)):

        def lower_part(box, share=share):
            left, top, right, bottom = np.array(box) * 256
            drawn = np.zeros((256, 256), bool)
            drawn[round(bottom - share * (bottom - top)) : int(bottom), int(left) : int(right)] = 1
            return drawn

        margins = margins_of((0, 0, 40, 40))
        mask = sam_mask(margins, GREY, [], EMBEDDING, FakeDecoder(lower_part), size=(64, 64))
        assert mask[30, 20]
        assert mask[5, 20] != is_drawn


def test_a_region_beside_one_that_is_drawn_has_the_shape_it_has_without_a_decoder():
    # Of one colour: a filter that took the one for outside would lose the other, less sure one.
    large, small = (4, 4, 36, 24), (18, 26, 21, 29)
    margins = margins_of(large, small)
    margins[18:21, 26:29] = 0.2
    photo = photo_of(upscale(margins > 0, *SIZE))

    def only_large(box):
        return ellipse(box, (256, 256)) if box[0] < 0.25 else np.zeros((256, 256), bool)

    mask = sam_mask(margins, photo, [], EMBEDDING, FakeDecoder(only_large))
    between = round(25 / GRID * SIZE[1])
    assert iou(mask[:, :between], ellipse_in(large)[:, :between]) > 0.98
    assert np.array_equal(mask[:, between:], follow_edges(margins, photo)[:, between:])
    assert mask[:, between:].any()


def test_edges_that_are_a_fraction_of_a_token_off_are_the_same_thing():
    def a_little_larger(box):
        left, top, right, bottom = (np.array(box) * 256).astype(int)
        drawn = np.zeros((256, 256), bool)
        drawn[top - 1 : bottom + 1, left - 1 : right + 1] = True
        return drawn

    # By the tokens it touches, the IoU would be 9 / 25.
    margins = margins_of((10, 10, 13, 13))
    mask = sam_mask(margins, GREY, [], EMBEDDING, FakeDecoder(a_little_larger), size=(256, 256))
    assert mask.sum() == 14 * 14


def test_the_decoder_is_asked_for_the_largest_regions_only():
    # Bars of two rows, each longer than the one above it.
    blocks = [(6 * i, 8, 6 * i + 2, 8 + 5 * (i + 1)) for i in range(MOST_REGIONS + 1)]
    margins = margins_of(*blocks)
    photo = photo_of(upscale(margins > 0, *SIZE))
    decoder = FakeDecoder()
    mask = sam_mask(margins, photo, [], EMBEDDING, decoder)
    largest_first = [(left, top, right, bottom) for top, left, bottom, right in reversed(blocks)]
    assert decoder.boxes == largest_first[:MOST_REGIONS]
    # The pixels of the smallest, and of as many tokens below it as above the next one.
    assert np.array_equal(mask[:18], follow_edges(margins, photo)[:18])
    assert mask[:18].any()
    assert not np.array_equal(mask[18:], follow_edges(margins, photo)[18:])


def test_regions_of_few_tokens_keep_their_shape():
    small, large = (5, 5, 6, 5 + LEAST_TOKENS - 1), (20, 20, 21, 20 + LEAST_TOKENS)
    margins = margins_of(small, large)
    photo = photo_of(upscale(margins > 0, *SIZE))
    decoder = FakeDecoder()
    mask = sam_mask(margins, photo, [], EMBEDDING, decoder)
    assert decoder.boxes == [(20, 20, 20 + LEAST_TOKENS, 21)]
    assert np.array_equal(mask[:50], follow_edges(margins, photo)[:50])
    assert mask[:50].any()
    assert iou(mask[50:], ellipse_in(large)[50:]) > 0.9


def test_clicked_tokens_keep_their_side_whatever_is_drawn():
    margins = margins_of(LEFT_BLOCK)
    top, left, bottom, right = LEFT_BLOCK
    # In the middle of the ellipse, and in a corner beyond it.
    negative, positive = ((top + bottom) // 2, (left + right) // 2), (top, left)
    margins[negative], margins[positive] = -1, 1
    mask = sam_mask(margins, GREY, [click_on(*positive)], EMBEDDING, FakeDecoder(), size=(640, 640))
    tokens = mask.reshape(GRID, 10, GRID, 10)
    assert not tokens[negative[0], :, negative[1]].any()
    assert tokens[positive[0], :, positive[1]].all()
    assert tokens[negative[0], :, negative[1] + 1].all()


@pytest.mark.parametrize("margin", [-1, -SURE, 0])
def test_without_a_token_inside_the_mask_is_empty_and_nothing_is_drawn(margin):
    decoder = FakeDecoder()
    margins = np.full((GRID, GRID), margin, np.float32)
    mask = sam_mask(margins, GREY, [click_on(3, 3, False)], EMBEDDING, decoder)
    assert mask.shape == SIZE
    assert mask.dtype == bool
    assert not mask.any()
    assert decoder.embeddings == []


@pytest.mark.parametrize("size", [(301, 403), (997, 131), (64, 64), (33, 45), (256, 256)])
def test_a_mask_of_any_size_shows_the_same_thing(size):
    margins = margins_of(LEFT_BLOCK)
    mask = sam_mask(margins, GREY, [], EMBEDDING, FakeDecoder(), size=size)
    assert mask.shape == size
    # Small ones have more of their pixels at the edge.
    assert iou(mask, ellipse_in(LEFT_BLOCK, size)) > 0.9
    assert iou(upscale(mask, *SIZE), ellipse_in(LEFT_BLOCK)) > 0.85


def test_the_margins_are_left_as_they_are():
    margins = margins_of(LEFT_BLOCK, RIGHT_BLOCK)
    before = margins.copy()
    sam_mask(margins, GREY, [], EMBEDDING, FakeDecoder())
    assert np.array_equal(margins, before)


class RandomDecoder:
    """Draws noise, of any roughness and at any quality."""

    def __init__(self, random):
        self.random = random

    def masks(self, _embedding, points, _labels):
        shape = (len(points), 256, 256)
        offset = self.random.normal(scale=3, size=(len(points), 1, 1))
        logits = self.random.normal(size=shape) * self.random.choice([1e-3, 1, 1e6]) + offset
        return logits.astype(np.float32), self.random.random(len(points), np.float32)


@settings(max_examples=60)
@given(
    grid=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    larger=st.tuples(st.floats(1, 6), st.floats(1, 6)),
    most=st.sampled_from([-0.5, 0, 0.5, 2]),
    seed=st.integers(0, 2**32 - 1),
)
def test_whatever_is_drawn_the_mask_has_its_size_and_clicked_tokens_their_side(
    grid, larger, most, seed
):
    random = np.random.default_rng(seed)
    margins = random.uniform(-1, 1, grid).astype(np.float32)
    margins = np.clip(margins + most, -SURE, SURE).astype(np.float32)
    margins[random.random(grid) < 0.05] = 1
    margins[random.random(grid) < 0.05] = -1
    size = tuple(int(side * times) for side, times in zip(grid, larger, strict=True))
    photo = random.integers(0, 256, (*size, 3), np.uint8)
    clicks = [Click(0, *map(float, random.random(2)), bool(i % 2)) for i in range(6)]
    mask = sam_mask(margins, photo, clicks, EMBEDDING, RandomDecoder(random), size=size)
    assert mask.shape == size
    assert mask.dtype == bool
    assert mask[upscale(margins == 1, *size)].all()
    assert not mask[upscale(margins == -1, *size)].any()
