"""The only place that joins the parts: images -> analysis, and clicks -> masks.

Knows every computing part. Knows nothing of sessions, the browser or output files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from pointprompt import backbones
from pointprompt.color import tsne_colors
from pointprompt.dataset_column import as_stored
from pointprompt.embedding import Embedder, fit_embedder
from pointprompt.images import ImageError, ImageSource, Limits, read_set, safe_names
from pointprompt.ncut import N_EIGVECS, FittedCut, fit_cut
from pointprompt.predictor import Predictor
from pointprompt.refine import CrispMasks, EdgedMasks, ImageMasks
from pointprompt.types import (
    Analysis,
    BackboneChoice,
    BoolArray,
    ByteArray,
    Click,
    FloatArray,
    HalfArray,
    ImageSet,
    Photo,
    Prediction,
    Progress,
    ProgressFn,
    Settings,
    TokenPrediction,
    tell_nobody,
)

if TYPE_CHECKING:
    from pointprompt.backbones import Backbone


@dataclass(frozen=True)
class Fitted:
    """What describes the tokens of more images in the terms of an analysis.

    Attributes:
        cut: Gives them eigenvectors.
        eigvals: (k,) float32, of the cut.
        embedder: Gives them embeddings.
    """

    cut: FittedCut
    eigvals: FloatArray
    embedder: Embedder

    @property
    def nbytes(self) -> int:
        """Bytes of memory it holds."""
        return self.cut.nbytes + self.eigvals.nbytes + self.embedder.nbytes


@dataclass(frozen=True)
class Computed:
    """What of an analysis a GPU is for. It lies on the CPU and can be pickled.

    Attributes:
        eigvecs: (n, h, w, k) float32.
        embedding: (n, h, w, d) float32.
        fitted: The terms that these are in.
        backbone: What the features came from.
        image_embeddings: (n, 64, 64, 256) float16, or None, as in `Analysis`.
    """

    eigvecs: FloatArray = field(repr=False)
    embedding: FloatArray = field(repr=False)
    fitted: Fitted = field(repr=False)
    backbone: BackboneChoice
    image_embeddings: HalfArray | None = field(default=None, repr=False)


def analyze(
    images: Iterable[ImageSource],
    *,
    backbone: str | None = None,
    node: str | None = None,
    layer: int | None = None,
    input_size: int | None = None,
    names: Sequence[str] | None = None,
    n_eigvecs: int = N_EIGVECS,
    device: str | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    progress: ProgressFn | None = None,
) -> Analysis:
    """The analysis of a set of images: everything that clicks need, computed once.

    Args:
        images: Paths, PIL images or uint8 arrays (H, W, 3), of any sizes; or a column of a
            `datasets` data set, such as `dataset["image"]`, which may be streamed.
        backbone: A name from `backbones.REGISTRY`; None takes SAM where there is a GPU and its
            weights, else the built-in one.
        node: What to take of the layer: "attn", "mlp" or "block"; None takes the backbone's own.
            This and the next two only where the backbone is named.
        layer: Index of the layer, from 0; None takes the backbone's own.
        input_size: Side of the squares it sees, in pixels; None takes the backbone's own.
        names: What to call the images; by default their file names.
        n_eigvecs: How many eigenvectors to compute.
        device: "cuda", "mps" or "cpu"; None takes the best there is.
        seed: The same images, backbone, device and seed give the same analysis.
        limits: Most images, and megapixels of each; None takes the defaults.
        progress: Told of every step; it may raise to cancel.

    Raises:
        ImageError: An image cannot be read, is too large, or there is none.
        BackboneError: The backbone is unknown, or its weights cannot be had.
        ValueError: Something of a backbone was asked for, but none was named.

    Source: Tutorial steps 1 to 4.
    """
    if backbone is not None:
        model = backbones.load(
            backbone,
            device=device,
            node=node,
            layer=layer,
            input_size=input_size,
            progress=progress,
        )
    elif (node, layer, input_size) == (None, None, None):
        model, _ = backbones.load_default(device, progress)
    else:
        raise ValueError("node, layer and input_size are of a backbone: name that as well.")
    image_set = _read_all(images, model.input_size, names, limits, progress)
    return analyze_set(image_set, model, n_eigvecs=n_eigvecs, seed=seed, progress=progress)


def analyze_set(
    image_set: ImageSet,
    model: Backbone,
    *,
    n_eigvecs: int = N_EIGVECS,
    seed: int = 0,
    progress: ProgressFn | None = None,
) -> Analysis:
    """The analysis of images that were read at the model's input size. See `analyze`."""
    computed = compute(image_set.squares, model, n_eigvecs=n_eigvecs, seed=seed, progress=progress)
    return complete(image_set, computed, seed=seed, progress=progress)


def compute(
    squares: ByteArray,
    model: Backbone,
    *,
    fitted: Fitted | None = None,
    n_eigvecs: int = N_EIGVECS,
    seed: int = 0,
    progress: ProgressFn | None = None,
) -> Computed:
    """The first part of an analysis, which may run on another machine: features and the cut.

    Images that look the same to the backbone count once, and are described alike to the last bit:
    one that is there twenty times weighs no more in the set than the others.

    Args:
        squares: (n, s, s, 3) uint8, of `ImageSet`; s is the model's input size.
        model: The backbone.
        fitted: Of an analysis with this backbone that these images are to join; None cuts anew.
        n_eigvecs: As for `analyze`, where the cut is new.
        seed: As for `analyze`.
        progress: As for `analyze`.
    """
    once, places = _distinct(squares)
    if len(once) < len(squares):
        return _repeated(
            compute(
                squares[once],
                model,
                fitted=fitted,
                n_eigvecs=n_eigvecs,
                seed=seed,
                progress=progress,
            ),
            places,
        )
    tell = progress or tell_nobody
    tell(Progress("features", 0, len(squares)))
    encoded = model.encode(squares, progress)
    features = encoded.features
    tell(Progress("cut", 0, 1))
    if fitted is None:
        eigvecs, eigvals, cut = fit_cut(
            features, n_eigvecs=n_eigvecs, seed=seed, device=model.device
        )
        fitted = Fitted(cut, eigvals, fit_embedder(features, eigvecs, eigvals))
    else:
        eigvecs = fitted.cut.extend(features, seed)
    return Computed(
        eigvecs=eigvecs,
        embedding=fitted.embedder.embed(features, eigvecs),
        fitted=fitted,
        backbone=model.choice,
        image_embeddings=encoded.image_embeddings,
    )


def complete(
    image_set: ImageSet,
    computed: Computed,
    *,
    joins: Analysis | None = None,
    seed: int = 0,
    progress: ProgressFn | None = None,
) -> Analysis:
    """The second part of an analysis, which needs no GPU: the colour view.

    Args:
        image_set: The images.
        computed: From `compute`, of its squares.
        joins: The analysis that the images come behind; `computed` is in its terms.
        seed: As for `analyze`.
        progress: As for `analyze`.
    """
    tell = progress or tell_nobody
    photos, eigvecs, embedding = image_set.photos, computed.eigvecs, computed.embedding
    image_embeddings = computed.image_embeddings
    if joins is not None:
        photos = _renamed((*joins.photos, *photos))
        eigvecs = np.concatenate([joins.eigvecs, eigvecs])
        embedding = np.concatenate([joins.embedding, embedding])
        image_embeddings = _joined(joins.image_embeddings, image_embeddings)
    tell(Progress("colors", 0, 1))
    colors = tsne_colors(eigvecs, seed=seed)
    tell(Progress("colors", 1, 1))
    return Analysis(
        photos=photos,
        eigvecs=eigvecs,
        eigvals=computed.fitted.eigvals,
        embedding=embedding,
        colors=colors,
        fitted=computed.fitted,
        backbone=computed.backbone,
        image_embeddings=image_embeddings,
    )


def extend(
    analysis: Analysis,
    images: Iterable[ImageSource],
    *,
    names: Sequence[str] | None = None,
    device: str | None = None,
    seed: int = 0,
    limits: Limits | None = None,
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
        seed: As for `analyze`.
        limits: As for `analyze`; the most images are those of the whole set.
        progress: As for `analyze`.

    Raises:
        ImageError: As for `analyze`, or the set is full.
        BackboneError: As for `analyze`.

    Source: Nystrom extension, as in `ncut_pytorch.Ncut.transform`.
    """
    room = room_in(analysis, limits or Limits())
    model = backbones.load(**asdict(analysis.backbone), device=device, progress=progress)
    image_set = _read_all(images, model.input_size, names, room, progress)
    return extend_set(analysis, image_set, model, seed=seed, progress=progress)


def extend_set(
    analysis: Analysis,
    image_set: ImageSet,
    model: Backbone,
    *,
    seed: int = 0,
    progress: ProgressFn | None = None,
) -> Analysis:
    """The analysis with images that were read at the model's input size. See `extend`."""
    computed = compute(
        image_set.squares, model, fitted=analysis.fitted, seed=seed, progress=progress
    )
    return complete(image_set, computed, joins=analysis, seed=seed, progress=progress)


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
    analysis: Analysis, clicks: Sequence[Click], settings: Settings | None = None
) -> Prediction:
    """The masks of all images of the analysis.

    Args:
        analysis: From `analyze`.
        clicks: At least one positive one selects anything at all.
        settings: None takes the defaults.

    Raises:
        ValueError: A click is on an image that is not in the analysis.
    """
    settings = settings or Settings()
    tokens = Predictor(analysis).predict(clicks, settings)
    return Prediction(
        heatmaps=tokens.heatmaps,
        token_masks=tokens.masks,
        presence=tokens.presence,
        masks=image_masks(analysis, tokens, clicks, settings),
    )


def image_masks(
    analysis: Analysis, tokens: TokenPrediction, clicks: Sequence[Click], settings: Settings
) -> Sequence[BoolArray]:
    """The masks of all images at their own sizes, each (H, W) bool, computed anew when asked for.

    Args:
        analysis: From `analyze`.
        tokens: What the clicks select.
        clicks: The clicks.
        settings: Whether the masks follow edges, and how.

    Raises:
        ValueError: As for `edged_masks`.
    """
    if settings.edges:
        return edged_masks(analysis, tokens, clicks, settings)
    return ImageMasks(tokens.masks, [(photo.height, photo.width) for photo in analysis.photos])


def edged_masks(
    analysis: Analysis, tokens: TokenPrediction, clicks: Sequence[Click], settings: Settings
) -> EdgedMasks:
    """The masks of all images with edges that follow the photos, or that SAM draws.

    Args:
        analysis: From `analyze`.
        tokens: What the clicks select.
        clicks: The clicks.
        settings: Who draws.

    Raises:
        ValueError: Crisp masks are asked for, and the analysis has no image embeddings, or the mask
            decoder is no longer here (BackboneError).
    """
    if not settings.crisp:
        return EdgedMasks(tokens.margins, analysis.photos)
    if analysis.image_embeddings is None:
        raise ValueError(
            "Crisp masks are drawn by SAM's own mask decoder: they need an analysis with SAM at "
            "1024 pixels, its last layer, and a file with its weights that holds the decoder too."
        )
    decoder = backbones.load_decoder(analysis.backbone.name)
    images = [[c for c in clicks if c.image == i] for i in range(len(analysis.photos))]
    return CrispMasks(tokens.margins, analysis.photos, images, analysis.image_embeddings, decoder)


def _read_all(
    images: Iterable[ImageSource],
    side: int,
    names: Sequence[str] | None,
    limits: Limits | None,
    progress: ProgressFn | None,
) -> ImageSet:
    """The images, every one of them; else an ImageError."""
    limits = limits or Limits()
    # One more than there is room for is enough to be told so, however many there are.
    enough = limits.max_images + 1
    sources = list(islice(as_stored(images), enough))
    if names is not None and len(sources) == enough:
        names = names[:enough]
    image_set = read_set(sources, side, names=names, limits=limits, progress=progress)
    if image_set.rejected:
        raise ImageError(
            " ".join(f"{rejected.name}: {rejected.reason}" for rejected in image_set.rejected)
        )
    return image_set


def _distinct(squares: ByteArray) -> tuple[list[int], list[int]]:
    """Which squares there are, by their first places; and for every one, which of those it is."""
    number: dict[bytes, int] = {}
    once: list[int] = []
    places: list[int] = []
    for index, square in enumerate(squares):
        digest = hashlib.sha256(square.tobytes()).digest()
        if digest not in number:
            number[digest] = len(once)
            once.append(index)
        places.append(number[digest])
    return once, places


def _repeated(computed: Computed, places: Sequence[int]) -> Computed:
    """What was computed of the images at these places, in this order."""
    images = computed.image_embeddings
    return replace(
        computed,
        eigvecs=computed.eigvecs[places],
        embedding=computed.embedding[places],
        image_embeddings=None if images is None else images[places],
    )


def _joined(before: HalfArray | None, more: HalfArray | None) -> HalfArray | None:
    """The image embeddings of all images; None where some have none."""
    if before is None or more is None:
        return None
    return np.concatenate([before, more])


def _renamed(photos: Sequence[Photo]) -> tuple[Photo, ...]:
    """The photos with names that are unique among them."""
    names = safe_names([photo.name for photo in photos])
    return tuple(replace(photo, name=name) for photo, name in zip(photos, names, strict=True))
