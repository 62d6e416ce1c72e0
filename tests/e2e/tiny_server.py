"""The page with an analysis that takes no time, as a program: `python -m ... PORT FOLDER [stuck]`.

What it finds is what has the colour that was clicked. A stuck one never comes to an end.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pointprompt.analysis import compute
from pointprompt.analysis.analysis import Computed
from pointprompt.server.service import Service
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from pointprompt.types import BackboneChoice, Progress
from pointprompt.ui.launch import launch
from tests.server.test_service import SIDE, ColorEngine


@dataclass
class TinyEngine(ColorEngine):
    """Colours for features, under the name of a backbone that the page knows."""

    stuck: bool = False

    def compute(self, *args: Any, **options: Any) -> Computed:
        while self.stuck:
            options["progress"](Progress("features", 0, len(args[0])))
            time.sleep(0.1)
        choice = BackboneChoice("efficientnet_lite0", "block", 0, SIDE)
        return replace(super().compute(*args, **options), backbone=choice)


def grey_colors(eigvecs: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """A colour view that takes no time."""
    return np.full((*eigvecs.shape[:3], 3), 128, np.uint8)


def tiny_service(folder: Path, *, stuck: bool = False) -> Service:
    return Service(SessionStore(folder), Limits(), TinyEngine(stuck=stuck))


def main() -> None:
    compute.tsne_colors = grey_colors  # type: ignore[assignment]
    service = tiny_service(Path(sys.argv[2]), stuck=sys.argv[3:] == ["stuck"])
    launch(service, port=int(sys.argv[1]), quiet=True).block_thread()


if __name__ == "__main__":
    main()
