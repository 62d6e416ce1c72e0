"""A recipe, opened on other images -> clicks that go on from it, and a recipe of all of them.

    python docs/examples/go_on.py OUT

Made on four of the drawn tables that come with the package; two more clicks on the other two.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pointprompt
from pointprompt import Click, Thing
from pointprompt.sources.examples import example_set

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
tables = [image.load() for image in example_set("still-life").images]

analysis = pointprompt.analyze(tables[:4])
orange = Thing(
    "orange",
    (
        Click(image=0, x=0.54, y=0.65),
        Click(image=3, x=0.44, y=0.44, positive=False),
        Click(image=3, x=0.71, y=0.67, positive=False),
    ),
)
recipe = pointprompt.make_recipe(analysis, [orange])
pointprompt.write_recipe(recipe, out / "first.safetensors")

# Later, or on another computer with the same weights.
try:
    recipe = pointprompt.read_recipe(out / "first.safetensors")
except pointprompt.RecipeError as error:  # Of another version, damaged, or not a recipe at all.
    sys.exit(str(error))
opened = pointprompt.open_recipe(recipe, tables[4:])
(orange,) = opened.things
# Images are counted in the new set: its first one shows an orange, and a red ball that is none.
more = (Click(image=0, x=0.42, y=0.70), Click(image=0, x=0.74, y=0.40, positive=False))
orange = replace(orange, clicks=(*orange.clicks, *more))
better = pointprompt.make_recipe(
    opened.analysis, [orange], predictor=opened.predictor, before=opened.recipe
)
pointprompt.write_recipe(better, out / "better.safetensors")

for name, one in (("first", recipe), ("better", better)):
    shares = [f"{image.masks['orange'].mean():.1%}" for image in pointprompt.apply(one, tables[4:])]
    print(name, shares)
