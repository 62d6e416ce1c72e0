"""A prompt file on a set -> what is to be written of it.

Knows prompt files and analyses. Does not know where either comes from, nor the terminal.
"""

from __future__ import annotations

from pointprompt import exporting
from pointprompt.analysis.analysis import Analysis
from pointprompt.formats.labelled import Labelled
from pointprompt.formats.prompt_json import PromptFile


def labelled(analysis: Analysis, prompt: PromptFile, device: str | None = None) -> Labelled:
    """The masks of a prompt's things in the images of an analysis.

    Raises:
        ValueError: It is about other images, or nothing is marked in it.
    """
    _check_images(analysis, prompt)
    return exporting.labelled(
        analysis,
        prompt.things,
        exclusive=prompt.exclusive,
        keeps_overlaps=prompt.keeps_overlaps,
        skipped=prompt.skipped,
        device=device,
    )


def _check_images(analysis: Analysis, prompt: PromptFile) -> None:
    """Check that a prompt is about the images of an analysis.

    Raises:
        ValueError: It is not.
    """
    n = len(analysis.photos)
    if prompt.last_image >= n:
        raise ValueError(
            f"The prompt is about image {prompt.last_image}, counted from 0, and the set has {n}."
        )
    sizes = [(photo.width, photo.height) for photo in analysis.photos]
    if prompt.images and [(one.width, one.height) for one in prompt.images] != sizes:
        raise ValueError("The prompt is about other images than those of this set.")
