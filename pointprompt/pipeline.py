"""The only place that joins the parts: images -> analysis, and clicks -> masks.

Knows every computing part. Knows nothing of sessions, the browser or output files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pointprompt import backbones
from pointprompt.color import tsne_colors
from pointprompt.images import ImageError, ImageSource, Limits, read_set
from pointprompt.ncut import N_EIGVECS, fit_cut
from pointprompt.refine import ImageMasks
from pointprompt.scoring import predict_tokens
from pointprompt.types import (
    Analysis,
    Click,
    ImageSet,
    Prediction,
    Progress,
    ProgressFn,
    Settings,
)

if TYPE_CHECKING:
    from pointprompt.backbones import Backbone


def analyze(
    images: Sequence[ImageSource],
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
        images: Paths, PIL images or uint8 arrays (H, W, 3), of any sizes.
        backbone: A name from `backbones.REGISTRY`; None takes SAM where there is a GPU and its
            weights, else the built-in one.
        node: What to take of the layer: "attn", "mlp" or "block"; None takes the backbone's own.
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

    Source: Tutorial steps 1 to 4.
    """
    model = backbones.load(
        backbone or backbones.choose_default()[0],
        device=device,
        node=node,
        layer=layer,
        input_size=input_size,
    )
    image_set = read_set(
        images,
        model.input_size,
        names=names,
        limits=limits or Limits(),
        progress=progress,
    )
    if image_set.rejected:
        raise ImageError(
            " ".join(f"{rejected.name}: {rejected.reason}" for rejected in image_set.rejected)
        )
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
    tell = progress or _tell_nobody
    tell(Progress("features", 0, len(image_set.photos)))
    features = model.features(image_set.squares, progress)
    tell(Progress("cut", 0, 1))
    eigvecs, eigvals, cut = fit_cut(features, n_eigvecs=n_eigvecs, seed=seed, device=model.device)
    tell(Progress("colors", 0, 1))
    colors = tsne_colors(eigvecs, seed=seed)
    tell(Progress("colors", 1, 1))
    return Analysis(
        photos=image_set.photos,
        eigvecs=eigvecs,
        eigvals=eigvals,
        colors=colors,
        cut=cut,
        backbone=model.name,
    )


def predict(
    analysis: Analysis, clicks: Sequence[Click], settings: Settings | None = None
) -> Prediction:
    """The masks of all images of the analysis.

    Args:
        analysis: From `analyze`.
        clicks: At least one positive one selects anything at all.
        settings: None takes the tutorial's.

    Raises:
        ValueError: A click is on an image that is not in the analysis.
    """
    tokens = predict_tokens(analysis.eigvecs, clicks, settings or Settings())
    sizes = [(photo.height, photo.width) for photo in analysis.photos]
    return Prediction(
        heatmaps=tokens.heatmaps,
        token_masks=tokens.masks,
        masks=ImageMasks(tokens.masks, sizes),
    )


def _tell_nobody(_: Progress) -> None:
    pass
