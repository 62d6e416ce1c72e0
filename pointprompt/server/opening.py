"""The example that pages open with: analysed once, and shared by all who come.

Knows that somebody waits, and what for. Does not know how it is analysed, nor whose sessions it is
shown in.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pointprompt.analysis.analysis import Analysis
from pointprompt.sources.examples import ExampleSet
from pointprompt.types import Progress, ProgressFn

if TYPE_CHECKING:
    from pointprompt.rules.predictor import Predictor

_TICK_SECONDS = 0.2


@dataclass(frozen=True)
class Prepared:
    """An example that can be shown.

    Attributes:
        folder: Its files, as those of a session; they stay for as long as the server runs.
        analysis: The analysis of its images.
        predictor: Of that analysis, ready for the first click.
    """

    folder: Path
    analysis: Analysis = field(repr=False)
    predictor: Predictor = field(repr=False)


class Opening:
    """An example that is prepared in the background while people come already."""

    def __init__(self, example: ExampleSet) -> None:
        """It is not ready yet."""
        self.example = example
        self._prepared: Prepared | None = None
        self._ended = threading.Event()

    def ready(self, prepared: Prepared) -> None:
        """From now on it can be shown."""
        self._prepared = prepared
        self._ended.set()

    def fail(self) -> None:
        """It will never be there."""
        self._ended.set()

    @property
    def failed(self) -> bool:
        """Whether it will never be there."""
        return self._ended.is_set() and self._prepared is None

    def wait(self, progress: ProgressFn) -> Prepared:
        """The example, once it is ready.

        Args:
            progress: Told again and again while it is not; it may raise to give up.

        Raises:
            LookupError: It will never be there.
        """
        while not self._ended.wait(_TICK_SECONDS):
            progress(Progress("start", 0, 1))
        if self._prepared is None:
            raise LookupError("The example could not be prepared.")
        return self._prepared
