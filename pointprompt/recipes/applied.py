"""What a recipe says of one image, or why it says nothing.

Knows photos, things and predictions. Does not know how any of it is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pointprompt.recipes.recipe import UNLIKE
from pointprompt.types import BoolArray, Photo, Prediction


@dataclass(frozen=True)
class Applied:
    """What a recipe says of one image.

    Attributes:
        index: Which image it is of those that were handed in, from 0.
        name: What its owner calls it.
        reason: Why it could not be read, a sentence; "" where it could.
        photo: The image; None where it could not be read.
        predictions: By the names of things, top first, of this image alone (n = 1).
        unlikeness: `Terms.unlikeness`: how far it is from the images the recipe was made on.
    """

    index: int
    name: str
    reason: str = ""
    photo: Photo | None = None
    predictions: Mapping[str, Prediction] = field(default_factory=dict, repr=False)
    unlikeness: float = 0.0

    @property
    def masks(self) -> Mapping[str, BoolArray]:
        """The mask (H, W) bool of each thing, by its name; drawn anew when it is asked for."""
        return _Masks(self.predictions)

    @property
    def presence(self) -> dict[str, float]:
        """How sure it is that each thing is in the image at all, in [0, 1], by its name."""
        return {name: float(found.presence[0]) for name, found in self.predictions.items()}

    @property
    def unlike(self) -> bool:
        """Whether the image looks unlike those that the recipe was made on: look at its masks."""
        return self.unlikeness >= UNLIKE


class _Masks(Mapping[str, BoolArray]):
    def __init__(self, predictions: Mapping[str, Prediction]) -> None:
        self._predictions = predictions

    def __getitem__(self, name: str) -> BoolArray:
        return self._predictions[name].masks[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._predictions)

    def __len__(self) -> int:
        return len(self._predictions)
