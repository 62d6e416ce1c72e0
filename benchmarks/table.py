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


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The rows under their columns, set right, the columns as wide as they need to be."""
    lines = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
