"""A video and one click -> the masks of every 5th frame, and a table of how large and where.

    python docs/examples/video.py OUT CLIP [X Y]

The click is in the first frame: X from the left and Y from the top, both from 0 to 1; by default
in its middle.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import pointprompt

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
x, y = map(float, sys.argv[3:] or (0.5, 0.5))


def tell(progress: pointprompt.Progress) -> None:
    """Say how far it is; what is raised here would stop it."""
    print(f"\r{progress.stage} {progress.done}/{progress.total}", end="", file=sys.stderr)


frames = pointprompt.read_frames(sys.argv[2], out / "frames", every=5)
analysis = pointprompt.analyze(frames, progress=tell)
prediction = pointprompt.predict(analysis, [pointprompt.Click(image=0, x=x, y=y)])

with (out / "track.csv").open("w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerow(["frame", "share", "x", "y"])
    for path, mask in zip(frames, prediction.masks, strict=True):
        Image.fromarray(mask).save(out / f"{path.stem}.png")
        rows, columns = np.nonzero(mask)
        middle = (columns.mean() / mask.shape[1], rows.mean() / mask.shape[0])
        where = [f"{value:.3f}" for value in middle] if len(rows) else ["", ""]
        table.writerow([path.stem, f"{mask.mean():.3f}", *where])
