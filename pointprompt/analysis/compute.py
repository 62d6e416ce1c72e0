"""Frames -> an analysis, in two parts: features and the cut, which a GPU is for, and colours.

Knows the other parts of this room, and a backbone by what it does. Does not know where images come
from, where this is computed, sessions, or clicks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pointprompt.analysis.analysis import Analysis, Computed
from pointprompt.analysis.colors import tsne_colors
from pointprompt.analysis.terms import Terms, fit_terms
from pointprompt.sources.names import safe_names
from pointprompt.types import (
    N_EIGVECS,
    ByteArray,
    HalfArray,
    ImageSet,
    Photo,
    Progress,
    ProgressFn,
    tell_nobody,
)

if TYPE_CHECKING:
    from pointprompt.backbones.backbone import Backbone


def compute(
    frames: ByteArray,
    model: Backbone,
    terms: Terms | None = None,
    *,
    n_eigvecs: int = N_EIGVECS,
    seed: int = 0,
    progress: ProgressFn | None = None,
) -> Computed:
    """The first part of an analysis, which may run on another machine: features and the cut.

    Images that look the same to the backbone count once, and are described alike to the last bit:
    one that is there twenty times weighs no more in the set than the others.

    Args:
        frames: (n, H', W', 3) uint8, of `ImageSet`, as the model takes them.
        model: The backbone.
        terms: Of an analysis with this backbone that these images are to join; None cuts anew.
        n_eigvecs: Where the cut is new: how many eigenvectors, at least 2.
        seed: Where the cut is new: the same frames, backbone, device and seed give the same.
        progress: Told of every step; it may raise to stop.

    Raises:
        ValueError: The images look the same everywhere, or the backbone's features are not finite.

    Source: Tutorial steps 2 and 3.
    """
    once, places = _distinct(frames)
    tell = progress or tell_nobody
    tell(Progress("features", 0, len(once)))
    encoded = model.encode(frames[once] if len(once) < len(frames) else frames, progress)
    tell(Progress("cut", 0, 1))
    features = encoded.features
    unlikeness = None
    if terms is None:
        terms, eigvecs, codes = fit_terms(
            features, n_eigvecs=n_eigvecs, seed=seed, device=model.device
        )
    else:
        eigvecs, codes = terms.describe(features)
        unlikeness = terms.unlikeness(features)
    computed = Computed(eigvecs, codes, terms, model.choice, encoded.image_embeddings, unlikeness)
    return _repeated(computed, places) if len(once) < len(frames) else computed


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
        computed: From `compute`, of its frames.
        joins: The analysis that the images come behind; `computed` is in its terms.
        seed: Of t-SNE.
        progress: As for `compute`.

    Source: Tutorial step 4.
    """
    tell = progress or tell_nobody
    photos, eigvecs, codes = image_set.photos, computed.eigvecs, computed.codes
    image_embeddings = computed.image_embeddings
    if joins is not None:
        photos = joined_photos(joins, photos)
        eigvecs = np.concatenate([joins.eigvecs, eigvecs])
        codes = np.concatenate([joins.codes, codes])
        if joins.photos:
            image_embeddings = _joined(joins.image_embeddings, image_embeddings)
    tell(Progress("colors", 0, 1))
    colors = tsne_colors(eigvecs, seed=seed)
    tell(Progress("colors", 1, 1))
    return Analysis(
        photos, eigvecs, codes, colors, computed.terms, computed.backbone, image_embeddings
    )


def joined_photos(joins: Analysis | None, photos: Sequence[Photo]) -> tuple[Photo, ...]:
    """The photos behind those of the analysis that they join, with names unique among all."""
    if joins is None:
        return tuple(photos)
    both = (*joins.photos, *photos)
    names = safe_names([photo.name for photo in both])
    return tuple(replace(photo, name=name) for photo, name in zip(both, names, strict=True))


def _distinct(frames: ByteArray) -> tuple[list[int], list[int]]:
    """Which frames there are, by their first places; and for every one, which of those it is."""
    number: dict[bytes, int] = {}
    once: list[int] = []
    places: list[int] = []
    for index, frame in enumerate(frames):
        digest = hashlib.sha256(frame.tobytes()).digest()
        if digest not in number:
            number[digest] = len(once)
            once.append(index)
        places.append(number[digest])
    return once, places


def _repeated(computed: Computed, places: Sequence[int]) -> Computed:
    """What was computed of the images at these places, in this order."""
    images, unlikeness = computed.image_embeddings, computed.unlikeness
    return replace(
        computed,
        eigvecs=computed.eigvecs[places],
        codes=computed.codes[places],
        image_embeddings=None if images is None else images[places],
        unlikeness=None if unlikeness is None else unlikeness[places],
    )


def _joined(before: HalfArray | None, more: HalfArray | None) -> HalfArray | None:
    """The image embeddings of all images; None where some have none."""
    if before is None or more is None:
        return None
    return np.concatenate([before, more])
