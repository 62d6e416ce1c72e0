"""Somebody who uses the app for long, and knows what their clicks gave before.

Requests that are lost are sent again, as the page does. How messages look, `tests.visitor` knows.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.photos import make_blobs
from benchmarks.plan import Figures, Plan
from benchmarks.server import Server
from tests.visitor import Refused, Visitor

# What a request raises that was lost on its way.
LOST = (httpx.HTTPError,)
# So many prompts a visitor has; each is asked for again and again, and must give the same masks.
_PROMPTS = 12
_CUT_OFF = 0.03
_TRIES = 200
_RETRY_SECONDS = 0.5


class Regular:
    """Somebody with photos, prompts and what those gave before."""

    def __init__(
        self, server: Server, figures: Figures, folder: Path, plan: Plan, number: int
    ) -> None:
        self._server = server
        self._figures = figures
        self._random = random.Random(f"{plan.seed} {number}")
        self.photos = make_blobs(folder / f"person-{number}", 3 + number, number)
        self._prompts = [self._prompt() for _ in range(_PROMPTS)]
        self._known: dict[int, bytes] = {}
        self._visitor: Visitor | None = None

    def analyze(self) -> None:
        """Analyse the photos, from the start where the server went away meanwhile."""
        for _ in range(_TRIES):
            try:
                self._visitor = self._visitor or Visitor(self._server.url)
                self._visitor.analyze(self.photos)
            except (*LOST, Refused) as error:
                self._note(error)
                self.leave()
                time.sleep(_RETRY_SECONDS)
                continue
            shown = self._visitor.manifest
            if shown is None or len(shown["images"]) != len(self.photos):
                self._figures.problem("lost", f"an analysis: {self._visitor.statuses[-1:]}")
            self._figures.count("analyses")
            return
        self._figures.problem("lost", "an analysis, for good")

    def click(self) -> None:
        """One prompt, asked for until its masks are here, which must be what they always were."""
        number = self._random.randrange(_PROMPTS)
        cut_off = self._random.random() < _CUT_OFF
        for attempt in range(_TRIES):
            if self._visitor is None or self._visitor.manifest is None:
                self.analyze()
            assert self._visitor is not None
            try:
                seconds = 0.001 if cut_off and attempt == 0 else 60.0
                answer = self._visitor.predict(self._prompts[number], seconds=seconds)
            except (*LOST, Refused) as error:
                self._note(error)
                self._figures.count("requests that were sent again")
                if not isinstance(error, httpx.TimeoutException):
                    time.sleep(_RETRY_SECONDS)
                continue
            if answer.get("error") == "gone":
                self._figures.count("sets analysed again, since the server had lost them")
                self.leave()
                continue
            self._compare(number, answer)
            self._figures.count("clicks answered")
            return
        self._figures.problem("lost", "a click, for good")

    def leave(self) -> None:
        """Close the tab."""
        if self._visitor is not None:
            self._visitor.close()
        self._visitor = None

    def _compare(self, number: int, answer: dict[str, Any]) -> None:
        assert self._visitor is not None
        try:
            masks = self._visitor.masks(answer)
        except (KeyError, ValueError) as error:
            self._figures.problem("crossings", f"{error!r}: {str(answer)[:100]}")
            return
        seen = np.packbits(masks).tobytes()
        if self._known.setdefault(number, seen) != seen:
            self._figures.problem("crossings", f"{len(self.photos)} photos, prompt {number}")

    def _note(self, error: Exception) -> None:
        if isinstance(error, Refused) and str(error).startswith("5"):
            self._figures.problem("5xx", str(error))

    def _prompt(self) -> list[dict[str, Any]]:
        def click() -> dict[str, Any]:
            return {
                "image": self._random.randrange(len(self.photos)),
                "x": self._random.random(),
                "y": self._random.random(),
                "positive": self._random.random() < 0.7,
            }

        return [{**click(), "positive": True}, *(click() for _ in range(self._random.randrange(6)))]
