"""Masks as COCO -> opened and drawn by `supervision` (`pip install supervision`).

    python docs/examples/coco_supervision.py OUT

The six drawn tables that come with the package, with their oranges.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import supervision
from PIL import Image

import pointprompt
from pointprompt import Click, Thing
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
)
pointprompt.export(analysis, [orange], out / "masks", ["coco"])

# From here on it is supervision's own.
data = supervision.DetectionDataset.from_coco(
    images_directory_path=str(out / "photos"),
    annotations_path=str(out / "masks" / "coco.json"),
    force_masks=True,
)
tint = supervision.MaskAnnotator(opacity=0.6)
pictures = []
for path, pixels, detections in data:  # pixels are blue, green, red here
    print(f"{Path(path).name}: {len(detections)} of {data.classes}")
    pictures.append(tint.annotate(pixels.copy(), detections)[..., ::-1])
rows = [np.hstack(pictures[:3]), np.hstack(pictures[3:])]
Image.fromarray(np.vstack(rows)).save(out / "drawn.jpg", quality=90)
