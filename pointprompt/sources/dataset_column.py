"""A column of images of a `datasets` data set -> the same images as they are stored.

Knows `datasets`. Does not know what is done with the images, nor the Hub.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def as_stored(images: Iterable[T]) -> Iterable[T]:
    """Return the column's cells before they are decoded, or the images as they are.

    They are then decoded as any other file, a few at a time: as stored, photos take a tenth of the
    memory. Columns that are streamed or transformed are left as they are: what comes out of them
    may lie nowhere else.
    """
    # Nobody has a column of a package that was never imported, and importing it takes a second.
    if "datasets" not in sys.modules:
        return images
    from datasets import Column, Dataset, Image

    if not isinstance(images, Column) or not isinstance(images.source, Dataset):
        return images
    is_plain = images.source.format["type"] is None and isinstance(images.features, Image)
    if not is_plain:
        return images
    stored: Iterable[T] = images.source.cast_column(images.column_name, Image(decode=False))[
        images.column_name
    ]
    return stored
