from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Error

from pointprompt.server import wire

DECODE = """
    const { decodeMasks } = await import('/server/codec.js');
    const masks = await decodeMasks(...input);
    return masks.map((mask) => mask.join(''));
"""


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1), (1, 1, 7), (7, 1, 1), (2, 3, 3), (3, 5, 7), (5, 2, 4), (1, 64, 64), (100, 64, 64)],
)
def test_masks_come_through_to_the_bit(run, shape):
    masks = np.random.default_rng(sum(shape)).random(shape) > 0.5
    decoded = run(DECODE, [wire.encode_masks(masks), *shape])
    expected = ["".join("01"[token] for token in mask.ravel().astype(int)) for mask in masks]
    assert decoded == expected


@pytest.mark.parametrize("filled", [True, False])
def test_full_and_empty_masks_come_through(run, filled):
    decoded = run(DECODE, [wire.encode_masks(np.full((3, 3, 5), filled)), 3, 3, 5])
    assert decoded == [str(int(filled)) * 15] * 3


@pytest.mark.parametrize("claimed", [(3, 4, 4), (2, 4, 5), (1, 4, 4)])
def test_masks_of_another_size_are_an_error(run, claimed):
    with pytest.raises(Error, match="do not fit"):
        run(DECODE, [wire.encode_masks(np.ones((2, 4, 4), bool)), *claimed])


@pytest.mark.parametrize("text", ["", "not base64!", "aGVsbG8=", "eJz7/x8A"])
def test_what_is_no_mask_is_an_error(run, text):
    with pytest.raises(Error):
        run(DECODE, [text, 1, 4, 4])
