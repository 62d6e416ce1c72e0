"""A mask -> the lengths of its runs, as COCO writes them.

Knows pixels. Does not know things, images or files.

Source: the COCO data format and its reference implementation, `maskApi.c`: runs go down the
columns, the first one outside the mask; of the lengths from the fourth on the difference to the
last but one is written, five bits a character from 48 on, the sixth says that more follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointprompt.grid import regions
from pointprompt.types import BoolArray

_BITS, _MORE, _SIGN, _FIRST_CHARACTER = 5, 0x20, 0x10, 48
# Differences of lengths have at most 33 bits and a sign.
_MOST_CHARACTERS = 7
_Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """The runs of a mask down its columns, none across two: (r,) each, columns before rows.

    Attributes:
        height: H of the image.
        width: W of the image.
        column: Where each run is.
        row: Its first.
        length: Its pixels.
    """

    height: int
    width: int
    column: _Indices
    row: _Indices
    length: _Indices

    @property
    def area(self) -> int:
        """How many pixels there are."""
        return int(self.length.sum())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The least x and y, the width and the height. There must be a run."""
        x, y = int(self.column[0]), int(self.row.min())
        right, lower = int(self.column[-1]) + 1, int((self.row + self.length).max())
        return x, y, right - x, lower - y

    @property
    def counts(self) -> str:
        """The mask in characters, exactly as `pycocotools.mask.encode` has it."""
        starts = self.column * self.height + self.row
        ends = starts + self.length
        # Where a column's last pixel and the next one's first are in, that is one run.
        apart = starts[1:] != ends[:-1]
        starts = starts[np.concatenate([[True], apart])] if len(starts) else starts
        ends = ends[np.concatenate([apart, [True]])] if len(ends) else ends
        edges = np.stack([starts, ends], axis=1).ravel()
        lengths = np.diff(np.concatenate([[0], edges, [self.height * self.width]]))
        if len(edges) and lengths[-1] == 0:
            lengths = lengths[:-1]
        lengths[3:] -= lengths[1:-2].copy()
        return _in_characters(lengths)


def runs_of(mask: BoolArray) -> Runs:
    """The runs of a mask (H, W) bool."""
    height, width = mask.shape
    # Below each column, and before the first, there is a pixel that is out, which ends a run.
    line = np.zeros(1 + width * (height + 1), bool)
    line[1:].reshape(width, height + 1)[:, :height] = mask.T
    starts, ends = np.flatnonzero(line[1:] != line[:-1]).reshape(-1, 2).T
    column, row = np.divmod(starts, height + 1)
    return Runs(height, width, column, row, ends - starts)


def runs_of_regions(mask: BoolArray) -> list[Runs]:
    """The runs of each 8-connected region of a mask (H, W) bool."""
    whole = runs_of(mask)
    numbers, count = regions(mask)
    region = numbers[whole.row, whole.column]
    order = np.argsort(region, kind="stable")
    parts = np.split(order, np.searchsorted(region[order], np.arange(2, count + 1)))
    return [
        Runs(whole.height, whole.width, whole.column[part], whole.row[part], whole.length[part])
        for part in parts
        if len(part)
    ]


def _in_characters(numbers: _Indices) -> str:
    places = np.arange(_MOST_CHARACTERS)
    groups = numbers[:, None] >> (_BITS * places) & (_MORE - 1)
    rest = numbers[:, None] >> (_BITS * (places + 1))
    # Enough is written where what remains is the sign alone, which the fifth bit says.
    more = rest != np.where(groups & _SIGN, -1, 0)
    written = np.concatenate([np.ones((len(numbers), 1), bool), more[:, :-1]], axis=1)
    written = np.logical_and.accumulate(written, axis=1)
    characters = groups + np.where(more, _MORE, 0) + _FIRST_CHARACTER
    return characters[written].astype(np.uint8).tobytes().decode("ascii")
