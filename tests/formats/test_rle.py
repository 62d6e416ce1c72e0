import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as reference

from pointprompt.formats.rle import runs_of, runs_of_regions
from pointprompt.grid import regions
from tests.formats.made import with_thin_parts

any_mask = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda size: arrays(bool, size))


def _expected(mask):
    return reference.encode(np.asfortranarray(mask.astype(np.uint8)))


def _check(mask):
    runs, expected = runs_of(mask), _expected(mask)
    assert runs.counts == expected["counts"].decode()
    assert runs.area == reference.area(expected) == mask.sum()
    if mask.any():
        assert list(runs.box) == reference.toBbox(expected).tolist()


@settings(max_examples=300)
@given(any_mask)
def test_runs_are_those_of_pycocotools(mask):
    _check(mask)


@given(any_mask)
def test_regions_are_apart_and_together_the_mask(mask):
    numbers, count = regions(mask)
    found = runs_of_regions(mask)
    assert len(found) == count
    for number, runs in enumerate(found, start=1):
        assert runs.counts == _expected(numbers == number)["counts"].decode()


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((1, 1), bool),
        np.ones((1, 1), bool),
        np.ones((700, 500), bool),
        np.eye(300, dtype=bool),
        with_thin_parts(400, 300),
        np.random.default_rng(0).random((300, 400)) > 0.5,
    ],
    ids=["nothing", "a pixel", "all", "a diagonal", "thin parts", "noise"],
)
def test_runs_of_large_masks_are_those_of_pycocotools(mask):
    _check(mask)


def test_runs_of_a_photo_of_twelve_megapixels_are_exact():
    mask = with_thin_parts(3000, 4000)
    _check(mask)
