"""Things on a set -> files in a folder.

Knows predictions and formats. Does not know where things come from, nor the terminal.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pointprompt.analysis.analysis import Analysis
from pointprompt.cli.sets import check_new
from pointprompt.formats.archive import write_folder
from pointprompt.formats.format import Options
from pointprompt.formats.labelled import Labelled, LabelledImage
from pointprompt.formats.prompt_json import PromptFile
from pointprompt.pipeline import image_masks, make_recipe
from pointprompt.recipes.file import encode
from pointprompt.rules.predictor import Predictor
from pointprompt.things import clicks_of
from pointprompt.types import ProgressFn


def labelled(analysis: Analysis, prompt: PromptFile, device: str | None = None) -> Labelled:
    """The masks of a prompt's things in the images of an analysis.

    Raises:
        ValueError: It is about other images, or nothing is marked in it.
    """
    _check_images(analysis, prompt)
    predictor = Predictor(analysis)
    marked = [index for index, thing in enumerate(prompt.things) if thing.is_marked]
    if not marked:
        raise ValueError('Nothing is marked: a click that says "this" is needed.')
    masks, found = [], []
    for index in marked:
        thing = prompt.things[index]
        clicks = clicks_of(prompt.things, index, exclusive=prompt.exclusive)
        found.append(predictor.predict(clicks, thing.settings, thing.locks))
        masks.append(
            image_masks(
                analysis,
                found[-1],
                clicks,
                thing.settings,
                locks=thing.locks,
                strokes=thing.strokes,
            )
        )

    def recipe() -> bytes:
        return encode(
            make_recipe(
                analysis,
                prompt.things,
                exclusive=prompt.exclusive,
                predictor=predictor,
                device=device,
            )
        )

    return Labelled(
        analysis.photos,
        [prompt.things[index] for index in marked],
        masks,
        np.stack([one.heatmaps for one in found]),
        np.stack([one.presence for one in found]),
        analysis.backbone,
        keeps_overlaps=prompt.keeps_overlaps,
        exclusive=prompt.exclusive,
        skipped=frozenset(prompt.skipped),
        recipe=recipe,
    )


def export(
    folder: Path,
    given: Labelled,
    formats: Sequence[str],
    options: Options,
    progress: ProgressFn | None = None,
) -> dict[str, int]:
    """Write files into a folder, all or none; in how many images each thing is, by its name.

    Raises:
        ValueError: Something is in the folder already, or as for `write_folder`.
        OSError: A file cannot be written.
    """
    check_new(folder)
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    unfinished.mkdir()
    try:
        write_folder(unfinished, given, formats, options=options, progress=progress)
        if folder.is_dir():
            folder.rmdir()
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    found = dict.fromkeys((thing.name for thing in given.things), 0)
    for index in given.written:
        for name, count in zip(found, LabelledImage(given, index).counts, strict=True):
            found[name] += count > 0
    return found


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
