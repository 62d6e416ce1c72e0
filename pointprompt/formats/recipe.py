"""What was clicked -> the recipe that says it of any image.

Knows that a recipe can be had. Does not know what is in one, nor what makes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pointprompt.formats.format import DEFAULT_OPTIONS, Format, Member, Options
from pointprompt.formats.labelled import Labelled, LabelledImage

RECIPE_FILE = "recipe.safetensors"


class Recipe(Format):
    """recipe.safetensors: `pointprompt apply recipe.safetensors FOLDER` does the same again.

    Raises:
        ValueError: There is no recipe of these masks; the message says why.
    """

    gathers = True

    def __init__(self, labelled: Labelled, options: Options = DEFAULT_OPTIONS) -> None:
        super().__init__(labelled, options)
        if labelled.recipe is None:
            raise ValueError("There is no recipe of these masks: nothing says what made them.")
        # Before any file is written: where there can be none, nobody waits for the others.
        self._data = labelled.recipe()

    def add(self, image: LabelledImage) -> Iterator[Member]:
        """No file: it is of all images, and of others."""
        return iter(())

    def finish(self) -> Iterator[Member]:
        """The file."""
        yield RECIPE_FILE, self._data
