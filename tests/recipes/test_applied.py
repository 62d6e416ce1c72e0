"""What a recipe says of one image, by the names of things."""

from __future__ import annotations

import numpy as np

from pointprompt.recipes.applied import Applied
from pointprompt.recipes.recipe import UNLIKE
from pointprompt.types import Prediction


def prediction(masks) -> Prediction:
    return Prediction(
        np.zeros((1, 2, 2), np.float32),
        np.zeros((1, 2, 2), bool),
        np.array([0.25], np.float32),
        masks,
    )


class Drawn:
    """A mask that counts how often it was drawn."""

    def __init__(self) -> None:
        self.times = 0

    def __getitem__(self, index: int) -> np.ndarray:
        self.times += 1
        return np.ones((4, 5), bool)


def test_masks_and_presence_have_the_names_of_things():
    applied = Applied(0, "a.jpg", predictions={"cat": prediction([np.ones((4, 5), bool)])})
    assert list(applied.masks) == ["cat"]
    assert applied.masks["cat"].shape == (4, 5)
    assert applied.presence == {"cat": 0.25}


def test_a_mask_is_drawn_when_it_is_asked_for():
    drawn = Drawn()
    applied = Applied(0, "a.jpg", predictions={"cat": prediction(drawn)})
    assert len(applied.masks) == 1
    assert drawn.times == 0
    assert applied.masks["cat"].all()
    assert drawn.times == 1


def test_an_image_that_could_not_be_read_has_a_reason_and_nothing_else():
    applied = Applied(3, "b.jpg", "It is damaged.")
    assert not applied.masks
    assert not applied.presence
    assert not applied.unlike


def test_from_a_number_on_an_image_is_unlike_the_others():
    assert Applied(0, "a.jpg", unlikeness=UNLIKE).unlike
    assert not Applied(0, "a.jpg", unlikeness=UNLIKE - 0.01).unlike
