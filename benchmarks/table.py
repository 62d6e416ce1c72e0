"""Figures, what was aimed at, and tables of them as text and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


@dataclass(frozen=True)
class Table:
    """Rows under their columns; as text set right, the columns as wide as they need to be.

    Attributes:
        columns: Their names.
        rows: A cell for each column.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    def __str__(self) -> str:
        lines = self._lines()
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        )

    def markdown(self) -> str:
        """The same as a table of Markdown."""
        head, *rows = ("| " + " | ".join(line) + " |" for line in self._lines())
        return "\n".join([head, "|---" * len(self.columns) + "|", *rows])

    def _lines(self) -> list[list[str]]:
        return [list(self.columns), *([str(cell) for cell in row] for row in self.rows)]


def printed(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """The rows as a table, each printed when it comes: measuring the next one may take minutes."""
    print_row(columns)
    kept = []
    for row in rows:
        print_row(row)
        kept.append(row)
    return Table(columns, kept)


def print_row(cells: Sequence[object]) -> None:
    """A line of a table, seen at once."""
    print("  ".join(str(cell).rjust(_WIDTH) for cell in cells), flush=True)
