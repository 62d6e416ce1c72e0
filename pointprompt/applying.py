"""A recipe -> the masks of any number of images, one after the other.

Knows how the parts are joined for one image that is in no set. Does not know who asks, nor what
files masks go into.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pointprompt.analysis.analysis import Analysis, Computed
from pointprompt.engines.engine import Engine
from pointprompt.pipeline import check_recipe, engine_of, image_masks
from pointprompt.recipes import file as recipe_file
from pointprompt.recipes.applied import Applied
from pointprompt.recipes.recipe import Recipe, RecipeError, digest_of_source
from pointprompt.sources.dataset_column import as_stored
from pointprompt.sources.folder import image_files
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import (
    ImageError,
    ImageSource,
    Limits,
    own_name,
    read_alone,
    safe_names,
)
from pointprompt.sources.video import is_video, read_frames
from pointprompt.types import ByteArray, Photo, Prediction, ProgressFn

# Images that are computed at a time; as many more wait to be drawn, and as many are read, by so
# many threads.
_AT_ONCE = 8
_READERS = 3
# As many frames as a video has.
_ALL = 1 << 31


def apply(
    recipe: Recipe | str | Path,
    images: Iterable[ImageSource] | str | Path,
    *,
    names: Iterable[str] | None = None,
    every: int = 1,
    device: str | None = None,
    engine: Engine | None = None,
    limits: Limits | None = None,
    progress: ProgressFn | None = None,
) -> Iterator[Applied]:
    """What a recipe says of images, one after the other, however many they are.

    What is said of an image depends on the recipe and on that image alone. An image that cannot be
    read has an entry that says why. A few images are in memory at a time. On the images that the
    recipe was made on, masks are those that its clicks gave there.

    Args:
        recipe: From `make_recipe`, or its file.
        images: As for `analyze`, and any number of them; or a folder, a video or one image file.
        names: What to call the images; by default their file names.
        every: Of so many frames of a video one is taken.
        device: As for `analyze`.
        engine: As for `analyze`.
        limits: How many megapixels are too many; None takes the default.
        progress: Told what is downloaded or decoded before the first image; it may raise to cancel.

    Raises:
        RecipeError: It is no recipe, or was made with other weights than are here.
        ImageError: There is no such folder or video.
        BackboneError: As for `analyze`.
        ValueError: As the images come: SAM is to draw, without the decoder's file.
    """
    if not isinstance(recipe, Recipe):
        recipe = recipe_file.read(recipe)
    engine = engine_of(engine, device)
    framing = check_recipe(recipe, engine, progress)
    applying = _Applying(recipe, engine, framing, limits or Limits())
    if not isinstance(images, str | Path):
        return applying.to(as_stored(images), names)
    path = Path(images)
    if not path.exists():
        raise ImageError(f"There is no folder and no file {path}.")
    if path.is_dir():
        return applying.to(image_files(path), names)
    return (
        applying.to_frames(path, every, progress) if is_video(path) else applying.to([path], names)
    )


class _Read(NamedTuple):
    """An image before anything was found in it: its entry, its frame, and its source's digest."""

    entry: Applied
    frame: ByteArray | None = None
    digest: str = ""


@dataclass(frozen=True)
class _Applying:
    """A recipe, where the heavy part of it is computed, and how images are read for it."""

    recipe: Recipe
    engine: Engine
    framing: Framing
    limits: Limits

    def to_frames(self, video: Path, every: int, progress: ProgressFn | None) -> Iterator[Applied]:
        """What is found in every so many frames of a video."""
        with tempfile.TemporaryDirectory(prefix="pointprompt-frames-") as folder:
            frames = read_frames(video, folder, every, _ALL, limits=self.limits, progress=progress)
            yield from self.to(frames, None)

    def to(self, sources: Iterable[ImageSource], names: Iterable[str] | None) -> Iterator[Applied]:
        """What is found in images, in their order."""
        pool = ThreadPoolExecutor(_READERS, thread_name_prefix="read-image")
        # The next ones are computed while whoever asks draws the masks of these.
        lane = ThreadPoolExecutor(1, thread_name_prefix="apply")
        named = iter(names or ())
        waiting = enumerate(sources)
        ahead: deque[Future[_Read]] = deque()

        def begin(count: int) -> None:
            for index, source in islice(waiting, count):
                name = next(named, None) or own_name(source, index)
                ahead.append(pool.submit(self._read, source, index, name))

        try:
            begin(2 * _AT_ONCE)
            found: Future[list[Applied]] | None = None
            while ahead or found:
                now = [ahead.popleft().result() for _ in range(min(_AT_ONCE, len(ahead)))]
                begin(_AT_ONCE)
                these, found = found, lane.submit(self._found, now) if now else None
                if these:
                    yield from these.result()
        finally:
            # Nobody waits for what is on its way where the one who asks has gone.
            for threads in (pool, lane):
                threads.shutdown(wait=False, cancel_futures=True)

    def _read(self, source: ImageSource, index: int, name: str) -> _Read:
        """The image, or why it cannot be read."""
        try:
            photo, frame = read_alone(source, safe_names([name])[0], self.framing, self.limits)
            digest = digest_of_source(photo.source)
        except (ImageError, OSError) as error:
            return _Read(Applied(index, name, str(error)))
        return _Read(Applied(index, name, photo=photo), frame, digest)

    def _found(self, images: Sequence[_Read]) -> list[Applied]:
        """What is found in a few images that were read."""
        frames = [image.frame for image in images if image.frame is not None]
        if not frames:
            return [image.entry for image in images]
        request, terms = self.recipe.backbone.request, self.recipe.terms
        computed = self.engine.compute(np.stack(frames), request, terms)
        if computed.codes.shape[1:3] != self.recipe.grid:
            raise RecipeError("This recipe is of another grid of tokens than its backbone has.")
        found, place = [], 0
        for image in images:
            if image.entry.photo is None:
                found.append(image.entry)
                continue
            found.append(self._said(image, image.entry.photo, _one_of(computed, place)))
            place += 1
        return found

    def _said(self, image: _Read, photo: Photo, computed: Computed) -> Applied:
        """What the recipe says of an image, by what was computed of it (n = 1)."""
        recipe = self.recipe
        index = recipe.index_of(image.digest)
        codes = recipe.codes_of(index, computed.codes[0])
        alone = Analysis(
            (photo,),
            computed.eigvecs,
            codes[None],
            np.zeros((1, *recipe.grid, 3), np.uint8),  # Nobody looks at its colours.
            recipe.terms,
            recipe.backbone,
            computed.image_embeddings,
        )
        predictions = {}
        for thing in recipe.things:
            found = recipe.found(thing, index, codes)
            masks = image_masks(alone, found, recipe.clicks_on(thing, index), thing.settings)
            predictions[thing.name] = Prediction(found.heatmaps, found.masks, found.presence, masks)
        unlikeness = 0.0 if computed.unlikeness is None else float(computed.unlikeness[0])
        return replace(image.entry, predictions=predictions, unlikeness=unlikeness)


def _one_of(computed: Computed, place: int) -> Computed:
    """What was computed of one image, in memory of its own: who keeps it keeps no others."""
    embeddings, unlikeness = computed.image_embeddings, computed.unlikeness
    one = slice(place, place + 1)
    return replace(
        computed,
        eigvecs=computed.eigvecs[one].copy(),
        codes=computed.codes[one].copy(),
        image_embeddings=None if embeddings is None else embeddings[one].copy(),
        unlikeness=None if unlikeness is None else unlikeness[one],
    )
