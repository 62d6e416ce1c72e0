"""Masks as a YOLO data set, photos and all, ready to train a segmenter on.

    python docs/examples/yolo_dataset.py OUT

The six drawn tables that come with the package, with their oranges.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image

import pointprompt
from pointprompt import Click, Settings, Thing
from pointprompt.sources.examples import example_set

out = Path(sys.argv[1])
(out / "photos").mkdir(parents=True, exist_ok=True)
photos = []
for image in example_set("still-life").images:
    photos.append(out / "photos" / image.name)
    Image.fromarray(image.load()).save(photos[-1])

analysis = pointprompt.analyze(photos)
orange = Thing(
    "orange",
    (
        Click(image=0, x=0.54, y=0.65),
        Click(image=3, x=0.44, y=0.44, positive=False),
        Click(image=3, x=0.71, y=0.67, positive=False),
        Click(image=2, x=0.60, y=0.31, positive=False),
    ),
    # Each region is an orange to a trainer: what is too small to be one goes.
    Settings(remove_specks=400),
)
pointprompt.export(analysis, [orange], out / "masks", ["yolo"])
# Trainers look for the photos in a folder `images` beside `labels`.
shutil.copytree(out / "photos", out / "masks" / "yolo" / "images")
print((out / "masks" / "yolo" / "data.yaml").read_text(encoding="utf-8"))
