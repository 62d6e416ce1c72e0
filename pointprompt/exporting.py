"""Things on an analysis -> files of their masks.

Knows how predictions, recipes and formats are joined. Does not know where things come from, nor
who asks.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from pointprompt.analysis.analysis import Analysis
from pointprompt.engines.engine import Engine
from pointprompt.formats.archive import check_new, write_folder, write_zip
from pointprompt.formats.format import DEFAULT_OPTIONS, Options
from pointprompt.formats.labelled import Labelled
from pointprompt.formats.registry import DEFAULT_FORMATS
from pointprompt.pipeline import image_masks, make_recipe
from pointprompt.recipes.file import encode
from pointprompt.recipes.recipe import Recipe
from pointprompt.rules.predictor import Predictor
from pointprompt.things import Thing, clicks_of
from pointprompt.types import ProgressFn


def export(
    analysis: Analysis,
    things: Sequence[Thing],
    out: str | Path,
    formats: Sequence[str] = DEFAULT_FORMATS,
    *,
    exclusive: bool = False,
    keeps_overlaps: bool = False,
    skipped: Collection[int] = (),
    options: Options = DEFAULT_OPTIONS,
    predictor: Predictor | None = None,
    before: Recipe | None = None,
    device: str | None = None,
    engine: Engine | None = None,
    progress: ProgressFn | None = None,
) -> dict[str, int]:
    """Write the masks of things in all images as files, all or none.

    Args:
        analysis: From `analyze`.
        things: Top first: where two overlap, the upper one has the pixels. Those with nothing
            marked are left out.
        out: A folder that is not there yet, or is empty; or a file of that kind that ends in .zip.
        formats: Names from docs/formats.md, such as "coco", "yolo", "png" or "recipe".
        exclusive: Whether a "this" of one is a "not this" of the others.
        keeps_overlaps: Let every thing have all its pixels, in formats that can say that.
        skipped: Indices of images that no file is written of.
        options: What is chosen within formats.
        predictor: As for `make_recipe`.
        before: As for `make_recipe`.
        device: As for `make_recipe`.
        engine: As for `make_recipe`.
        progress: Told after every image; it may raise to cancel.

    Returns:
        In how many images each thing is, by its name.

    Raises:
        ValueError: Something is there already, nothing is marked, a click is on an image that is
            not in the analysis, a format is unknown, or a recipe cannot be made.
        OSError: A file cannot be written.
    """
    given = labelled(
        analysis,
        things,
        exclusive=exclusive,
        keeps_overlaps=keeps_overlaps,
        skipped=skipped,
        predictor=predictor,
        before=before,
        device=device,
        engine=engine,
    )
    return write_new(Path(out), given, formats, options, progress)


def labelled(
    analysis: Analysis,
    things: Sequence[Thing],
    *,
    exclusive: bool = False,
    keeps_overlaps: bool = False,
    skipped: Collection[int] = (),
    predictor: Predictor | None = None,
    before: Recipe | None = None,
    device: str | None = None,
    engine: Engine | None = None,
) -> Labelled:
    """The masks of things in all images, which are drawn as they are asked for.

    Args and errors are those of `export`.
    """
    predictor = predictor or Predictor(analysis)
    marked = [index for index, thing in enumerate(things) if thing.is_marked]
    if not marked:
        raise ValueError("Nothing is marked yet: click a thing first.")
    masks, found = [], []
    for index in marked:
        thing = things[index]
        clicks = clicks_of(things, index, exclusive=exclusive)
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
        made = make_recipe(
            analysis,
            things,
            exclusive=exclusive,
            predictor=predictor,
            before=before,
            device=device,
            engine=engine,
        )
        return encode(made)

    return Labelled(
        analysis.photos,
        [things[index] for index in marked],
        masks,
        np.stack([one.heatmaps for one in found]),
        np.stack([one.presence for one in found]),
        analysis.backbone,
        keeps_overlaps=keeps_overlaps,
        exclusive=exclusive,
        skipped=frozenset(skipped),
        recipe=recipe,
    )


def write_new(
    out: Path,
    given: Labelled,
    formats: Sequence[str],
    options: Options = DEFAULT_OPTIONS,
    progress: ProgressFn | None = None,
) -> dict[str, int]:
    """Write what is given as `export` does; returns what that does.

    Raises:
        ValueError: Something is there already, or as for `write_folder`.
        OSError: A file cannot be written.
    """
    check_new(out)
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        if out.suffix.lower() == ".zip":
            found = write_zip(unfinished, given, formats, options=options, progress=progress)
        else:
            unfinished.mkdir()
            found = write_folder(unfinished, given, formats, options=options, progress=progress)
        if out.is_dir():
            out.rmdir()
        unfinished.rename(out)
    finally:
        if unfinished.is_file():
            unfinished.unlink()
        shutil.rmtree(unfinished, ignore_errors=True)
    return found
