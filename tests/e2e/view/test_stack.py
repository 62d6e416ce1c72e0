from __future__ import annotations

import pytest

# Five things of random masks, painted plainly and by a stack, with one of them changed in between.
STACK = """
    const { lastLayersOfEach } = await import('/view/layers.js');
    const { fit, paintThings } = await import('/view/paint.js');
    const { createStack } = await import('/view/stack.js');
    let seed = 1;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const layer = (id) => ({
      id,
      color: [255 * random(), 255 * random(), 255 * random()].map(Math.round),
      drawn: { mask: Uint8Array.from({ length: 48 }, () => Number(random() > 0.6)), grid: [6, 8] },
    });
    const surfaceOf = () => {
      const canvas = document.createElement('canvas');
      canvas.style.cssText = 'position: fixed; left: 0; top: 0; width: 100px; height: 60px';
      document.body.append(canvas);
      return [canvas, fit(canvas)];
    };
    const layers = [1, 2, 3, 4, 5].map(layer);
    const shown = { opacity: 0.5, outline: true, overlaps: input.overlaps };
    const stroked = [];
    const plain = lastLayersOfEach();
    const [canvas, surface] = surfaceOf();
    const [other, twin] = surfaceOf();
    const counted = lastLayersOfEach();
    const stack = createStack((one) => {
      stroked.push(one.id);
      return counted(one);
    });
    stack.paint(surface, layers, input.chosen, shown);
    const at = layers.findIndex(({ id }) => id === input.chosen);
    const anew = (one) => ({ ...layer(one.id), color: one.color });
    const changed = layers.map((one, index) => (index === at ? anew(one) : one));
    stroked.length = 0;
    const again = fit(canvas);
    stack.paint(again, changed, input.chosen, shown);
    paintThings(twin, changed, plain, shown);
    const pixels = [canvas, other].map((one) =>
      one.getContext('2d').getImageData(0, 0, one.width, one.height).data);
    let apart = 0;
    for (let index = 0; index < pixels[0].length; index += 1) {
      if (Math.abs(pixels[0][index] - pixels[1][index]) > 8) apart += 1;
    }
    canvas.remove();
    other.remove();
    const any = pixels[1].some(Boolean);
    return { apart: apart / pixels[0].length, painted: [...new Set(stroked)], any };
"""


@pytest.mark.parametrize("overlaps", [False, True])
@pytest.mark.parametrize("chosen", [1, 3, 5, 9])
def test_a_stack_paints_what_painting_all_things_paints(run, chosen, overlaps):
    found = run(STACK, {"chosen": chosen, "overlaps": overlaps})
    assert found["any"]
    # But for a rounding where half a pixel of one thing lies on another.
    assert found["apart"] < 0.005


@pytest.mark.parametrize("chosen", [1, 3, 5])
def test_a_change_of_the_chosen_thing_paints_no_other_anew(run, chosen):
    found = run(STACK, {"chosen": chosen, "overlaps": False})
    assert found["painted"] == [chosen]
