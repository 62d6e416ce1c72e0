"""How large a thing is, by its share of its images."""

import numpy as np
import pytest

from benchmarks.sizes import CLASSES, size_class


def taking(share):
    mask = np.zeros((100, 100), bool)
    mask.ravel()[: round(share * mask.size)] = True
    return mask


def test_the_classes_go_from_small_to_large():
    assert CLASSES == ("below 1%", "1% to 3%", "3% to 10%", "10% to 30%", "above 30%")


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0099, 0), (0.01, 1), (0.0299, 1), (0.03, 2), (0.1, 3), (0.2999, 3), (0.3, 4), (1, 4)],
)
def test_a_class_begins_at_its_lower_limit(share, expected):
    assert size_class([taking(share)]) == CLASSES[expected]


def test_the_size_is_the_mean_over_the_images():
    assert size_class([taking(0.5), taking(0)]) == CLASSES[3]
