from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointprompt.analysis.codes import unit, with_centred
from pointprompt.rules.concept import LEAST_GUESS, LEAST_LIKE, REACH, STEP, STEP_ELSEWHERE, TIE
from pointprompt.rules.predictor import predict_jointly
from pointprompt.settings import JointRule
from pointprompt.types import Click, Codes

H, W = 8, 12
RULE = JointRule()


def _things(n=2, noise=0.02):
    """Three things, each a third of every image, in directions of their own: (n, H, W, 16)."""
    rng = np.random.default_rng(0)
    directions = unit(rng.normal(size=(3, 16)).astype(np.float32))
    thing = np.arange(W) * 3 // W
    tokens = np.broadcast_to(directions[thing], (n, H, W, 16))
    return unit(tokens + noise * rng.normal(size=tokens.shape).astype(np.float32))


def _at(image, row, column, positive=True):
    return Click(image, (column + 0.5) / W, (row + 0.5) / H, positive)


def _margins(clicks, n=2, threshold=0.5):
    margins, _ = _predict(_codes(_things(n)), clicks, threshold)
    return margins


def _predict(codes, clicks, threshold=0.5):
    return _found(with_centred(codes), clicks, JointRule(threshold))


def _found(codes, clicks, rule=RULE):
    """The margins and the presence."""
    prediction = predict_jointly(codes, clicks, rule)
    return prediction.margins, prediction.presence


def _codes(tokens):
    """Tokens (n, H, W, 16) as an embedding has them: no part that all of them share."""
    return unit(tokens - tokens.mean((0, 1, 2)))


def test_a_click_on_one_thing_masks_that_thing_in_all_images():
    masks = _margins([_at(0, 3, 1)]) > 0
    assert masks[:, :, :4].all()
    assert not masks[:, :, 4:].any()


def test_a_second_thing_is_added_by_a_positive_click_and_taken_away_by_a_negative_one():
    both = [_at(0, 3, 1), _at(1, 3, 6)]
    assert (_margins(both) > 0)[:, :, :8].all()
    assert not (_margins([*both, _at(0, 5, 5, False)]) > 0)[:, 5, 5].all()


def test_without_a_positive_click_nothing_is_selected():
    assert (_margins([]) == -1).all()
    assert not (_margins([_at(0, 3, 1, False)]) > 0).any()


def test_a_click_that_is_already_right_changes_only_its_own_token_and_in_another_image_no_side():
    before = _margins([_at(0, 3, 1)])
    after = _margins([_at(0, 3, 1), _at(0, 6, 2)])
    in_another = _margins([_at(0, 3, 1), _at(1, 6, 2)])
    assert np.array_equal(in_another > 0, before > 0)
    before[0, 6, 2] = after[0, 6, 2]
    # Products with one token and with two are rounded differently.
    assert before == pytest.approx(after, abs=1e-5)


def test_a_negative_click_beside_a_positive_one_leaves_it():
    masks = _margins([_at(0, 3, 1), _at(0, 3, 2, False)]) > 0
    assert masks[0, 3, 1]
    assert not masks[0, 3, 2]


def test_on_one_token_the_last_click_counts():
    assert not (_margins([_at(0, 3, 1), _at(0, 3, 1, False)]) > 0).any()


_clicks = st.lists(
    st.builds(_at, st.integers(0, 1), st.integers(0, H - 1), st.integers(0, W - 1), st.booleans()),
    max_size=12,
    unique_by=lambda click: (click.image, click.x, click.y),
)


@given(_clicks, st.floats(0, 1))
def test_every_click_has_its_own_token_on_its_side_at_any_threshold(clicks, threshold):
    found = _margins(clicks, threshold=threshold)
    if not any(click.positive for click in clicks):
        return
    for click in clicks:
        at = click.image, int(click.y * H), int(click.x * W)
        assert found[at] == (1 if click.positive else -1)
    assert (np.abs(found) == 1).sum() == len(clicks)


@given(_clicks, st.floats(0, 1), st.floats(0, 1))
def test_a_lower_threshold_takes_more_in(clicks, one, other):
    more, less = (_margins(clicks, threshold=value) > 0 for value in sorted((one, other)))
    assert not (less & ~more).any()


def test_an_image_without_the_thing_is_less_present_and_stays_empty():
    tokens = _things(3)
    tokens[2] = tokens[2, :, 8:9]  # the third thing only
    margins, presence = _predict(_codes(tokens), [_at(0, 3, 1)])
    assert presence[2] < presence[:2].min()
    assert not (margins[2] > 0).any()


def _row(*likeness):
    """One row of tokens (1, len, 2) that are so alike to the first one of all."""
    cosines = np.array([likeness], np.float32)
    return np.stack([cosines, np.sqrt(1 - cosines**2)], axis=-1)


def _mended(codes, level):
    """The equations of `fit`, for a click on token 0 and a negative one on token 1 of 6."""
    z = codes.reshape(6, 2)
    first = np.maximum(LEAST_GUESS, (z @ z[0] - level) / (1 - level))
    weight = np.exp(-(1 - z @ z[1]) / REACH) / (1 + np.exp((z @ z[0] - z @ z[1]) / TIE))
    step = np.where(np.arange(6) < 3, STEP, STEP_ELSEWHERE)
    expected = first - np.maximum(0, step + first[1]) * weight
    expected[[0, 1]] = 1, -1
    return expected.reshape(2, 3)


CLICKS = [Click(0, 0.1, 0), Click(0, 0.5, 0, False)]


def test_the_equations_of_the_docstring_give_margins_and_presence():
    codes = np.stack([_row(1, 0.9, 0.2), _row(0.9, 0.5, 0)])
    its = np.stack([_row(1, 0.7, 0.1), _row(0.8, 0.6, -0.3)])
    margins, presence = _found(Codes(codes, its), CLICKS)
    assert margins[:, 0] == pytest.approx(_mended(its, 0.30), abs=1e-5)
    # The clicked token alone is inside, so that it is the look. Of so few tokens, the best counts.
    like = (np.array([1, 0.9]) - LEAST_LIKE) / (1 - LEAST_LIKE)
    assert presence == pytest.approx((like + 1) / 2, abs=1e-5)


def test_the_codes_themselves_say_which_images_are_empty_and_the_centred_ones_what_is_in_others():
    like, unlike = _row(1, 0.9, 0.2), _row(-0.1, -0.2, -0.3)
    margins, presence = _found(Codes(np.stack([like, unlike]), np.stack([like, like])), CLICKS[:1])
    assert not (margins[1] > 0).any()
    assert margins[1] == pytest.approx(-np.abs(margins[0]), abs=1e-6)
    assert presence[1] < 0.5
    margins, presence = _found(Codes(np.stack([like, like]), np.stack([like, unlike])), CLICKS[:1])
    assert not (margins[1] > 0).any()
    assert presence[1] > 0.5


def test_a_further_click_says_less_in_the_images_it_was_not_made_in():
    row = _row(1, 0.3, 0.2)
    codes = np.stack([row, row])
    without, _ = _found(Codes(codes, codes), CLICKS[:1])
    less, _ = _found(Codes(codes, codes), CLICKS)
    taken = without - less
    assert 0 < taken[1, 0, 2] < taken[0, 0, 2]
    more, _ = _found(Codes(codes, codes), [CLICKS[0], Click(0, 0.9, 0)])
    added = more - without
    assert 0 < added[1, 0, 1] < added[0, 0, 1]


def test_a_few_weak_tokens_in_an_image_that_nobody_clicked_are_nothing():
    rng = np.random.default_rng(0)
    # Of two images of 1600 tokens, the second has three that are a little like the thing.
    likeness = np.full((2, 40, 40), -0.2, np.float32) + 0.01 * rng.random((2, 40, 40))
    likeness[0, :20] = 0.9
    likeness[1, 5, 5:8] = 0.3
    codes = np.stack([likeness, np.sqrt(1 - likeness**2)], axis=-1).astype(np.float32)
    codes[0, 0, 0] = 1, 0
    first = Click(0, 0.01, 0.01)
    weak, _ = _found(Codes(codes, codes), [first])
    assert (weak[0] > 0).sum() == 800
    assert not (weak[1] > 0).any()
    # A person who says that it is there is right.
    clicked, _ = _found(Codes(codes, codes), [first, Click(1, 0.14, 0.14)])
    assert (clicked[1] > 0).sum() == 3
    # Three that are surely the thing are the thing.
    codes[1, 5, 5:9] = codes[0, 1, 1]
    sure, _ = _found(Codes(codes, codes), [first])
    assert (sure[1] > 0).sum() == 4


@given(_clicks)
def test_images_that_join_change_nothing_in_the_others(clicks):
    codes = _codes(_things(5))
    alone, of_alone = _predict(codes[:2], clicks)
    joined, of_joined = _predict(codes, clicks)
    assert np.array_equal(joined[:2], alone)
    assert np.array_equal(of_joined[:2], of_alone)


def test_codes_of_length_0_have_finite_margins():
    nothing = np.zeros((2, H, W, 16), np.float32)
    margins, presence = _predict(nothing, [_at(0, 3, 1), _at(1, 5, 5, False)])
    assert np.isfinite(margins).all()
    assert np.isfinite(presence).all()
    assert (margins > 0).sum() == 1
