"""The program that fits the outline, on made planes and scenes whose right answers are known."""

import ast
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.fit_outline import (
    PLANES,
    Half,
    as_python,
    contenders,
    figures,
    fit,
    sampled_iou,
    weights_table,
)
from benchmarks.outline_samples import (
    CLICKS_TAKEN,
    PIXELS,
    TRUE,
    Example,
    Samples,
    joined,
    sample,
)
from benchmarks.robust import disc_scene
from pointprompt.grid import enlarge
from pointprompt.masks.fusion import WEIGHTS
from pointprompt.masks.photo_edges import PhotoEdges

GRID = (24, 32)


def samples_of(planes, truth, near=0.0):
    """Samples of planes (s, p, planes) where the contrast near is the same everywhere."""
    factors = np.zeros((*truth.shape, 3), np.float32)
    factors[..., :2] = 1, near
    return Samples(planes.astype(np.float32), factors, truth.astype(np.float32))


def made_samples(knowing=1, planes=4, seed=0, near=0.0):
    """Samples of noise, but for one plane, which is the truth as 1 and -1."""
    random = np.random.default_rng(seed)
    truth = random.random((6, 400)) < 0.3
    noise = random.normal(0, 1, (*truth.shape, planes))
    noise[..., knowing] = np.where(truth, 1, -1)
    return samples_of(noise, truth, near)


def example_of(kind="class"):
    """The drawn disc, with margins that know it, and ones that hold it for too large."""
    scene = disc_scene()
    covered = enlarge(scene.truth.astype(np.float32), *GRID)
    rows, columns = np.indices(GRID)
    distance = np.hypot(rows - 11.5, columns - 15.5)
    guess = np.clip((6 - distance) / 10, -0.5, 0.5).astype(np.float32)
    margins = {TRUE: (covered * 2 - 1) * np.float32(0.99)}
    margins |= {str(count): guess for count in CLICKS_TAKEN}
    return Example(kind, PhotoEdges(scene.pixels), scene.truth, margins)


def test_the_weight_goes_to_the_plane_that_is_the_truth():
    samples = made_samples(knowing=2)
    weights = fit(samples)
    assert sampled_iou(samples, weights) == 1
    assert weights[2, 0] > 10 * np.abs(np.delete(weights, 2, axis=0)).max()


def test_what_was_fitted_holds_on_other_samples():
    weights = fit(made_samples(knowing=0, seed=1))
    assert sampled_iou(made_samples(knowing=0, seed=2), weights) == 1
    assert sampled_iou(made_samples(knowing=3, seed=2), weights) < 0.3


def test_a_plane_of_the_other_sign_has_the_weight_of_the_other_sign():
    samples = made_samples(knowing=1)
    turned = replace(samples, planes=-samples.planes)
    assert fit(turned) == pytest.approx(-fit(samples), rel=1e-3, abs=1e-3)


def test_contrast_says_which_of_two_planes_to_believe():
    sharp, flat = made_samples(knowing=0, planes=2, near=2), made_samples(knowing=1, planes=2)
    both = joined([sharp, flat])
    weights = fit(both)
    assert sampled_iou(both, weights) > 0.97
    assert sampled_iou(both, weights * [1, 0, 0]) < 0.9
    assert weights[0, 1] > 0 > weights[1, 1]


def test_the_sampled_iou_is_a_mean_over_images_and_empty_ones_are_right():
    planes = np.array([[[1], [1], [-1], [-1]], [[-1], [-1], [-1], [-1]]])
    samples = samples_of(planes, np.array([[1, 0, 0, 0], [0, 0, 0, 0]]))
    assert sampled_iou(samples, np.float32([[1, 0, 0]])) == pytest.approx((0.5 + 1) / 2)


def test_the_sum_of_a_sample_is_the_fused_plane_before_it_is_smoothed():
    example = example_of()
    samples = sample(example, np.random.default_rng(0))
    assert samples.planes.shape == (len(example.margins), PIXELS, len(WEIGHTS))
    assert samples.factors.shape == (len(example.margins), PIXELS, WEIGHTS.shape[1])
    assert samples.truth.mean(axis=1) == pytest.approx(example.truth.mean(), abs=0.05)
    assert sampled_iou(samples, WEIGHTS) > 0.9


def test_a_sample_is_the_same_pixels_for_all_margins_of_an_image():
    example = example_of()
    samples = sample(example, np.random.default_rng(0))
    of_clicks = list(example.margins).index("1")
    assert np.array_equal(samples.truth[0], samples.truth[of_clicks])
    # Both know the middle and the corners of the disc's photo, which are most of it.
    near = samples.planes[:, :, PLANES.index("interpolated")]
    assert np.corrcoef(near[0], near[of_clicks])[0, 1] > 0.7


def test_each_half_is_tested_with_the_weights_of_the_other():
    halves = []
    for seed, kind in ((0, "class"), (1, "part")):
        example = example_of(kind)
        halves.append(Half(sample(example, np.random.default_rng(seed)), [example]))
    wrong, right = -WEIGHTS, WEIGHTS
    table = figures(halves, [wrong, right])
    rows = {(row[0], row[1]): row for row in table.rows}
    iou = table.columns.index("sampled")
    assert float(rows["even sets", "fitted on odd sets"][iou]) > 0.9
    assert float(rows["odd sets", "fitted on even sets"][iou]) < 0.1
    parts = table.columns.index("of parts")
    assert [row[parts] == "-" for row in table.rows] == [True] * 3 + [False] * 3
    true = rows["odd sets", "the project's weights"][table.columns.index(TRUE)]
    assert float(true.split(" / ")[0]) > 0.95


def test_the_guided_filter_alone_is_its_plane_wherever_it_is_looked_at():
    example = example_of()
    alone = contenders(WEIGHTS, "even sets")[-1]
    margins = example.margins["1"]
    drawn = replace(example, truth=alone.draw(example, margins), margins={"1": margins})
    assert sampled_iou(sample(drawn, np.random.default_rng(0)), alone.weights) == 1


def test_the_weights_are_printed_plane_by_plane_and_as_they_stand_in_the_code():
    table = weights_table([WEIGHTS, -WEIGHTS], WEIGHTS)
    assert [row[0] for row in table.rows] == list(PLANES)
    assert np.array_equal(
        np.array(ast.literal_eval(f"[{as_python(WEIGHTS)}]"), np.float32), WEIGHTS
    )
