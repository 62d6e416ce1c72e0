"""One click -> the mask of the thing in every image of a folder, as PNG files.

    python docs/examples/one_click.py OUT [PHOTOS]

Without a folder PHOTOS: five photos that come with the package, two of them of a cat. The click is
in the middle of the first image.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

import pointprompt
from pointprompt.sources.examples import example_set
from pointprompt.sources.folder import image_files

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)

if len(sys.argv) > 2:
    analysis = pointprompt.analyze(image_files(sys.argv[2]))
else:
    images = example_set("cat-or-not").images
    analysis = pointprompt.analyze(
        [image.load() for image in images], names=[image.name for image in images]
    )

this = pointprompt.Click(image=0, x=0.5, y=0.5)
prediction = pointprompt.predict(analysis, [this])

# A mask is drawn when it is asked for: a folder of any size, one mask in memory.
for photo, mask in zip(analysis.photos, prediction.masks, strict=True):
    Image.fromarray(mask).save(out / f"{Path(photo.name).stem}.png")
    print(f"{photo.name}: {mask.mean():.0%} of it")
