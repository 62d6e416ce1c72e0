"""Predictions at token resolution -> masks at image resolution: whole tokens, or along edges.

Knows arrays and photos. Does not know rules, where a decoder comes from, sessions or output files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from pointprompt.grid import upscale
from pointprompt.types import BoolArray, Click, FloatArray, HalfArray, Photo

if TYPE_CHECKING:
    from pointprompt.masks.sam_edges import Decoder

# Rare in photos.
MASK_RGB = (255, 0, 255)


class _LazyMasks(Sequence[BoolArray]):
    """A sequence of masks, each computed anew when it is asked for."""

    def _compute(self, index: int) -> BoolArray:
        """The mask of an image, counted from 0."""
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> BoolArray: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[BoolArray, ...]: ...
    def __getitem__(self, index: int | slice) -> BoolArray | tuple[BoolArray, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        return self._compute(range(len(self))[index])


class TokenMasks(_LazyMasks):
    """The masks of images at their own sizes, each (H, W) bool, computed anew when asked for.

    So the masks of a hundred large images take no memory until they are looked at, one by one.

    Args:
        masks: (n, h, w) bool. They are not copied: leave them as they are.
        sizes: (H, W) of each of the n images.

    Raises:
        ValueError: There are not as many sizes as masks.
    """

    def __init__(self, masks: BoolArray, sizes: Sequence[tuple[int, int]]) -> None:
        if len(masks) != len(sizes):
            raise ValueError(f"There are {len(masks)} masks for {len(sizes)} images.")
        self._masks = masks
        self._sizes = tuple(sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def _compute(self, index: int) -> BoolArray:
        return upscale(self._masks[index], *self._sizes[index])


class PhotoEdgeMasks(_LazyMasks):
    """As `TokenMasks`, with edges that follow the photos.

    Args:
        margins: (n, h, w) float32, of `TokenPrediction`.
        photos: The n images.
    """

    def __init__(self, margins: FloatArray, photos: Sequence[Photo]) -> None:
        self._margins = margins
        self._photos = tuple(photos)

    def __len__(self) -> int:
        return len(self._photos)

    def _compute(self, index: int) -> BoolArray:
        photo = self._photos[index]
        return self._draw(index, (photo.height, photo.width))

    def within(self, index: int, side: int) -> BoolArray:
        """The mask (H, W) bool of an image for a screen, however large the image itself is.

        Args:
            index: Of the image.
            side: The larger one of H and W.
        """
        photo = self._photos[index]
        scale = side / max(photo.height, photo.width)
        height, width = (max(1, round(extent * scale)) for extent in (photo.height, photo.width))
        return self._draw(index, (height, width))

    def _draw(self, index: int, size: tuple[int, int]) -> BoolArray:
        """The mask of an image at a size (H, W)."""
        # Here, since it imports scikit-image.
        from pointprompt.masks.photo_edges import PhotoEdges

        return PhotoEdges.of(self._photos[index]).mask(self._margins[index], size)


class SamEdgeMasks(PhotoEdgeMasks):
    """As `PhotoEdgeMasks`, drawn by SAM's mask decoder.

    Args:
        margins: (n, h, w) float32, of `TokenPrediction`.
        photos: The n images.
        clicks: Those on each of the n images.
        embeddings: (n, 64, 64, 256) float16, of `Analysis.image_embeddings`.
        decoder: What draws.
    """

    def __init__(
        self,
        margins: FloatArray,
        photos: Sequence[Photo],
        clicks: Sequence[Sequence[Click]],
        embeddings: HalfArray,
        decoder: Decoder,
    ) -> None:
        super().__init__(margins, photos)
        self._clicks = tuple(clicks)
        self._embeddings = embeddings
        self._decoder = decoder

    def _draw(self, index: int, size: tuple[int, int]) -> BoolArray:
        from pointprompt.masks.photo_edges import PhotoEdges
        from pointprompt.masks.sam_edges import sam_mask

        edges, clicks = PhotoEdges.of(self._photos[index]), self._clicks[index]
        embedding, margins = self._embeddings[index], self._margins[index]
        return sam_mask(margins, edges, clicks, embedding, self._decoder, size=size)
