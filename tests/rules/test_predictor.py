import io
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.codes import with_centred
from pointprompt.edits import Lock
from pointprompt.rules import predictor as predictor_module
from pointprompt.rules.joint import margins
from pointprompt.rules.predictor import Predictor, clicked_in
from pointprompt.rules.tutorial import predict_tokens
from pointprompt.settings import OUTLINES, RULES, SIZES, JointRule, Settings, TutorialRule
from pointprompt.types import BackboneChoice, Click, Photo

N, H, W = 3, 16, 24
TUTORIAL = Settings(TutorialRule())


def _analysis(kinds, seed=0):
    """An analysis (n, h, w, 8) in which tokens of one kind are alike, up to a little noise."""
    random = np.random.default_rng(seed)
    looks = np.linalg.qr(random.standard_normal((7, 7)))[0]
    tokens = looks[kinds] + 0.02 * random.standard_normal((*kinds.shape, 7))
    tokens /= np.linalg.norm(tokens, axis=-1, keepdims=True)
    constant = np.full((*kinds.shape, 1), 0.1)
    return Analysis(
        photos=tuple(_photo(of_image) for of_image in kinds),
        eigvecs=np.concatenate([constant, tokens], axis=-1).astype(np.float32),
        codes=tokens.astype(np.float32),
        colors=np.zeros((*kinds.shape, 3), np.uint8),
        terms=None,
        backbone=BackboneChoice("fake", "block", 0, 64),
    )


def _photo(kinds):
    """A photo in which every kind (h, w) has a colour of its own."""
    colours = np.uint8([[60, 110, 60], [200, 50, 40], [40, 60, 200], [220, 210, 60]])
    pixels = colours[kinds % len(colours)].repeat(4, axis=0).repeat(4, axis=1)
    preview = io.BytesIO()
    Image.fromarray(pixels).save(preview, "JPEG", quality=95)
    return Photo("photo.jpg", *pixels.shape[:2], preview.getvalue(), pixels)


def _two_things():
    """Background, and a left and a right thing in all images; the last lacks the left one."""
    kinds = np.zeros((N, H, W), int)
    kinds[:-1, 5:11, 3:8] = 1
    kinds[:, 5:11, 15:20] = 2
    return kinds


KINDS = _two_things()
ANALYSIS = _analysis(KINDS)
LEFT, RIGHT = (5.5 / W, 8.5 / H), (17.5 / W, 8.5 / H)
ON_LEFT, ON_RIGHT = Click(0, *LEFT), Click(1, *RIGHT)
NOT_RIGHT = Click(1, *RIGHT, positive=False)


@pytest.fixture(scope="module")
def predictor():
    return Predictor(ANALYSIS)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("click", "kind"), [(ON_LEFT, 1), (ON_RIGHT, 2)])
def test_a_click_on_one_thing_masks_that_thing_in_all_images(predictor, rule, click, kind):
    masks = predictor.predict([click], Settings(RULES[rule]())).masks
    assert np.array_equal(masks, np.isin(KINDS, kind))


@pytest.mark.parametrize("rule", RULES)
def test_clicks_on_two_things_mask_both(predictor, rule):
    masks = predictor.predict([ON_LEFT, ON_RIGHT], Settings(RULES[rule]())).masks
    assert np.array_equal(masks, KINDS > 0)


def test_our_rule_is_the_default_and_the_tutorials_is_one_setting_away(predictor):
    clicks = [ON_LEFT, ON_RIGHT, NOT_RIGHT]
    choice = Settings(TutorialRule(threshold=0.3, gamma=1.5, negative_threshold=0.6, n_eigvecs=5))
    found = predictor.predict(clicks, choice)
    exact = predict_tokens(ANALYSIS.eigvecs, clicks, choice.rule)
    assert np.array_equal(found.heatmaps, exact.heatmaps)
    assert np.array_equal(found.masks, exact.masks)
    default = predictor.predict(clicks, Settings())
    assert np.array_equal(
        default.heatmaps, predictor.predict(clicks, Settings(JointRule())).heatmaps
    )
    assert not np.array_equal(default.heatmaps, predictor.predict(clicks, TUTORIAL).heatmaps)


@pytest.mark.parametrize("settings", [Settings(), TUTORIAL, Settings(one_only=True)])
def test_locked_images_are_as_the_clicks_and_settings_of_the_lock_have_them(settings):
    predictor = Predictor(ANALYSIS)
    lock = Lock((2, 0), (ON_RIGHT,), TUTORIAL)
    found = predictor.predict([ON_LEFT, NOT_RIGHT], settings, [lock])
    own = Predictor(ANALYSIS).predict([ON_LEFT, NOT_RIGHT], settings)
    locked = Predictor(ANALYSIS).predict(lock.clicks, lock.settings)
    for name in ("heatmaps", "masks", "margins", "presence"):
        of = getattr(found, name)
        np.testing.assert_array_equal(of[[0, 2]], getattr(locked, name)[[0, 2]])
        np.testing.assert_array_equal(of[1], getattr(own, name)[1])


def test_a_lock_is_computed_once_however_many_clicks_come_after_it(monkeypatch):
    predictor = Predictor(ANALYSIS)
    computed = []
    plain = predictor_module.predict_jointly
    monkeypatch.setattr(
        predictor_module,
        "predict_jointly",
        lambda codes, clicks, *args, **kwargs: (
            computed.append(clicks) or plain(codes, clicks, *args, **kwargs)
        ),
    )
    locks = [Lock((image,), (Click(image, *LEFT),), Settings()) for image in range(3)]
    for step in range(10):
        predictor.predict([Click(1, 0.1 + step / 50, 0.5)], Settings(), locks)
    assert len(computed) == 10 + 3


def test_a_lock_of_an_image_that_is_not_there_is_an_error(predictor):
    with pytest.raises(ValueError, match="image 3, counted from 0, but the set has only 3"):
        predictor.predict([ON_LEFT], Settings(), [Lock((3,), (ON_LEFT,), Settings())])


def test_an_image_without_the_thing_is_less_present(predictor):
    presence = predictor.predict([ON_LEFT], Settings()).presence
    assert presence[2] < presence[:2].min()


@pytest.mark.parametrize("rule", RULES.values())
def test_a_lower_threshold_takes_more_in_and_never_less(predictor, rule):
    masks = [
        predictor.predict([ON_LEFT, NOT_RIGHT], Settings(rule(threshold=threshold))).masks
        for threshold in (1, 0.75, 0.5, 0.25, 0.05)
    ]
    for less, more in pairwise(masks):
        assert (more | ~less).all()
    assert masks[-1].sum() > masks[0].sum()


@pytest.mark.parametrize(("threshold", "gamma"), [(0.5, 1), (0.3, 1), (0.6, 2.5), (0.25, 0.5)])
def test_by_our_rule_a_token_is_inside_where_its_heatmap_is_above_the_threshold(
    predictor, threshold, gamma
):
    found = predictor.predict([ON_LEFT, NOT_RIGHT], Settings(JointRule(threshold, gamma)))
    clear = np.abs(found.margins) > 1e-5
    assert np.array_equal((found.heatmaps > threshold)[clear], found.masks[clear])
    plain = predictor.predict([ON_LEFT, NOT_RIGHT], Settings(JointRule()))
    assert plain.heatmaps == pytest.approx((plain.margins + 1) / 2, abs=1e-6)
    # In an image that nobody doubts it is the same heatmap, to the power of gamma.
    unclicked = np.abs(plain.margins[0]) < 1
    expected = plain.heatmaps[0][unclicked] ** gamma
    assert found.heatmaps[0][unclicked] == pytest.approx(expected, abs=1e-5)


def test_fewer_eigenvectors_give_another_prediction_and_all_are_the_default(predictor):
    by_count = {
        count: predictor.predict([ON_LEFT], Settings(TutorialRule(n_eigvecs=count))).heatmaps
        for count in (2, 8, 100, None)
    }
    assert np.array_equal(by_count[None], by_count[8])
    assert np.array_equal(by_count[None], by_count[100])
    assert not np.array_equal(by_count[None], by_count[2])


def test_one_eigenvector_is_enough_for_an_answer(predictor):
    prediction = predictor.predict([ON_LEFT], Settings(TutorialRule(n_eigvecs=1)))
    assert np.isfinite(prediction.heatmaps).all()
    assert np.isfinite(prediction.margins).all()


TWINS = np.zeros((2, H, W), int)
TWINS[:, 3:9, 2:8] = 1
TWINS[:, 4:7, 15:18] = 1


@pytest.mark.parametrize("rule", RULES)
def test_of_two_alike_things_only_the_clicked_one_is_kept_and_elsewhere_one(rule):
    predictor = Predictor(_analysis(TWINS))
    small = Click(0, 16.5 / W, 5.5 / H)
    both = predictor.predict([small], Settings(RULES[rule]())).masks
    assert np.array_equal(both, TWINS == 1)
    prediction = predictor.predict([small], Settings(RULES[rule](), one_only=True))
    of_clicked, elsewhere = prediction.masks
    assert of_clicked[4:7, 15:18].all()
    assert of_clicked.sum() == 9
    # Where nothing was clicked, the larger of two alike things is the surer one.
    assert elsewhere[3:9, 2:8].all()
    assert elsewhere.sum() == 36
    assert np.array_equal(prediction.masks, prediction.margins > 0)


@pytest.mark.parametrize("rule", RULES)
def test_both_of_two_alike_things_are_kept_where_both_were_clicked(rule):
    predictor = Predictor(_analysis(TWINS))
    clicks = [Click(0, 16.5 / W, 5.5 / H), Click(0, 5.5 / W, 5.5 / H)]
    masks = predictor.predict(clicks, Settings(RULES[rule](), one_only=True)).masks
    assert np.array_equal(masks[0], TWINS[0] == 1)
    assert masks[1].sum() == 36


coordinates = st.floats(0, 1, exclude_max=True)
prompts = st.lists(
    st.builds(Click, st.integers(0, N - 1), coordinates, coordinates, st.booleans()), max_size=8
)
thresholds, gammas = st.floats(0, 1), st.floats(0.1, 5)
choices = st.builds(
    Settings,
    st.builds(JointRule, thresholds, gammas)
    | st.builds(
        TutorialRule,
        thresholds,
        gammas,
        min_area=st.integers(0, 20),
        negative_threshold=st.floats(0, 1),
        n_eigvecs=st.none() | st.integers(1, 40),
    ),
    one_only=st.booleans(),
)


def labels_of(clicks):
    """What each clicked token shall be: on one token the last click counts."""
    return {(click.image, int(click.y * H), int(click.x * W)): click.positive for click in clicks}


@given(clicks=prompts, choice=choices)
def test_any_prediction_is_what_its_docstring_says(clicks, choice):
    prediction = Predictor(ANALYSIS).predict(clicks, choice)
    for array in (prediction.heatmaps, prediction.margins):
        assert array.shape == (N, H, W)
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert np.abs(prediction.margins).max() <= 1
    assert prediction.masks.dtype == bool
    assert np.array_equal(prediction.masks, prediction.margins > 0)
    assert prediction.presence.shape == (N,)
    assert prediction.presence.dtype == np.float32
    assert prediction.presence.min() >= 0
    assert prediction.presence.max() <= 1
    if not any(click.positive for click in clicks):
        assert not prediction.masks.any()
        assert not prediction.heatmaps.any()
        assert not prediction.presence.any()
    labels = labels_of(clicks)
    if any(labels.values()):
        # Certainty is for what a person said.
        clicked = np.zeros((N, H, W), bool)
        for token in labels:
            clicked[token] = True
        assert np.abs(prediction.margins[~clicked]).max() < 1


@given(clicks=prompts.filter(lambda clicks: any(click.positive for click in clicks)))
def test_by_our_rule_every_click_is_obeyed(clicks):
    masks = Predictor(ANALYSIS).predict(clicks, Settings()).masks
    wanted = labels_of(clicks)
    if any(wanted.values()):
        assert {token: bool(masks[token]) for token in wanted} == wanted


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("positive", [True, False])
def test_a_click_on_an_image_that_is_not_there_is_an_error(predictor, rule, positive):
    with pytest.raises(ValueError, match="image 3"):
        predictor.predict([ON_LEFT, Click(3, 0.5, 0.5, positive)], Settings(RULES[rule]()))


@pytest.mark.parametrize("rule", RULES)
def test_a_prediction_depends_on_nothing_before_it_and_belongs_to_its_caller(rule):
    choice = Settings(RULES[rule]())
    fresh = Predictor(ANALYSIS).predict([ON_LEFT, NOT_RIGHT], choice)
    used = Predictor(ANALYSIS)
    used.predict([ON_RIGHT], choice)
    used.predict([ON_LEFT], Settings(RULES[rule](), one_only=True))
    first = used.predict([ON_LEFT, NOT_RIGHT], choice)
    assert np.array_equal(first.margins, fresh.margins)
    assert np.array_equal(first.heatmaps, fresh.heatmaps)
    for array in (first.heatmaps, first.masks, first.margins, first.presence):
        array[:] = 0
    again = used.predict([ON_LEFT, NOT_RIGHT], choice)
    assert np.array_equal(again.margins, fresh.margins)
    assert np.array_equal(again.masks, fresh.masks)


def test_several_threads_may_ask_at_once(predictor):
    asked = [
        ([click], Settings(rule))
        for rule in (JointRule(), JointRule(0.3), TutorialRule(), TutorialRule(n_eigvecs=3))
        for click in (ON_LEFT, ON_RIGHT)
    ]
    expected = [Predictor(ANALYSIS).predict(*one).margins for one in asked]
    found = [None] * len(asked)

    def ask(index):
        found[index] = predictor.predict(*asked[index]).margins

    threads = [threading.Thread(target=ask, args=[index]) for index in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)


def test_its_memory_is_bounded_and_the_analysis_stays_as_it_is():
    analysis = _analysis(KINDS)
    before = analysis.eigvecs.copy(), analysis.codes.copy()
    predictor = Predictor(analysis)
    predictor.predict([ON_LEFT, NOT_RIGHT], Settings())
    # Both the tutorial's vectors and our centred codes are held beside the analysis.
    assert predictor.max_bytes >= analysis.eigvecs.nbytes + analysis.codes.nbytes
    assert np.array_equal(analysis.eigvecs, before[0])
    assert np.array_equal(analysis.codes, before[1])


def test_a_rule_is_prepared_when_it_is_used_and_not_before():
    script = (
        "import sys\n"
        "from tests.rules.test_predictor import ANALYSIS, ON_LEFT, Predictor, Settings\n"
        "sys.modules.pop('torch', None), sys.modules.pop('pointprompt.rules.tutorial', None)\n"
        "Predictor(ANALYSIS).predict([ON_LEFT], Settings())\n"
        "assert 'pointprompt.rules.tutorial' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_last_answer_is_remembered_whoever_draws_of_it(monkeypatch):
    asked = []
    original = predictor_module.predict_jointly

    def counted(*args, **same):
        asked.append(args)
        return original(*args)

    monkeypatch.setattr(predictor_module, "predict_jointly", counted)
    used = Predictor(ANALYSIS)
    for outline in OUTLINES:
        used.predict([ON_LEFT, NOT_RIGHT], Settings(outline=outline))
    assert len(asked) == 1
    used.predict([ON_LEFT], Settings())
    used.predict([ON_LEFT], Settings(one_only=True))
    used.predict([ON_LEFT], Settings(JointRule(threshold=0.4)))
    assert len(asked) == 4


def _thing_with_a_rim(rim, around):
    """An analysis of one image (32, 32): a thing with another rim, of these codes."""
    kinds = np.zeros((1, 32, 32), int)
    kinds[0, 8:24, 8:24], kinds[0, 13:19, 13:19] = 1, 2
    codes = np.array([around, rim, (1, 0, 0, 0)], np.float32)[kinds]
    codes /= np.linalg.norm(codes, axis=-1, keepdims=True)
    return replace(_analysis(kinds), codes=codes)


def test_more_holds_the_thing_and_the_thing_holds_the_part():
    # On a background that is a little like both.
    in_one = Predictor(_thing_with_a_rim((1, 2, 0, 0.2), (0.2, 0, 0, 1)))
    more, thing, part = (
        in_one.predict([Click(0, 0.5, 0.5)], Settings(JointRule(size=size))).masks[0]
        for size in SIZES
    )
    assert part.sum() == 6 * 6
    assert not (part & ~thing).any()
    assert not (thing & ~more).any()
    assert more.sum() > part.sum()


def test_what_is_the_same_image_has_the_same_margins_as_the_one_that_was_clicked():
    kinds = np.concatenate([KINDS[:2], KINDS[:2]])
    analysis = _analysis(kinds)
    twice = replace(analysis, codes=np.concatenate([analysis.codes[:2]] * 2))
    clicks = [ON_LEFT, NOT_RIGHT]
    found = Predictor(twice).predict(clicks, Settings())
    for clicked, other in ((0, 2), (1, 3)):
        differ = found.margins[clicked] != found.margins[other]
        assert differ.sum() == 1  # the token that was clicked
        assert abs(found.margins[clicked][differ]) == 1


def test_a_second_click_beyond_the_stable_region_says_that_more_was_meant():
    in_one = Predictor(_thing_with_a_rim((1, 1.2, 0, 0), (0, 0, 0, 1)))
    middle, rim = Click(0, 0.5, 0.5), Click(0, 0.3, 0.3)
    assert in_one.predict([middle, rim], Settings()).masks[0].sum() == 16 * 16


@pytest.mark.parametrize("size", SIZES)
def test_later_clicks_do_not_change_what_the_first_one_means(predictor, monkeypatch, size):
    settings, looked = Settings(JointRule(size=size)), []
    once = Predictor(ANALYSIS)
    found = predictor_module.stable_level
    monkeypatch.setattr(
        predictor_module, "stable_level", lambda *args: looked.append(args) or found(*args)
    )
    for clicks in ([ON_LEFT], [ON_LEFT, NOT_RIGHT], [NOT_RIGHT, ON_LEFT, ON_RIGHT]):
        once.predict(clicks, settings)
    assert len(looked) == (0 if size == "more" else 1)


def test_a_concept_of_its_own_gives_the_margins_of_a_prediction():
    analysis = _analysis(KINDS)
    predictor = Predictor(analysis)
    clicks = [Click(0, 0.2, 0.5), Click(1, 0.7, 0.5, positive=False)]
    concept = predictor.concept(clicks, JointRule())
    assert concept is not None
    expected = predictor.predict(clicks, Settings())
    codes = with_centred(analysis.codes)
    labels = predictor_module.labels_of(clicks, H, W)
    for image in range(N):
        found = margins(concept, codes.at(image), image, clicked=clicked_in(image, labels))
        np.testing.assert_array_equal(found.tokens, expected.margins[image])
        assert np.float32(found.presence) == expected.presence[image]


def test_without_this_there_is_no_concept_and_a_click_elsewhere_is_an_error():
    predictor = Predictor(_analysis(KINDS))
    assert predictor.concept([Click(0, 0.5, 0.5, positive=False)], JointRule()) is None
    with pytest.raises(ValueError, match="image 9"):
        predictor.concept([Click(9, 0.5, 0.5)], JointRule())
