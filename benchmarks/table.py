"""Figures, what was aimed at, and tables of them as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# "52.2/8 over" fits.
_WIDTH = 12


@dataclass(frozen=True)
class Figure:
    """A measured number.

    Attributes:
        value: The number.
        digits: How many to show after the point.
        aim: The most it should be, if that was ever said; shown after a stroke.
    """

    value: float
    digits: int = 1
    aim: float | None = None

    def __str__(self) -> str:
        shown = f"{self.value:.{self.digits}f}"
        if self.aim is None:
            return shown
        return f"{shown}/{self.aim:g} {'ok' if self.value <= self.aim else 'over'}"


def print_row(cells: Sequence[object]) -> None:
    """A line of a table, seen at once: measuring the next one may take minutes."""
    print("  ".join(str(cell).rjust(_WIDTH) for cell in cells), flush=True)
