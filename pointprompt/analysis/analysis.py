"""What is computed once for a set of images, and what of it a GPU is for.

Knows arrays and photos. Does not know how any of it is computed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pointprompt.types import BackboneChoice, ByteArray, FloatArray, HalfArray, Photo

if TYPE_CHECKING:
    from pointprompt.analysis.terms import Terms


@dataclass(frozen=True)
class Computed:
    """What of an analysis a GPU is for. It lies on the CPU and can be pickled.

    Attributes:
        eigvecs: (n, h, w, k) float32.
        codes: (n, h, w, d) float32.
        terms: What these are in.
        backbone: What the features came from.
        image_embeddings: (n, 64, 64, 256) float16, or None, as in `Analysis`.
        unlikeness: (n,) float32, of `Terms.unlikeness`; None where the terms are of these images.
    """

    eigvecs: FloatArray = field(repr=False)
    codes: FloatArray = field(repr=False)
    terms: Terms = field(repr=False)
    backbone: BackboneChoice
    image_embeddings: HalfArray | None = field(default=None, repr=False)
    unlikeness: FloatArray | None = None


@dataclass(frozen=True)
class Analysis:
    """What is computed once for a set of images; everything after it is live.

    Attributes:
        photos: The n images.
        eigvecs: (n, h, w, k) float32, joint over all images, sorted by eigenvalue.
        codes: (n, h, w, d) float32, each token of length 1 but for its rounding; features and
            eigenvectors in few numbers, whose inner products say how alike tokens are.
        colors: (n, h, w, 3) uint8, the colour view.
        terms: What describes more images as these are described.
        backbone: What the features came from.
        image_embeddings: (n, 64, 64, 256) float16, what SAM's mask decoder needs to draw; None
            unless the backbone is SAM with its decoder, at 1024 pixels and the last layer, or in
            a pair, for all images.
    """

    photos: tuple[Photo, ...]
    eigvecs: FloatArray = field(repr=False)
    codes: FloatArray = field(repr=False)
    colors: ByteArray = field(repr=False)
    terms: Terms = field(repr=False)
    backbone: BackboneChoice
    image_embeddings: HalfArray | None = field(default=None, repr=False)

    @property
    def eigvals(self) -> FloatArray:
        """(k,) float32, falling: those of the cut."""
        return self.terms.cut.eigvals

    @property
    def grid(self) -> tuple[int, int]:
        """The rows and columns of tokens, h and w, of every image."""
        return self.codes.shape[1], self.codes.shape[2]

    @property
    def nbytes(self) -> int:
        """Bytes of memory it holds."""
        arrays = (self.eigvecs, self.codes, self.colors, self.image_embeddings)
        held = sum(0 if array is None else array.nbytes for array in arrays)
        return held + sum(map(_nbytes, self.photos)) + self.terms.nbytes


def _nbytes(photo: Photo) -> int:
    held = photo.source
    in_memory = len(held) if isinstance(held, bytes) else getattr(held, "nbytes", 0)
    return len(photo.preview) + in_memory
