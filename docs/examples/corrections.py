"""Masks that clicks do not get right, corrected by hand; and a set that grows and shrinks.

    python docs/examples/corrections.py OUT

Photos that come with the package: a cat, and coffee.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

import pointprompt
from pointprompt import Click, Lock, Settings, Stroke
from pointprompt.sources.examples import example_set

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
cat, coffee, closer, *_ = (image.load() for image in example_set("cat-or-not").images)
*_, tilted, bright = (image.load() for image in example_set("cat").images)

analysis = pointprompt.analyze([cat, coffee, closer])
clicks = [Click(image=0, x=0.5, y=0.5)]
by_clicks = pointprompt.predict(analysis, clicks)

# The mask of the first image is accepted: later clicks and settings do not change it.
lock = Lock(images=(0,), clicks=tuple(clicks), settings=Settings())
clicks.append(Click(image=2, x=0.42, y=0.70, positive=False))  # the bridge of the nose
# The third one lacks an eye: a round brush adds it. Its radius is a share of the longer side.
eye = Stroke(image=2, adds=True, radius=0.1, points=((0.62, 0.32), (0.74, 0.30)))
corrected = pointprompt.predict(analysis, clicks, locks=[lock], strokes=[eye])

# More images come behind the others, whose masks stay as they are; and one leaves.
larger = pointprompt.extend(analysis, [tilted, bright])
in_larger = pointprompt.predict(larger, clicks, locks=[lock], strokes=[eye])
smaller = pointprompt.without(larger, {1})

for name, found in (("clicks", by_clicks), ("corrected", corrected), ("larger", in_larger)):
    for index, mask in enumerate(found.masks):
        Image.fromarray(mask).save(out / f"{name}-{index}.png")
print(f"{len(analysis.photos)} images, then {len(larger.photos)}, then {len(smaller.photos)}")
