"""A concept: what it is made of, that it knows no image set, and that splitting the rule into what
clicks say and what of an image is said changed no mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointprompt.analysis.codes import unit, with_centred
from pointprompt.grid import token_of
from pointprompt.rules.concept import (
    BEST,
    ENOUGH,
    LEAST_GUESS,
    LEAST_LIKE,
    OF_EXPECTED,
    OF_LOOKS,
    REACH,
    STEP,
    STEP_ELSEWHERE,
    TIE,
    USUAL,
    USUALLY_LIKE,
    Level,
    fit,
)
from pointprompt.rules.joint import margins
from pointprompt.rules.predictor import fit_jointly, labels_of, predict_jointly
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

    first = next(token for token, label in labels.items() if label > 0)
    z = codes.centred
    of_image = np.full((N, 1, 1), level.elsewhere, np.float32)
    of_image[first[0]] = level.own
    f = np.maximum(LEAST_GUESS, (z @ z[first] - of_image) / (1 - of_image))
    before = {first: 1}
    for token, label in labels.items():
        if token == first:
            continue
        likeness = z @ z[token]
        weight = np.exp((likeness - 1) / REACH)
        if rivals := [z @ z[t] for t in before if before[t] != label]:
            weight /= 1 + np.exp((np.max(rivals, axis=0) - likeness) / TIE)
        height = np.full((N, 1, 1), max(0, STEP_ELSEWHERE - label * f[token]), np.float32)
        height[token[0]] = max(0, STEP - label * f[token])
        f = f + np.float32(label) * height * weight
        before[token] = label
    means = {}
    for image in {image for (image, _, _), label in labels.items() if label > 0}:
        this = [codes.plain[t] for t, label in labels.items() if label > 0 and t[0] == image]
        inside = np.maximum(f[image], 0)[..., None] * codes.plain[image]
        means[image] = unit(inside.sum(axis=(0, 1)) + np.sum(this, axis=0))

    def likeness_to_looks(image, of):
        together = unit(np.sum([means[which] for which in of], axis=0))
        looks = [unit(means[which] + together) for which in of]
        return np.max([codes.plain[image] @ look for look in looks], axis=0)

    def best(likeness):
        return np.sort(likeness, axis=None)[-max(1, round(BEST * H * W)) :].mean()

    level = LEAST_LIKE
    if len(means) >= ENOUGH:
        expected = [best(likeness_to_looks(i, means.keys() - {i})) for i in means]
        level = max(LEAST_LIKE, OF_EXPECTED * np.mean(expected))
    likeness = np.array([likeness_to_looks(i, means.keys()) for i in range(N)])
    f = f + OF_LOOKS * (1 - 1 / len(means)) * (likeness - USUALLY_LIKE)
    s = np.array([(best(of_image) - level) / (1 - level) for of_image in likeness])
    empty = [image for image in range(N) if s[image] <= 0 and image not in means]
    f[empty] = -np.abs(f[empty])
    inside = np.nextafter(np.float32(1), np.float32(0))
    f = np.clip(f, -inside, inside)
    for token, label in labels.items():
        f[token] = label
    return f, np.clip((s + 1) / 2, 0, 1)


coordinates = st.floats(0, 1, exclude_max=True)
prompts = st.lists(
    st.builds(Click, st.integers(0, N - 1), coordinates, coordinates, st.booleans()),
    min_size=1,
    max_size=15,
).filter(lambda clicks: any(click.positive for click in clicks))


@settings(max_examples=200)
@given(prompts, st.integers(0, 5))
def test_image_by_image_the_rule_says_what_it_says_of_the_whole_set(clicks, seed):
    codes = with_centred(_codes(seed))
    labels = {(c.image, *token_of(c, H, W)): c.positive for c in clicks}
    if not any(labels.values()):
        return
    expected, of_images = _whole_set(codes, clicks)
    prediction = predict_jointly(codes, clicks, JointRule())
    found, presence = prediction.margins, prediction.presence
    rounded = 1e-5
    assert found == pytest.approx(expected, abs=rounded)
    assert presence == pytest.approx(of_images, abs=rounded)
    clear = np.abs(expected) > rounded
    assert np.array_equal((found > 0)[clear], (expected > 0)[clear])


@settings(max_examples=100)
@given(prompts, prompts, st.integers(0, 5))
def test_clicks_that_go_on_from_a_concept_say_what_they_say_after_its_own(first, others, seed):
    codes = with_centred(_codes(seed))
    whole = fit_jointly(codes, labels_of([*first, *others], H, W), USUAL)
    labels = labels_of(first, H, W)
    # On a token that is clicked again the last one counts, in one go.
    if whole is None or any(labels.get(token) for token in labels_of(others, H, W)):
        return
    start = fit_jointly(codes, labels, USUAL)
    gone_on = fit_jointly(codes, labels_of(others, H, W), start=start)
    assert gone_on.tokens.codes == pytest.approx(whole.tokens.codes, abs=0)
    assert gone_on.tokens.heights == pytest.approx(whole.tokens.heights, abs=1e-6)
    assert gone_on.tokens.heights_elsewhere == pytest.approx(
        whole.tokens.heights_elsewhere, abs=1e-6
    )
    assert gone_on.sure_of == whole.sure_of
    again = fit_jointly(codes, labels, start=start)
    np.testing.assert_array_equal(again.tokens.heights, start.tokens.heights)
    np.testing.assert_array_equal(again.looks.codes, start.looks.codes)


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


def _seen(*images):
    return {image: CODES.at(image).flat() for image in images}


def _concept():
    return fit(CODES.at(tuple(TOKENS.T)), TOKENS[:, 0], LABELS, _seen(0))


def test_a_concept_is_a_few_kilobytes_whatever_the_size_of_the_set():
    concept = _concept()
    values = [*vars(concept.tokens).values(), *vars(concept.looks).values()]
    arrays = [value for value in values if isinstance(value, np.ndarray)]
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
    concept = fit(code, np.array([0, 0]), np.array([1, 1]), _seen(0))
    assert not concept.tokens.heights.any()
    assert not concept.tokens.heights_elsewhere.any()


def test_a_first_guess_begins_at_its_level_in_its_own_image_and_at_another_elsewhere():
    code = CODES.at(([0], [3], [3]))
    concept = fit(code, np.array([0]), np.array([1]), _seen(0), Level(0.6, 0.4))
    for image, level in ((0, 0.6), (1, 0.4), (None, 0.4)):
        codes = CODES.centred[image or 0].reshape(-1, D)
        likeness = codes @ CODES.centred[0, 3, 3]
        found = concept.tokens.scores(codes, image)
        guess = np.maximum(LEAST_GUESS, (likeness - level) / (1 - level))
        assert found == pytest.approx(guess, abs=1e-6)


def test_a_concept_needs_a_positive_click():
    with pytest.raises(ValueError, match="needs a positive click"):
        fit(CODES.at(([0], [1], [1])), np.array([0]), np.array([-1]), {})


def test_an_opposite_click_on_the_same_code_leaves_finite_margins():
    twice = Codes(CODES.plain[:1, [0, 0], [0, 0]][0], CODES.centred[:1, [0, 0], [0, 0]][0])
    concept = fit(twice, np.array([0, 1]), np.array([1, -1]), _seen(0))
    assert np.isfinite(margins(concept, CODES.at(0), 0).tokens).all()


def test_looks_do_not_depend_on_how_much_of_the_thing_is_in_an_image():
    random = np.random.default_rng(1)
    things = unit(random.normal(size=(3, D)).astype(np.float32) + 2 * np.eye(1, D))
    seen = {}
    for image, tokens in enumerate((10, 400, 50)):
        inside = np.tile(things[image], (tokens, 1))
        seen[image] = Codes(inside, inside)
    looks = fit(Codes(things, things), np.arange(3), np.ones(3, int), seen).looks
    assert looks.codes == pytest.approx(unit(things + unit(things.sum(axis=0))), abs=1e-5)
    # Each image is judged by the two others.
    of_two = [np.delete(things, image, axis=0) for image in range(3)]
    expected = [
        (unit(two + unit(two.sum(axis=0))) @ thing).max()
        for two, thing in zip(of_two, things, strict=True)
    ]
    assert looks.level == pytest.approx(OF_EXPECTED * np.mean(expected), abs=1e-5)
    same = looks.likeness(looks.codes[:1].repeat(7, axis=0))
    assert looks.of_image(same) == pytest.approx(1, abs=1e-5)
    assert looks.of_tokens(same) == pytest.approx(OF_LOOKS * 2 / 3 * (1 - USUALLY_LIKE), abs=1e-5)
    # Two images are not enough to know what is to be expected.
    two = fit(
        Codes(things[:2], things[:2]), np.arange(2), np.ones(2, int), {0: seen[0], 1: seen[1]}
    )
    assert two.looks.level == LEAST_LIKE
    # One image says little of how the thing looks.
    one = fit(Codes(things[:1], things[:1]), np.arange(1), np.ones(1, int), {0: seen[0]})
    assert not one.looks.of_tokens(same).any()
