"""The only place that joins the parts: images -> analysis, and clicks -> masks or a recipe.

Knows every computing part. Knows nothing of sessions, the browser or output files.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pointprompt import backbones
from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.compute import complete, joined_photos
from pointprompt.analysis.keys import (
    Conditions,
    Content,
    Original,
    digest_of_analysis,
    key_of,
)
from pointprompt.analysis.store import Store
from pointprompt.edits import Lock, Stroke
from pointprompt.engines.engine import Engine, ThisProcess
from pointprompt.formats.prompt_json import PACKAGES, versions_of
from pointprompt.grid import check_image
from pointprompt.masks.lazy import (
    CorrectedMasks,
    ImageMasks,
    PhotoEdgeMasks,
    SamEdgeMasks,
    TokenMasks,
)
from pointprompt.recipes.file import read
from pointprompt.recipes.making import recipe_of
from pointprompt.recipes.opened import Opened, ground_of, open_on
from pointprompt.recipes.recipe import Recipe
from pointprompt.rules.predictor import Predictor
from pointprompt.settings import Settings
from pointprompt.sources.dataset_column import as_stored
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import (
    ImageError,
    ImageSource,
    Limits,
    Read,
    names_of,
    read_set,
    safe_names,
)
from pointprompt.things import Thing
from pointprompt.types import (
    N_EIGVECS,
    BackboneRequest,
    BoolArray,
    Click,
    Prediction,
    Progress,
    ProgressFn,
    Rejected,
    TokenPrediction,
    tell_nobody,
)

# Besides what moves masks: the colour view.
_MOVES_ANALYSES = (*PACKAGES, "scikit-learn")


class Analyzed(NamedTuple):
    """What became of images.

    Attributes:
        analysis: Of those that could be read.
        rejected: Those that could not.
        added: How many images are new in it.
        key: Of the stored analysis; "" where it is not stored.
    """

    analysis: Analysis
    rejected: tuple[Rejected, ...]
    added: int
    key: str = ""


def analyze(
    images: Iterable[ImageSource],
    *,
    backbone: str | None = None,
    node: str | None = None,
    layer: int | None = None,
    input_size: int | None = None,
    debias: bool = False,
    names: Sequence[str] | None = None,
    n_eigvecs: int = N_EIGVECS,
    device: str | None = None,
    engine: Engine | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    store: Store | None = None,
    progress: ProgressFn | None = None,
) -> Analysis:
    """The analysis of a set of images: everything that clicks need, computed once.

    Args:
        images: Paths, PIL images or uint8 arrays (H, W, 3), of any sizes; or a column of a
            `datasets` data set, such as `dataset["image"]`, which may be streamed.
        backbone: A name from `backbones.REGISTRY`; None takes SAM where there is a GPU and its
            weights, else the built-in one. The next four only where it is named.
        node: What to take of the layer: "attn", "mlp" or "block"; None takes the backbone's own.
        layer: Index of the layer, from 0; None takes the backbone's own.
        input_size: Side of the square frames it sees, in pixels; others have as many pixels. None
            takes the backbone's own.
        debias: Have its features forget where in the image a token lies; DINOv3 offers it.
        names: What to call the images; by default their file names.
        n_eigvecs: How many eigenvectors to compute.
        device: "cuda", "mps" or "cpu"; None takes the best there is. Only without an engine.
        engine: Where the heavy part is computed; None takes this process.
        seed: The same images, backbone, device and seed give the same analysis.
        limits: Most images, and megapixels of each; None takes the defaults.
        store: Looked into before anything is computed, and written to after; files and bytes of
            files alone are stored.
        progress: Told of every step; it may raise to cancel.

    Raises:
        ImageError: An image cannot be read, is too large, or there is none.
        BackboneError: The backbone is unknown, or its weights cannot be had.
        ValueError: One of these four is asked for without a backbone; or a device of an engine.

    Source: Tutorial steps 1 to 4.
    """
    engine = engine_of(engine, device)
    if backbone is not None:
        request = BackboneRequest(backbone, node, layer, input_size, debias)
    elif (node, layer, input_size, debias) == (None, None, None, False):
        request = BackboneRequest(backbones.get_default(device, progress)[0])
    else:
        raise ValueError("node, layer, input_size and debias are of a backbone: name that too.")
    return analyze_readable(
        images,
        request,
        engine,
        names=names,
        n_eigvecs=n_eigvecs,
        seed=seed,
        limits=limits or Limits(),
        all_or_none=True,
        store=store,
        progress=progress,
    ).analysis


def extend(
    analysis: Analysis,
    images: Iterable[ImageSource],
    *,
    names: Sequence[str] | None = None,
    device: str | None = None,
    engine: Engine | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    store: Store | None = None,
    progress: ProgressFn | None = None,
) -> Analysis:
    """The analysis with more images behind its own, whose masks by our rule stay as they are.

    Nothing is cut anew: the new images are described in the terms of the first ones. Where they
    show things of other kinds, a new `analyze` of all images serves those better.

    Args:
        analysis: From `analyze`.
        images: As for `analyze`.
        names: As for `analyze`.
        device: As for `analyze`.
        engine: As for `analyze`.
        seed: As for `analyze`.
        limits: As for `analyze`; the most images are those of the whole set.
        store: As for `analyze`.
        progress: As for `analyze`.

    Raises:
        ImageError: As for `analyze`, or the set is full.
        BackboneError: As for `analyze`.

    Source: Nystrom extension, as in `ncut_pytorch.Ncut.transform`.
    """
    return analyze_readable(
        images,
        analysis.backbone.request,
        engine_of(engine, device),
        joins=analysis,
        names=names,
        seed=seed,
        limits=limits or Limits(),
        all_or_none=True,
        store=store,
        progress=progress,
    ).analysis


def without(analysis: Analysis, images: Collection[int]) -> Analysis:
    """The analysis without some of its images; by our own rule the masks of the others stay.

    Nothing is cut anew: the others are described in the terms of all, as before.

    Args:
        analysis: From `analyze`.
        images: Their indices.

    Raises:
        ValueError: One is not in the analysis, or none would be left.
    """
    n = len(analysis.photos)
    for image in images:
        check_image(image, n)
    kept = [image for image in range(n) if image not in images]
    if not kept:
        raise ValueError("A set keeps at least one image.")
    embeddings = analysis.image_embeddings
    return replace(
        analysis,
        photos=tuple(analysis.photos[image] for image in kept),
        eigvecs=analysis.eigvecs[kept],
        codes=analysis.codes[kept],
        colors=analysis.colors[kept],
        image_embeddings=None if embeddings is None else embeddings[kept],
    )


def keep(store: Store, analysis: Analysis, before: Analysis, engine: Engine) -> str:
    """Store what `without` left of an analysis; its key, or "" where it is not stored.

    Args:
        store: Where to.
        analysis: What is left.
        before: The whole one, which it depends on.
        engine: What computed it, prepared for its backbone.

    Raises:
        BackboneError: The backbone's weights are not here.
    """
    conditions = conditions_of(
        engine, before.backbone.request, n_eigvecs=len(before.eigvals), joins=before
    )
    return _Shelf(store, conditions, None, Limits()).keep(analysis)


def analyze_readable(
    images: Iterable[ImageSource],
    request: BackboneRequest,
    engine: Engine,
    *,
    joins: Analysis | None = None,
    names: Sequence[str] | None = None,
    n_eigvecs: int = N_EIGVECS,
    seed: int = 0,
    limits: Limits,
    all_or_none: bool = False,
    reader: Callable[[], AbstractContextManager[Read | None]] = nullcontext,
    in_turn: Callable[[Callable[[], Analysis]], Analysis] | None = None,
    store: Store | None = None,
    progress: ProgressFn | None = None,
) -> Analyzed:
    """The analysis of those images that can be read, and what is wrong with the others.

    Args:
        images: As for `analyze`.
        request: The backbone.
        engine: Where the heavy part is computed.
        joins: The analysis that the images come behind, in its terms; None analyses them anew.
        names: As for `analyze`.
        n_eigvecs: As for `analyze`, where the cut is new.
        seed: As for `analyze`.
        limits: Of the whole set.
        all_or_none: Raise where an image cannot be read, before anything is computed.
        reader: Gives, for as long as images are read, what reads one as `photos.read` does.
        in_turn: Does what it is given, all that is heavy, when there is room for it, and returns
            what that returns; None does it at once.
        store: As for `analyze`.
        progress: As for `analyze`.

    Raises:
        ImageError: No image can be read, or the set is full.
        BackboneError: As for `analyze`.
    """
    room = room_in(joins, limits) if joins else limits
    # One more than there is room for is enough to be told so, however many there are.
    sources = list(islice(as_stored(images), room.max_images + 1) if all_or_none else images)
    if all_or_none and names is not None and len(sources) > room.max_images:
        names = names[: len(sources)]
    framing = engine.prepare(request, progress)
    if joins:
        framing = replace(framing, grid=joins.grid)
    shelf = None
    if store is not None:
        conditions = conditions_of(engine, request, n_eigvecs=n_eigvecs, seed=seed, joins=joins)
        shelf = _Shelf(store, conditions, joins, room)
        found = shelf.find(sources, names, progress)
        if found:
            return found
    with reader() as read_one:
        image_set = read_set(
            sources, framing, names=names, limits=room, progress=progress, read_one=read_one
        )
    if all_or_none and image_set.rejected:
        raise ImageError(" ".join(f"{one.name}: {one.reason}" for one in image_set.rejected))

    def heavy() -> Analysis:
        terms = joins.terms if joins else None
        computed = engine.compute(
            image_set.frames, request, terms, n_eigvecs=n_eigvecs, seed=seed, progress=progress
        )
        return complete(image_set, computed, joins=joins, seed=seed, progress=progress)

    # Without those that were rejected it may be stored.
    if shelf is not None and image_set.rejected:
        found = shelf.find([p.source for p in image_set.photos], None, progress)
        if found:
            analysis = replace(found.analysis, photos=joined_photos(joins, image_set.photos))
            return found._replace(analysis=analysis, rejected=image_set.rejected)
    analysis = in_turn(heavy) if in_turn else heavy()
    key = shelf.keep(analysis) if shelf is not None else ""
    return Analyzed(analysis, image_set.rejected, len(image_set.photos), key)


def conditions_of(
    engine: Engine,
    request: BackboneRequest,
    *,
    n_eigvecs: int = N_EIGVECS,
    seed: int = 0,
    joins: Analysis | None = None,
) -> Conditions:
    """What an analysis of this process depends on, besides its images.

    Args:
        engine: Prepared for the request.
        request: The backbone.
        n_eigvecs: As for `analyze`.
        seed: As for `analyze`.
        joins: As for `analyze_readable`.

    Raises:
        BackboneError: The backbone's weights are not here.
    """
    digest = digest_of_analysis(joins) if joins else ""
    return Conditions(engine.identity(request), n_eigvecs, seed, digest, _versions())


class _Shelf(NamedTuple):
    """Where a set's analysis is looked for, and put.

    Attributes:
        store: The store.
        conditions: What the analysis depends on besides its images.
        joins: The analysis that the images come behind, or None.
        room: The limits for the images.
    """

    store: Store
    conditions: Conditions
    joins: Analysis | None
    room: Limits

    def find(
        self,
        sources: Sequence[ImageSource],
        names: Sequence[str] | None,
        progress: ProgressFn | None,
    ) -> Analyzed | None:
        """The analysis of these images, if it is stored; the images are called as they are here."""
        originals = _originals(sources)
        if not originals or len(originals) > self.room.max_images:
            return None
        try:
            contents = [Content.of(original) for original in originals]
        except OSError:  # Who reads the images says what is wrong.
            return None
        key = key_of(contents, self.conditions)
        found = self.store.get(key)
        before = len(self.joins.photos) if self.joins else 0
        if found is None or len(found.photos) != before + len(originals):
            return None
        photos = [
            replace(photo, name=name, source=original)
            for photo, name, original in zip(
                found.photos[before:],
                safe_names(names_of(sources, names)),
                originals,
                strict=True,
            )
        ]
        most = self.room.max_megapixels * 1e6
        if any(photo.height * photo.width > most for photo in photos):
            return None
        (progress or tell_nobody)(Progress("read", len(photos), len(photos)))
        found = replace(found, photos=joined_photos(self.joins, photos))
        return Analyzed(found, (), len(photos), key)

    def keep(self, analysis: Analysis) -> str:
        """Store an analysis; its key, or "" where it is not stored."""
        before = len(self.joins.photos) if self.joins else 0
        originals = _originals([photo.source for photo in analysis.photos])
        if not originals:
            return ""
        try:
            key = key_of([Content.of(one) for one in originals[before:]], self.conditions)
        except OSError:
            return ""
        return key if self.store.put(key, analysis, originals, self.conditions) else ""


def _originals(sources: Sequence[ImageSource]) -> list[Original] | None:
    """The images as they came, if all of them are files, or bytes of files."""
    found: list[Original] = []
    for source in sources:
        if not isinstance(source, (str, Path, bytes)):
            return None
        found.append(source if isinstance(source, bytes) else Path(source))
    return found


@functools.cache
def _versions() -> Mapping[str, str | None]:
    """The versions of what moves analyses."""
    return versions_of(_MOVES_ANALYSES)


def room_in(analysis: Analysis, limits: Limits) -> Limits:
    """The limits for images that are to join an analysis.

    Raises:
        ImageError: There is no room for any.
    """
    room = limits.max_images - len(analysis.photos)
    if room < 1:
        raise ImageError(f"The set is full: it holds {len(analysis.photos)} images already.")
    return replace(limits, max_images=room)


def predict(
    analysis: Analysis,
    clicks: Sequence[Click],
    settings: Settings | None = None,
    *,
    locks: Sequence[Lock] = (),
    strokes: Sequence[Stroke] = (),
) -> Prediction:
    """The masks of all images of the analysis.

    Args:
        analysis: From `analyze`.
        clicks: At least one positive one selects anything at all.
        settings: None takes the defaults.
        locks: Images whose masks were accepted before, and the clicks and settings of those.
        strokes: Of a brush over the masks, in their order; heatmaps and tokens know none of them.

    Raises:
        ValueError: A click or an edit is on an image that is not in the analysis.
    """
    settings = settings or Settings()
    for stroke in strokes:
        check_image(stroke.image, len(analysis.photos))
    tokens = Predictor(analysis).predict(clicks, settings, locks)
    return Prediction(
        heatmaps=tokens.heatmaps,
        token_masks=tokens.masks,
        presence=tokens.presence,
        masks=image_masks(analysis, tokens, clicks, settings, locks=locks, strokes=strokes),
    )


def image_masks(
    analysis: Analysis,
    tokens: TokenPrediction,
    clicks: Sequence[Click],
    settings: Settings,
    *,
    locks: Sequence[Lock] = (),
    strokes: Sequence[Stroke] = (),
) -> ImageMasks:
    """The masks of all images at their own sizes, each (H, W) bool, computed anew when asked for.

    Args:
        analysis: From `analyze`.
        tokens: What the clicks select, in locked images what the locks do.
        clicks: The clicks.
        settings: What the masks follow, and how they are cleaned.
        locks: As for `predict`.
        strokes: As for `predict`.

    Raises:
        ValueError: SAM is to draw, without image embeddings or the decoder's file (BackboneError).
    """
    n = len(analysis.photos)
    drawn = [_drawn(analysis, tokens, clicks, settings)] * n
    as_said = [settings] * n
    for lock in locks:
        of_lock = _drawn(analysis, tokens, lock.clicks, lock.settings)
        for image in lock.images:
            drawn[image], as_said[image] = of_lock, lock.settings
    return CorrectedMasks(drawn, as_said, strokes, _sizes(analysis))


def token_masks(
    analysis: Analysis, tokens: TokenPrediction, settings: Settings, locks: Sequence[Lock] = ()
) -> BoolArray:
    """The masks (n, h, w) bool of tokens, cleaned as those of images are.

    Args:
        analysis: From `analyze`.
        tokens: As for `image_masks`.
        settings: How they are cleaned.
        locks: As for `predict`.
    """
    if not any(one.cleans for one in (settings, *(lock.settings for lock in locks))):
        return tokens.masks
    of_tokens = [replace(lock, settings=replace(lock.settings, outline="tokens")) for lock in locks]
    settings = replace(settings, outline="tokens")
    masks = image_masks(analysis, tokens, (), settings, locks=of_tokens)
    return np.stack([masks.draw(image, analysis.grid) for image in range(len(masks))])


def open_recipe(
    recipe: Recipe | str | Path,
    images: Iterable[ImageSource],
    *,
    names: Sequence[str] | None = None,
    device: str | None = None,
    engine: Engine | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    progress: ProgressFn | None = None,
) -> Opened:
    """A recipe on a set of images, to go on from with further clicks.

    Its things come with their masks, those of `apply`; each may be clicked on, in these images.

    Args:
        recipe: From `make_recipe`, or its file.
        images: As for `analyze`.
        names: As for `analyze`.
        device: As for `analyze`.
        engine: As for `analyze`.
        seed: Of the colour view.
        limits: As for `analyze`.
        progress: As for `analyze`.

    Raises:
        RecipeError: It is no recipe, or was made with other weights than are here.
        ImageError: As for `analyze`.
        BackboneError: As for `analyze`.
    """
    if not isinstance(recipe, Recipe):
        recipe = read(recipe)
    engine = engine_of(engine, device)
    check_recipe(recipe, engine, progress)
    analysis = analyze_readable(
        images,
        recipe.backbone.request,
        engine,
        joins=ground_of(recipe),
        names=names,
        seed=seed,
        limits=limits or Limits(),
        all_or_none=True,
        progress=progress,
    ).analysis
    return open_on(recipe, analysis)


def check_recipe(recipe: Recipe, engine: Engine, progress: ProgressFn | None = None) -> Framing:
    """How images are framed for a recipe, once it is sure that it can be used here.

    Raises:
        RecipeError: It was made with other weights than are here.
        BackboneError: As for `analyze`.
    """
    request = recipe.backbone.request
    framing = replace(engine.prepare(request, progress), grid=recipe.grid)
    recipe.check_weights(engine.identity(request))
    return framing


def make_recipe(
    analysis: Analysis,
    things: Sequence[Thing],
    *,
    exclusive: bool = False,
    predictor: Predictor | None = None,
    before: Recipe | None = None,
    device: str | None = None,
    engine: Engine | None = None,
) -> Recipe:
    """The recipe of things: what says of any image where they are; `apply` uses it.

    Args:
        analysis: From `analyze`.
        things: At least one of them with a positive click; by our own rule.
        exclusive: Whether a "this" of one is a "not this" of the others.
        predictor: One of this analysis that is there already; of `open_recipe`, where things go on
            from another recipe.
        before: That recipe.
        device: As for `analyze`.
        engine: As for `analyze`: where the analysis was computed.

    Raises:
        RecipeError: A thing is by the tutorial's rule, or none has a positive click, or an image
            cannot be read any more.
        ValueError: A click is on an image that is not in the analysis, or two things have the same
            name.
        BackboneError: The weights are not here any more.
    """
    identity = engine_of(engine, device).identity(analysis.backbone.request)
    predictor = predictor or Predictor(analysis)
    return recipe_of(predictor, things, identity, exclusive=exclusive, before=before)


def _drawn(
    analysis: Analysis, tokens: TokenPrediction, clicks: Sequence[Click], settings: Settings
) -> ImageMasks:
    """The masks of all images as the outline of the settings is."""
    if settings.outline == "tokens":
        return TokenMasks(tokens.masks, _sizes(analysis))
    if settings.outline == "photo":
        return PhotoEdgeMasks(tokens.margins, analysis.photos)
    if analysis.image_embeddings is None:
        raise ValueError(
            "Outlines are drawn by SAM's own mask decoder: that needs an analysis with SAM, or a "
            "pair with it, at 1024 pixels, its last layer, and a file that holds the decoder too."
        )
    decoder = backbones.load_decoder(analysis.backbone.name)
    images = [[c for c in clicks if c.image == i] for i in range(len(analysis.photos))]
    return SamEdgeMasks(tokens.margins, analysis.photos, images, analysis.image_embeddings, decoder)


def _sizes(analysis: Analysis) -> list[tuple[int, int]]:
    return [(photo.height, photo.width) for photo in analysis.photos]


def engine_of(engine: Engine | None, device: str | None) -> Engine:
    """The engine that was asked for, or this process.

    Raises:
        ValueError: A device is named beside it.
    """
    if engine is not None and device is not None:
        raise ValueError("An engine has its own device: name one or the other.")
    return engine or ThisProcess(device)
