"""A concept: what it is made of, that it knows no image set, and that splitting the rule into what
clicks say and what of an image is said changed no mask."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointprompt.analysis.codes import unit, with_centred
from pointprompt.grid import token_of
from pointprompt.rules.concept import (
    LEFT_AT_OPPOSITE,
    NEGATIVE_REACH_ELSEWHERE,
    REACH,
    STEP,
    UNCENTRED_LEVEL,
    USUAL,
    Level,
    fit,
)
from pointprompt.rules.joint import PRESENCE_SHARE, SURE, SURE_SHARE, margins
from pointprompt.rules.predictor import predict_jointly
from pointprompt.settings import JointRule
from pointprompt.types import Click, Codes

N, H, W, D = 3, 24, 32, 8


def _codes(seed=0):
    """Codes (N, H, W, D) of four things in patches, with noise."""
    random = np.random.default_rng(seed)
    things = unit(random.normal(size=(4, D)).astype(np.float32))
    patches = random.integers(0, 4, (N, H // 8, W // 8)).repeat(8, axis=1).repeat(8, axis=2)
    noise = 0.1 * random.normal(size=(N, H, W, D)).astype(np.float32)
    return unit(things[patches] + noise)


CODES = with_centred(_codes())


def _whole_set(codes, clicks, level=USUAL):
    """The rule over all tokens of all images at once, click by click: what the split must equal."""
    labels = {}
    for click in clicks:
        token = (click.image, *token_of(click, H, W))
        labels.pop(token, None)
        labels[token] = 1 if click.positive else -1

    def mended(z, level):
        first = next(token for token, label in labels.items() if label > 0)
        of_image = np.full((N, 1, 1), level.elsewhere, np.float32)
        of_image[first[0]] = level.own
        scores = (z @ z[first] - of_image) / (1 - of_image)
        for token, label in labels.items():
            missing = STEP - label * scores[token]
            if token == first or missing <= 0:
                continue
            likeness = z @ z[token]
            opposite = max((likeness[t] for t in labels if labels[t] != label), default=-math.inf)
            most = max(1 - float(opposite), 1e-3) / math.log(1 / LEFT_AT_OPPOSITE)
            elsewhere = REACH if label > 0 else NEGATIVE_REACH_ELSEWHERE
            reach = np.full((N, 1, 1), min(elsewhere, most), np.float32)
            reach[token[0]] = min(REACH, most)
            scores = scores + np.float32(label * missing) * np.exp((likeness - 1) / reach)
        inside = np.nextafter(np.float32(1), np.float32(0))
        return np.clip(scores, -inside, inside)

    def best(scores, share):
        flat = np.sort(scores.reshape(N, -1), axis=1)
        return flat[:, -max(1, round(share * H * W)) :].mean(axis=1)

    f = mended(codes.centred, level)
    g = mended(codes.plain, Level(UNCENTRED_LEVEL, UNCENTRED_LEVEL))
    empty = best(g, SURE_SHARE) <= SURE
    empty[[image for (image, _, _), label in labels.items() if label > 0]] = False
    for scores in (f, g):
        scores[empty] = -np.abs(scores[empty])
        for token, label in labels.items():
            scores[token] = label
    return f, (best(g, PRESENCE_SHARE) + 1) / 2


def _nearest_opposites(codes, labels):
    """Likeness of the two clicks of different labels that are most alike; -1 without such."""
    this = [z[token] for z in (codes.plain, codes.centred) for token in labels if labels[token]]
    that = [z[token] for z in (codes.plain, codes.centred) for token in labels if not labels[token]]
    return (np.array(this) @ np.array(that).T).max() if that else -1


coordinates = st.floats(0, 1, exclude_max=True)
prompts = st.lists(
    st.builds(Click, st.integers(0, N - 1), coordinates, coordinates, st.booleans()),
    min_size=1,
    max_size=15,
).filter(lambda clicks: any(click.positive for click in clicks))


@settings(deadline=None, max_examples=200)
@given(prompts, st.integers(0, 5))
def test_image_by_image_the_rule_says_what_it_says_of_the_whole_set(clicks, seed):
    codes = with_centred(_codes(seed))
    labels = {(c.image, *token_of(c, H, W)): c.positive for c in clicks}
    if not any(labels.values()):
        return
    expected, of_images = _whole_set(codes, clicks)
    prediction = predict_jointly(codes, clicks, JointRule())
    found, presence = prediction.margins, prediction.presence
    # Beside a click of the other label a bump is narrow: what is rounded of a likeness counts more.
    rounded = 2e-6 if _nearest_opposites(codes, labels) < 0.8 else 5e-5
    assert found == pytest.approx(expected, abs=rounded)
    assert presence == pytest.approx(of_images, abs=rounded)
    clear = np.abs(expected) > rounded
    assert np.array_equal((found > 0)[clear], (expected > 0)[clear])


@pytest.mark.parametrize("seed", range(30))
def test_no_token_changes_side_for_random_prompts(seed):
    random = np.random.default_rng(seed)
    count = random.integers(1, 12)
    clicks = [
        Click(int(random.integers(N)), *random.random(2), positive=bool(random.random() < 0.6))
        for _ in range(count)
    ]
    clicks[0] = Click(clicks[0].image, clicks[0].x, clicks[0].y)
    level = Level(*random.uniform(0.1, 0.9, 2))
    expected, _ = _whole_set(CODES, clicks, level)
    masks = predict_jointly(CODES, clicks, JointRule(), level).masks
    assert np.array_equal(masks, expected > 0)


TOKENS = np.array([[0, 3, 3], [1, 12, 20], [0, 20, 9]])
LABELS = np.array([1, -1, 1])


def _concept():
    return fit(CODES.at(tuple(TOKENS.T)), TOKENS[:, 0], LABELS)


def test_a_concept_is_a_few_kilobytes_whatever_the_size_of_the_set():
    concept = _concept()
    arrays = [
        value
        for bumps in (concept.tokens, concept.whole)
        for value in vars(bumps).values()
        if isinstance(value, np.ndarray)
    ]
    assert sum(array.nbytes for array in arrays) < 20 * D * len(LABELS)
    assert concept.sure_of == {0}


def test_a_concept_answers_for_an_image_that_is_in_no_set():
    concept = _concept()
    stranger = with_centred(_codes(9)).at(1)
    found = margins(concept, stranger)
    assert found.tokens.shape == (H, W)
    assert np.abs(found.tokens).max() < 1
    assert 0 <= found.presence <= 1
    # Of one that was clicked, its number says that clicks reach further in it.
    in_the_set = margins(concept, CODES.at(1), 1)
    assert not np.array_equal(in_the_set.tokens, margins(concept, CODES.at(1)).tokens)


def test_a_click_that_is_right_already_adds_nothing():
    code = CODES.at((np.array([0, 0]), np.array([3, 3]), np.array([3, 3])))
    concept = fit(code, np.array([0, 0]), np.array([1, 1]))
    assert len(concept.tokens.heights) == len(concept.whole.heights) == 0


def test_a_first_guess_begins_at_its_level_in_its_own_image_and_at_another_elsewhere():
    concept = fit(CODES.at(([0], [3], [3])), np.array([0]), np.array([1]), Level(0.6, 0.4))
    for image, level in ((0, 0.6), (1, 0.4), (None, 0.4)):
        codes = CODES.centred[image or 0].reshape(-1, D)
        likeness = codes @ CODES.centred[0, 3, 3]
        found = concept.tokens.scores(codes, image)
        assert found == pytest.approx((likeness - level) / (1 - level), abs=1e-6)
    # Whether the thing is there at all is another question.
    assert concept.whole.level == Level(UNCENTRED_LEVEL, UNCENTRED_LEVEL)


def test_a_concept_needs_a_positive_click():
    with pytest.raises(ValueError, match="needs a positive click"):
        fit(CODES.at(([0], [1], [1])), np.array([0]), np.array([-1]))


def test_an_opposite_click_on_the_same_code_leaves_finite_margins():
    twice = Codes(CODES.plain[:1, [0, 0], [0, 0]][0], CODES.centred[:1, [0, 0], [0, 0]][0])
    concept = fit(twice, np.array([0, 1]), np.array([1, -1]))
    assert np.isfinite(margins(concept, CODES.at(0), 0).tokens).all()
