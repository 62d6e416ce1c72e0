import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointprompt.masks.photo_edges import MAX_BYTES, PhotoEdges, follow_edges

GRID = (24, 36)
SIZE = (300, 400)
ONE_SIDE, OTHER_SIDE = (200, 60, 50), (60, 90, 160)
# As sure as a rule may be of a token that nobody clicked.
SURE = 0.9


def _beyond(size, angle):
    """How many pixels (H, W) each pixel is beyond an edge through the middle, at this angle."""
    height, width = size
    rows, columns = np.mgrid[:height, :width] + 0.5
    radians = np.deg2rad(angle)
    return (columns - width / 2) * np.cos(radians) + (rows - height / 2) * np.sin(radians)


def _photo(size, angle, noise=0):
    """A photo (H, W, 3) uint8 of two surfaces that meet at that edge."""
    surface = np.where(_beyond(size, angle)[..., None] > 0, ONE_SIDE, OTHER_SIDE)
    grain = np.random.default_rng(0).normal(0, noise, (*size, 3))
    return (surface + grain).clip(0, 255).astype(np.uint8)


def _margins(grid, size, angle, value=SURE):
    """Margins (h, w) that are right in the middle of every token, and made of whole tokens."""
    rows, columns = (
        ((np.arange(tokens) + 0.5) / tokens * pixels).astype(int)
        for tokens, pixels in zip(grid, size, strict=True)
    )
    inside = _beyond(size, angle)[np.ix_(rows, columns)] > 0
    return np.where(inside, value, -value).astype(np.float32)


def _farthest_error(mask, angle):
    """How many pixels the farthest pixel that is masked wrongly is from the edge."""
    beyond = _beyond(mask.shape, angle)
    wrong = mask != (beyond > 0)
    return np.abs(beyond[wrong]).max(initial=0)


@pytest.mark.parametrize("angle", [0, 15, 25, 45, 70, 100])
@pytest.mark.parametrize("noise", [0, 8])
@pytest.mark.parametrize("value", [0.5, 0.3])
def test_a_mask_of_whole_tokens_follows_the_edge_in_the_photo(angle, noise, value):
    mask = follow_edges(_margins(GRID, SIZE, angle, value), _photo(SIZE, angle, noise), SIZE)
    assert mask.dtype == bool
    assert mask.shape == SIZE
    # A token is eleven pixels wide.
    assert _farthest_error(mask, angle) <= 1.5


@pytest.mark.parametrize("angle", [0, 15, 25, 45, 70, 100])
def test_margins_that_are_sure_on_both_sides_of_the_edge_are_believed(angle):
    mask = follow_edges(_margins(GRID, SIZE, angle), _photo(SIZE, angle), SIZE)
    # Half a token: that is how right the margins are.
    assert _farthest_error(mask, angle) <= 11 / 2


@pytest.mark.parametrize("size", [(601, 800), (150, 200), (90, 700), (1200, 400)])
def test_a_mask_of_another_size_than_the_photos_follows_the_same_edge(size):
    mask = follow_edges(_margins(GRID, SIZE, 0), _photo(SIZE, 0), size)
    assert mask.shape == size
    assert _farthest_error(mask, 0) <= 2 * max(1, size[1] / SIZE[1])


def test_without_a_size_the_mask_has_the_photos():
    margins, photo = _margins(GRID, SIZE, 25), _photo(SIZE, 25)
    assert np.array_equal(follow_edges(margins, photo), follow_edges(margins, photo, SIZE))


def test_a_thing_in_the_middle_has_the_shape_it_has_in_the_photo():
    height, width = SIZE
    rows, columns = np.mgrid[:height, :width]
    disc = (rows - 150) ** 2 + (columns - 200) ** 2 < 80**2
    photo = np.where(disc[..., None], ONE_SIDE, OTHER_SIDE).astype(np.uint8)
    tokens = disc[height // 48 :: height // 24, width // 72 :: width // 36][:24, :36]
    mask = follow_edges(np.where(tokens, 0.5, -0.5).astype(np.float32), photo)
    assert (mask & disc).sum() / (mask | disc).sum() > 0.99


def test_a_photo_without_an_edge_keeps_the_tokens_side_but_for_their_border():
    margins = _margins(GRID, SIZE, 0)
    mask = follow_edges(margins, np.full((*SIZE, 3), 128, np.uint8))
    # The border may be anywhere within the windows of the filter.
    assert mask[:, 300:].all()
    assert not mask[:, :100].any()


@pytest.mark.parametrize("value", [-1, -0.5, 0])
def test_where_nothing_is_inside_nothing_is_masked(value):
    mask = follow_edges(np.full(GRID, value, np.float32), _photo(SIZE, 25), (70, 90))
    assert mask.shape == (70, 90)
    assert not mask.any()


def test_where_all_is_inside_all_is_masked():
    assert follow_edges(np.full(GRID, SURE, np.float32), _photo(SIZE, 25)).all()


@pytest.mark.parametrize("size", [SIZE, (601, 801), (31, 47), (24, 36)])
@pytest.mark.parametrize("positive", [True, False])
def test_a_clicked_token_stays_as_it_was_clicked_against_all_around_it(size, positive):
    around = -SURE if positive else SURE
    margins = np.full(GRID, around, np.float32)
    margins[0, 0] = around
    margins[20, 30] = 1 if positive else -1
    height, width = size
    mask = follow_edges(margins, _photo(SIZE, 25, noise=20), size)
    # All pixels whose centre is in the token.
    rows, columns = (
        ((np.arange(pixels) + 0.5) / pixels * tokens).astype(int)
        for pixels, tokens in zip(size, GRID, strict=True)
    )
    assert (mask[np.ix_(rows == 20, columns == 30)] == positive).all()
    assert (mask[: height // 2, : width // 2] != positive).all()


def test_what_is_prepared_of_a_large_photo_takes_no_more_than_is_said():
    edges = PhotoEdges(_photo((900, 900), 25, noise=20))
    edges.mask(_margins(GRID, SIZE, 0), (10, 10))
    held = edges.pixels.nbytes + sum(regions.nbytes for regions in edges.segments)
    assert MAX_BYTES / 2 < held <= MAX_BYTES


SIZES = [(1, 1), (1, 7), (7, 1), (2, 2), (50, 20_000), (20_000, 50)]


@pytest.mark.parametrize("photo_size", SIZES)
@pytest.mark.parametrize("size", [None, (1, 1), (64, 64), (20_000, 3)])
def test_photos_and_masks_of_any_size_have_a_mask(photo_size, size):
    margins = np.random.default_rng(0).uniform(-SURE, SURE, (64, 64)).astype(np.float32)
    mask = follow_edges(margins, _photo(photo_size, 25, noise=30), size)
    assert mask.dtype == bool
    assert mask.shape == (size or photo_size)


def test_a_photo_much_smaller_than_the_grid_keeps_the_sides():
    mask = follow_edges(_margins((64, 64), (10, 20), 0), _photo((10, 20), 0), (100, 200))
    assert mask[:, 120:].all()
    assert not mask[:, :80].any()


@settings(max_examples=60)
@given(
    grid=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    photo_size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    size=st.none() | st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 9),
)
def test_any_margins_give_a_mask_and_are_left_as_they_are(grid, photo_size, size, seed):
    random = np.random.default_rng(seed)
    margins = random.choice(np.float32([-1, -0.5, 0, 0.25, 1]), grid)
    photo = random.integers(0, 256, (*photo_size, 3), np.uint8)
    before = margins.copy(), photo.copy()
    mask = follow_edges(margins, photo, size)
    assert mask.shape == (size or photo_size)
    assert np.array_equal(margins, before[0])
    assert np.array_equal(photo, before[1])
    if not (margins > 0).any():
        assert not mask.any()
    elif (margins == 1).all():
        assert mask.all()
