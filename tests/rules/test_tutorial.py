import gc
import importlib.util
import sys
import threading
import weakref
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pointprompt.rules import tutorial
from pointprompt.rules.tutorial import Scorer, get_mask, most_bytes, predict_tokens
from pointprompt.settings import TutorialRule as Settings
from pointprompt.types import Click


def _reference():
    """The module that made the reference masks: it has the cases and their eigenvectors."""
    path = Path(__file__).parents[1] / "data" / "make_get_mask_reference.py"
    spec = importlib.util.spec_from_file_location("make_get_mask_reference", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


REFERENCE = _reference()


@pytest.fixture(scope="module")
def stored():
    with np.load(REFERENCE.FILE) as file:
        return dict(file)


@pytest.mark.parametrize("case", REFERENCE.CASES, ids=lambda case: case.name)
def test_masks_are_exactly_those_of_ncut_pytorch_1_8_0(case, stored):
    eigvecs = REFERENCE.eigvecs_of(case, int(stored[f"{case.name}_seed"]))
    shape = (len(case.parameters), *case.shape[:3])
    packed = stored[f"{case.name}_masks"]
    expected = np.unpackbits(packed, count=np.prod(shape)).reshape(shape).astype(bool)
    for parameters, mask in zip(case.parameters, expected, strict=True):
        ours = get_mask(
            eigvecs,
            eigvecs[case.clicked],
            parameters.threshold,
            parameters.gamma,
            parameters.denoise,
            parameters.denoise_area_th,
        )
        assert ours.dtype == bool
        assert np.array_equal(ours, mask), parameters


def test_the_reference_holds_masks_that_are_neither_empty_nor_full(stored):
    for case in REFERENCE.CASES:
        share = np.unpackbits(stored[f"{case.name}_masks"]).mean()
        assert 0.01 < share < 0.6


@pytest.mark.parametrize("unit", [True, False])
def test_a_heatmap_follows_the_equations(unit):
    eigvecs = np.random.default_rng(1).standard_normal((3, 20, 30, 7)).astype(np.float32)
    if unit:
        eigvecs /= np.linalg.norm(eigvecs, axis=-1, keepdims=True)
    gamma = 1.7
    exact = eigvecs.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=-1, keepdims=True)
    distance = 1 - exact @ exact[1, 4, 5]
    closeness = 1 / np.exp((distance - distance.mean()) / distance.std(ddof=1)) ** gamma
    low, high = np.quantile(closeness, [0.01, 0.99])
    heatmaps = predict_tokens(
        eigvecs, [Click(1, 5.5 / 30, 4.5 / 20)], Settings(gamma=gamma)
    ).heatmaps
    assert heatmaps.dtype == np.float32
    np.testing.assert_allclose(heatmaps, (closeness - low) / (high - low), atol=2e-5, rtol=2e-5)


def test_eigenvectors_of_length_1_stay_as_they_are_to_the_last_bit():
    eigvecs = np.random.default_rng(1).standard_normal((2, 20, 30, 7)).astype(np.float32)
    eigvecs /= np.linalg.norm(eigvecs, axis=-1, keepdims=True)
    assert np.array_equal(tutorial._unit_vectors(eigvecs).numpy(), eigvecs)
    eigvecs[1, 3, 3] *= 2
    lengths = np.linalg.norm(tutorial._unit_vectors(eigvecs).numpy(), axis=-1)
    np.testing.assert_allclose(lengths, 1, atol=1e-6)


def _blobs(n=2, h=16, w=24):
    """Three kinds of tokens, the same in all images: background, a left blob, a right blob."""
    generator = np.random.default_rng(0)
    kinds = np.zeros((n, h, w), int)
    kinds[:, 5:11, 3:8] = 1
    kinds[:, 5:11, 15:20] = 2
    eigvecs = np.eye(3, 6)[kinds] + 0.05 * generator.standard_normal((n, h, w, 6))
    return eigvecs.astype(np.float32), kinds


LEFT = Click(0, 5.5 / 24, 8.5 / 16)
RIGHT = Click(1, 17.5 / 24, 8.5 / 16)
NOT_LEFT = Click(1, 5.5 / 24, 8.5 / 16, positive=False)
SMALL = np.random.default_rng(3).standard_normal((2, 16, 24, 6)).astype(np.float32)


def test_a_click_on_one_blob_masks_that_blob_only_in_all_images():
    eigvecs, kinds = _blobs()
    masks = predict_tokens(eigvecs, [LEFT], Settings()).masks
    assert np.array_equal(masks, kinds == 1)


def test_positive_clicks_are_joined_by_or():
    eigvecs, kinds = _blobs()
    result = predict_tokens(eigvecs, [LEFT, RIGHT], Settings())
    assert np.array_equal(result.masks, kinds > 0)
    alone = [predict_tokens(eigvecs, [click], Settings()).heatmaps for click in (LEFT, RIGHT)]
    assert np.array_equal(result.heatmaps, np.maximum(*alone))


def test_a_negative_click_takes_its_own_mask_away_with_its_own_threshold_and_no_denoise():
    choice = Settings(threshold=0.1, negative_threshold=0.3, gamma=1.5, min_area=8)
    result = predict_tokens(SMALL, [LEFT, NOT_LEFT], choice)
    positive = get_mask(SMALL, SMALL[0, 8, 5], 0.1, 1.5, True, 8)
    negative = get_mask(SMALL, SMALL[1, 8, 5], 0.3, 1.5, False)
    assert (positive & negative).any()
    assert (positive & ~negative).any()
    assert np.array_equal(result.masks, positive & ~negative)
    without = predict_tokens(SMALL, [LEFT], choice)
    assert np.array_equal(result.heatmaps, without.heatmaps)


@pytest.mark.parametrize("clicks", [[], [NOT_LEFT]])
def test_without_a_positive_click_nothing_is_selected(clicks):
    eigvecs, kinds = _blobs()
    result = predict_tokens(eigvecs, clicks, Settings())
    assert result.masks.shape == result.heatmaps.shape == kinds.shape
    assert result.masks.dtype == bool
    assert not result.masks.any()
    assert not result.heatmaps.any()


def test_the_same_click_twice_is_the_same_as_once():
    eigvecs, _ = _blobs()
    _assert_same(
        predict_tokens(eigvecs, [LEFT, NOT_LEFT] * 2, Settings()),
        predict_tokens(eigvecs, [LEFT, NOT_LEFT], Settings()),
    )


def test_only_the_first_eigenvectors_are_used_where_asked():
    eigvecs, _ = _blobs()
    few = predict_tokens(eigvecs, [LEFT], Settings(n_eigvecs=2))
    _assert_same(few, predict_tokens(eigvecs[..., :2].copy(), [LEFT], Settings()))
    assert np.array_equal(few.masks, get_mask(eigvecs[..., :2], eigvecs[0, 8, 5, :2]))
    assert not np.array_equal(few.heatmaps, predict_tokens(eigvecs, [LEFT], Settings()).heatmaps)


def test_more_eigenvectors_than_there_are_means_all():
    eigvecs, _ = _blobs()
    _assert_same(
        predict_tokens(eigvecs, [LEFT], Settings(n_eigvecs=99)),
        predict_tokens(eigvecs, [LEFT], Settings()),
    )


def test_a_click_on_an_image_that_is_not_there_is_an_error():
    eigvecs, _ = _blobs(n=2)
    for positive in (True, False):
        with pytest.raises(ValueError, match="image 2"):
            predict_tokens(eigvecs, [LEFT, Click(2, 0.5, 0.5, positive)], Settings())


def test_regions_that_touch_at_a_corner_are_one_and_regions_of_two_images_are_not():
    mask = np.zeros((2, 5, 6), bool)
    mask[0, 0, 0] = mask[0, 1, 1] = mask[0, 2, 2] = True  # a diagonal of three
    mask[0, 4, 4:6] = True  # two
    mask[1, 4, 4:6] = True  # two more, at the same place of the next image
    heatmap = mask.astype(np.float32)
    for min_area, left in ((0, 7), (1, 7), (2, 7), (3, 3), (4, 0)):
        assert tutorial._mask(heatmap, 0.5, min_area).sum() == left


def test_a_threshold_keeps_only_what_is_above_it():
    heatmap = np.array([[[0.7, 0.5]]], np.float32)
    assert tutorial._mask(heatmap, 0.5, 0).tolist() == [[[True, False]]]
    # 0.7 as float32 is a little below 0.7; it must not be above itself, whatever its type.
    for threshold in (0.7, np.float32(0.7), np.float64(0.7)):
        assert not tutorial._mask(heatmap, threshold, 0).any()


# What a Scorer remembers.


def _assert_same(one, other):
    assert np.array_equal(one.heatmaps, other.heatmaps)
    assert np.array_equal(one.masks, other.masks)


CHOICES = [
    Settings(threshold=t, gamma=g, denoise=d, min_area=a, negative_threshold=0.9, n_eigvecs=k)
    for t, g, d, a, k in product((0.3, 0.6), (1.0, 2.5), (True, False), (4,), (None, 3))
]
POINTS = [LEFT, RIGHT, NOT_LEFT, Click(0, 0.9, 0.1), Click(1, 0.1, 0.9, positive=False)]
SHARED = Scorer(SMALL)


@settings(max_examples=60)
@given(clicks=st.lists(st.sampled_from(POINTS), max_size=6), choice=st.sampled_from(CHOICES))
def test_what_a_scorer_remembers_never_changes_a_result(clicks, choice):
    _assert_same(SHARED.predict(clicks, choice), predict_tokens(SMALL, clicks, choice))


def test_a_scorer_agrees_with_get_mask():
    for choice in CHOICES:
        k = choice.n_eigvecs or 6
        eigvecs = SMALL[..., :k]
        expected = get_mask(
            eigvecs, eigvecs[0, 8, 5], choice.threshold, choice.gamma, choice.denoise, 4
        )
        assert np.array_equal(SHARED.predict([LEFT], choice).masks, expected)


def test_a_result_belongs_to_its_caller():
    scorer = Scorer(SMALL)
    first = scorer.predict([LEFT], Settings())
    expected = predict_tokens(SMALL, [LEFT], Settings())
    first.heatmaps[:] = 7
    first.masks[:] = True
    _assert_same(scorer.predict([LEFT], Settings()), expected)


def _count(monkeypatch, name):
    calls = []
    original = getattr(tutorial, name)

    def counted(*args):
        calls.append(args)
        return original(*args)

    monkeypatch.setattr(tutorial, name, counted)
    return calls


def test_only_new_clicks_are_computed(monkeypatch):
    heatmaps = _count(monkeypatch, "_heatmap")
    scorer = Scorer(SMALL)
    for last in range(1, len(POINTS) + 1):
        scorer.predict(POINTS[:last], Settings())
        assert len(heatmaps) == last
    scorer.predict(POINTS, Settings(threshold=0.8))
    assert len(heatmaps) == len(POINTS)
    scorer.predict(POINTS, Settings(gamma=2.0))
    assert len(heatmaps) == 2 * len(POINTS)


def test_lengths_are_normalised_once(monkeypatch):
    normalised = _count(monkeypatch, "_unit_vectors")
    scorer = Scorer(SMALL)
    scorer.predict(POINTS, Settings())
    scorer.predict(POINTS, Settings(gamma=2.0))
    assert len(normalised) == 1


def test_memory_is_bounded_with_more_clicks_than_are_remembered(monkeypatch):
    tokens = SMALL[..., 0].size
    monkeypatch.setattr(tutorial, "HEATMAP_BYTES", 2 * 4 * tokens)
    monkeypatch.setattr(tutorial, "MASK_BYTES", 3 * tokens)
    heatmaps = _count(monkeypatch, "_heatmap")
    scorer = Scorer(SMALL)
    assert most_bytes(SMALL.shape) == SMALL.nbytes + 2 * 4 * tokens + 3 * tokens
    _assert_same(scorer.predict(POINTS, Settings()), predict_tokens(SMALL, POINTS, Settings()))
    heatmaps.clear()
    scorer.predict(POINTS[:1], Settings())
    assert len(heatmaps) == 1  # forgotten, so computed anew


def test_a_scorer_frees_its_memory_when_it_is_dropped():
    eigvecs = SMALL.copy()
    freed = weakref.ref(eigvecs)
    gc.disable()
    try:
        scorer = Scorer(eigvecs)
        scorer.predict(POINTS, Settings())
        del scorer, eigvecs
        assert freed() is None
    finally:
        gc.enable()


def test_several_threads_get_the_same_as_one():
    scorer = Scorer(SMALL)
    expected = [predict_tokens(SMALL, POINTS, choice) for choice in CHOICES]
    together = threading.Barrier(4)
    failures = []

    def work(start):
        try:
            together.wait()
            for i in range(len(CHOICES)):
                number = (start + i) % len(CHOICES)
                _assert_same(scorer.predict(POINTS, CHOICES[number]), expected[number])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(4 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# What may be handed in.


def test_arrays_and_tensors_of_any_kind_of_number_give_the_same():
    whole = np.random.default_rng(5).integers(-9, 10, (2, 9, 11, 5))
    expected = get_mask(whole.astype(np.float32), whole[0, 3, 3].astype(np.float32))
    assert expected.any()
    tensor = torch.from_numpy(whole)
    inputs = [
        whole,
        whole.astype(np.float64),
        whole.astype(">f4"),
        np.asfortranarray(whole.astype(np.float32)),
        tensor.float(),
        tensor.double().requires_grad_(),
        tensor.to(torch.bfloat16),
        tensor.half(),
    ]
    for eigvecs in inputs:
        assert np.array_equal(get_mask(eigvecs, eigvecs[0, 3, 3]), expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("unit", [True, False])
def test_what_is_handed_in_may_be_read_only_and_stays_as_it_is(unit):
    eigvecs = SMALL / np.linalg.norm(SMALL, axis=-1, keepdims=True) if unit else SMALL.copy()
    before = eigvecs.copy()
    eigvecs.flags.writeable = False
    get_mask(eigvecs, eigvecs[0, 8, 5])
    predict_tokens(eigvecs, POINTS, Settings(n_eigvecs=4))
    assert np.array_equal(eigvecs, before)


def test_the_global_generators_are_untouched():
    eigvecs = np.random.default_rng(0).standard_normal((3, 64, 64, 4)).astype(np.float32)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    get_mask(eigvecs, eigvecs[0, 8, 5])
    assert np.array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize(
    ("eigvecs", "sentence"),
    [
        (np.zeros((4, 4, 3)), "first axis of 1"),
        (np.zeros((1, 1, 4, 4, 3)), "axes"),
        (np.zeros(()), "axes"),
        (np.zeros((0, 4, 4, 3)), "no tokens"),
        (np.zeros((1, 4, 4, 0)), "no tokens"),
        (np.full((1, 4, 4, 3), np.nan), "finite"),
        (np.full((1, 4, 4, 3), np.inf), "finite"),
        (np.full((1, 4, 4, 3), 1e300), "finite"),
        (np.zeros((1, 4, 4, 3), complex), "real numbers"),
        (np.zeros((1, 4, 4, 3), object), "real numbers"),
        (np.full((1, 4, 4, 3), "a"), "real numbers"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_eigenvectors_that_cannot_be_scored_are_an_error(eigvecs, sentence):
    with pytest.raises(ValueError, match=sentence):
        get_mask(eigvecs, np.zeros(3))
    with pytest.raises(ValueError, match=sentence):
        predict_tokens(eigvecs, [Click(0, 0.5, 0.5)], Settings())


@pytest.mark.parametrize(
    ("clicked", "sentence"),
    [
        (np.zeros(5), r"shape \(6,\)"),
        (np.zeros((1, 6)), r"shape \(6,\)"),
        (np.array(1.0), r"shape \(6,\)"),
        (np.full(6, np.nan), "finite"),
        (torch.full((6,), torch.inf), "finite"),
    ],
)
def test_a_clicked_eigenvector_that_does_not_fit_is_an_error(clicked, sentence):
    with pytest.raises(ValueError, match=sentence):
        get_mask(SMALL, clicked)


@pytest.mark.parametrize("name", ["threshold", "gamma", "denoise_area_th"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_parameter_that_is_not_finite_is_an_error(name, value):
    with pytest.raises(ValueError, match=name):
        get_mask(SMALL, SMALL[0, 0, 0], **{name: value})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (1, 1, 1, 1), (2, 4, 4, 3), (1, 64, 64, 5)])
def test_where_all_tokens_are_the_same_nothing_is_selected(shape, value):
    eigvecs = np.full(shape, value, np.float32)
    for threshold in (0.0, 0.5, 1.0):
        assert not get_mask(eigvecs, eigvecs[0, 0, 0], threshold).any()
    result = predict_tokens(eigvecs, [Click(0, 0.5, 0.5)], Settings(threshold=0))
    assert not result.masks.any()
    assert not result.heatmaps.any()


@pytest.mark.filterwarnings("error")
def test_one_token_unlike_all_others_gives_finite_heatmaps():
    eigvecs = np.ones((1, 64, 64, 3), np.float32)
    eigvecs[0, 10, 20] = -1
    for click in (Click(0, 20.5 / 64, 10.5 / 64), Click(0, 0.9, 0.9)):
        result = predict_tokens(eigvecs, [click], Settings(gamma=10.0))
        assert np.isfinite(result.heatmaps).all()
    alone = get_mask(eigvecs, eigvecs[0, 10, 20], denoise=False)
    assert np.argwhere(alone).tolist() == [[0, 10, 20]]


def test_two_identical_images_get_identical_masks():
    eigvecs = np.concatenate([SMALL[:1], SMALL[:1]])
    masks = predict_tokens(eigvecs, [LEFT], Settings(threshold=0.3)).masks
    assert masks.any()
    assert np.array_equal(masks[0], masks[1])
