"""Which shape an image has that a backbone sees: a *frame*, the whole image at some size.

Knows sizes. Does not know pixels, tokens, nor which backbone it is.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

# A frame is at most so many times as long as short.
LONGEST = 4


@dataclass(frozen=True)
class Framing:
    """The frames a backbone takes: squares alone, or about as many pixels in another aspect.

    Attributes:
        side: Of a square frame, in pixels.
        step: Rows and columns are multiples of so many pixels, which `side` is too; 0 where only
            squares are taken.
        grid: Rows and columns of tokens that all frames are to have the aspect of: those of an
            analysis that they join. None gives each image its own.
    """

    side: int
    step: int = 0
    grid: tuple[int, int] | None = None

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """The rows and columns of the frame of an image of this size.

        The shape of a frame is its own, and its token grid's.
        """
        return self._nearest(self._log_aspect(height, width))

    def common_shape(self, sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
        """The rows and columns of the frames of a set: those of its median aspect.

        Args:
            sizes: Heights and widths of its images, at least one.
        """
        return self._nearest(statistics.median(self._log_aspect(*size) for size in sizes))

    def _log_aspect(self, height: int, width: int) -> float:
        rows, columns = self.grid or (height, width)
        return math.log(columns / rows)

    def _nearest(self, log_aspect: float) -> tuple[int, int]:
        """The shape that squeezes an image of this aspect least."""
        step = self.step or self.side
        square = self.side // step
        shapes = [
            (short, round(square**2 / short))
            for short in range(math.ceil(square / math.sqrt(LONGEST)), square + 1)
        ]
        short, long = min(shapes, key=lambda s: abs(math.log(s[1] / s[0]) - abs(log_aspect)))
        rows, columns = (short, long) if log_aspect >= 0 else (long, short)
        return rows * step, columns * step
