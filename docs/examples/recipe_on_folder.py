"""A recipe of a few images -> the masks of a whole folder, and a table of where the thing is.

    python docs/examples/recipe_on_folder.py OUT [PHOTOS]

Without a folder PHOTOS: six views of a cat and four of a motorcycle, which come with the package.
However many images there are, a few are in memory at a time.
"""

from __future__ import annotations

import csv
import sys
from itertools import chain
from pathlib import Path

from PIL import Image

import pointprompt
from pointprompt.sources.examples import example_set

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)

# One image with the thing and two without: the recipe knows both.
few = [image.load() for image in example_set("cat-or-not").images[:4]]
analysis = pointprompt.analyze(few)
cat = pointprompt.Thing("cat", (pointprompt.Click(image=0, x=0.5, y=0.5),))
recipe = pointprompt.make_recipe(analysis, [cat])
pointprompt.write_recipe(recipe, out / "cat.safetensors")

if len(sys.argv) > 2:
    found = pointprompt.apply(recipe, sys.argv[2])
else:
    images = list(chain(example_set("cat").images, example_set("motorcycle").images))
    found = pointprompt.apply(
        recipe, (image.load() for image in images), names=(image.name for image in images)
    )

with (out / "presence.csv").open("w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerow(["image", "presence", "share", "unlike", "problem"])
    for image in found:
        if image.reason:  # It could not be read; the others are not kept waiting.
            table.writerow([image.name, "", "", "", image.reason])
            continue
        mask = image.masks["cat"]
        Image.fromarray(mask).save(out / f"{Path(image.name).stem}.png")
        presence, share = image.presence["cat"], mask.mean()
        table.writerow([image.name, f"{presence:.2f}", f"{share:.3f}", image.unlike, ""])
