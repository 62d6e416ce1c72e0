"""Predictions of tokens -> masks of images: whole tokens, or along edges, and corrected.

Knows arrays, photos and edits. Does not know rules, where a decoder comes from, sessions or
output files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from pointprompt.edits import Stroke
from pointprompt.grid import upscale
from pointprompt.masks.edits import cleaned, painted
from pointprompt.settings import Settings
from pointprompt.types import BoolArray, Click, FloatArray, HalfArray, Photo

if TYPE_CHECKING:
    from pointprompt.masks.sam_edges import Decoder

# Rare in photos.
MASK_RGB = (255, 0, 255)


class ImageMasks(Sequence[BoolArray]):
    """The masks of images at their own sizes, each (H, W) bool, computed anew when asked for.

    So the masks of a hundred large images take no memory until they are looked at, one by one.

    Args:
        sizes: H and W of each of the n images.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]]) -> None:
        self._sizes = tuple(sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    @overload
    def __getitem__(self, index: int) -> BoolArray: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[BoolArray, ...]: ...
    def __getitem__(self, index: int | slice) -> BoolArray | tuple[BoolArray, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        index = range(len(self))[index]
        return self.draw(index, self._sizes[index])

    def within(self, index: int, side: int) -> BoolArray:
        """The mask (H, W) bool of an image for a screen, however large the image itself is.

        Args:
            index: Of the image.
            side: The larger one of H and W.
        """
        scale = side / max(self._sizes[index])
        height, width = (max(1, round(extent * scale)) for extent in self._sizes[index])
        return self.draw(index, (height, width))

    def draw(self, index: int, size: tuple[int, int]) -> BoolArray:
        """The mask (H, W) bool of an image, counted from 0, at any size."""
        raise NotImplementedError


class TokenMasks(ImageMasks):
    """`ImageMasks` of whole tokens.

    Args:
        masks: (n, h, w) bool. They are not copied: leave them as they are.
        sizes: As in `ImageMasks`.

    Raises:
        ValueError: There are not as many sizes as masks.
    """

    def __init__(self, masks: BoolArray, sizes: Sequence[tuple[int, int]]) -> None:
        if len(masks) != len(sizes):
            raise ValueError(f"There are {len(masks)} masks for {len(sizes)} images.")
        super().__init__(sizes)
        self._masks = masks

    def draw(self, index: int, size: tuple[int, int]) -> BoolArray:
        """As in `ImageMasks`."""
        return upscale(self._masks[index], *size)


class PhotoEdgeMasks(ImageMasks):
    """`ImageMasks` with edges that follow the photos.

    Args:
        margins: (n, h, w) float32, of `TokenPrediction`.
        photos: The n images.
    """

    def __init__(self, margins: FloatArray, photos: Sequence[Photo]) -> None:
        super().__init__([(photo.height, photo.width) for photo in photos])
        self._margins = margins
        self._photos = tuple(photos)

    def draw(self, index: int, size: tuple[int, int]) -> BoolArray:
        """As in `ImageMasks`."""
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

    def draw(self, index: int, size: tuple[int, int]) -> BoolArray:
        """As in `ImageMasks`."""
        from pointprompt.masks.photo_edges import PhotoEdges
        from pointprompt.masks.sam_edges import sam_mask

        edges, clicks = PhotoEdges.of(self._photos[index]), self._clicks[index]
        embedding, margins = self._embeddings[index], self._margins[index]
        return sam_mask(margins, edges, clicks, embedding, self._decoder, size=size)


class CorrectedMasks(ImageMasks):
    """`ImageMasks` of others, cleaned and with strokes over.

    Args:
        drawn: For each of the n images, what its mask is drawn by.
        settings: For each, what holes and specks are too small, in pixels of the image.
        strokes: Of a brush, in their order.
        sizes: As in `ImageMasks`.
    """

    def __init__(
        self,
        drawn: Sequence[ImageMasks],
        settings: Sequence[Settings],
        strokes: Sequence[Stroke],
        sizes: Sequence[tuple[int, int]],
    ) -> None:
        super().__init__(sizes)
        self._drawn = tuple(drawn)
        self._settings = tuple(settings)
        self._strokes = tuple(strokes)

    def draw(self, index: int, size: tuple[int, int]) -> BoolArray:
        """As in `ImageMasks`."""
        height, width = self._sizes[index]
        mask = self._drawn[index].draw(index, size)
        of_image = mask.size / (height * width)
        settings = self._settings[index]
        mask = cleaned(
            mask,
            holes=settings.fill_holes * of_image,
            specks=settings.remove_specks * of_image,
        )
        strokes = [stroke for stroke in self._strokes if stroke.image == index]
        return painted(mask, strokes, (height, width))
