"""What a long use of the app consists of, and what happened in it.

Knows numbers. Knows nothing of how the app is used.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    Attributes:
        visitors: At a time.
        clicks: Of all visitors together.
        analyses: The same.
        kills: Of the server, without a warning.
        messages: That no page would send.
        files: Damaged ones.
        at_once: Analyses at the same time, of twelve photos each.
        seed: Of all chance.
    """

    visitors: int = 8
    clicks: int = 2000
    analyses: int = 30
    kills: int = 3
    messages: int = 20_000
    files: int = 500
    at_once: int = 10
    seed: int = 0


SHORT = Plan(visitors=2, clicks=40, analyses=3, kills=1, messages=300, files=24, at_once=0)


@dataclass
class Figures:
    """What happened. Safe to count in from several threads."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, what: str, by: int = 1) -> None:
        """Note that it happened."""
        with self._lock:
            self.counts[what] += by

    def problem(self, what: str, detail: str) -> None:
        """Note what never should, with what was seen."""
        with self._lock:
            self.counts[what] += 1
            self.problems.append(f"{what}: {detail[:300]}")


# What must be 0.
NEVER = ("lost", "crossings", "5xx", "leaks", "scripts served", "server deaths", "orphans")
