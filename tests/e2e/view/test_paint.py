from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("rows", "border"),
    [
        (["1"], []),
        (["111", "111"], []),
        (["000", "000"], []),
        (["10"], [[0, 1, 1, 1]]),
        (["1", "0"], [[1, 0, 1, 1]]),
        (["10", "01"], [[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 2], [1, 1, 2, 1]]),
        (
            ["000", "010", "000"],
            [[1, 1, 1, 2], [1, 1, 2, 1], [1, 2, 2, 2], [2, 1, 2, 2]],
        ),
    ],
)
def test_the_border_runs_between_tokens_that_differ_and_not_along_the_image(run, rows, border):
    found = run(
        """
        const { borderOf } = await import('/view/layers.js');
        const mask = Uint8Array.from(input.join('').split(''), Number);
        return borderOf(mask, input.length, input[0].length);
        """,
        rows,
    )
    assert sorted(found) == sorted(border)


def test_a_mask_becomes_a_picture_of_one_pixel_a_token(run):
    pixels = run("""
        const { maskImage } = await import('/view/layers.js');
        const canvas = maskImage(Uint8Array.of(1, 0, 0, 0, 1, 1), 2, 3, [255, 0, 200]);
        const { width, height } = canvas;
        return [width, height, ...canvas.getContext('2d').getImageData(0, 0, 3, 2).data];
    """)
    on, off = [255, 0, 200, 255], [0, 0, 0, 0]
    assert pixels == [3, 2, *on, *off, *off, *off, *on, *on]


SURFACE = """
    const { layersOf } = await import('/view/layers.js');
    const paint = await import('/view/paint.js');
    const marks = await import('/view/marks.js');
    const canvas = document.createElement('canvas');
    canvas.style.cssText = 'position: fixed; left: 0; top: 0; width: 100px; height: 60px';
    document.body.append(canvas);
    const surface = paint.fit(canvas);
    // The colour at a place in CSS pixels.
    const at = (x, y) => {
      const scale = canvas.width / 100;
      return [...canvas.getContext('2d').getImageData(x * scale, y * scale, 1, 1).data];
    };
    const finish = (value) => {
      canvas.remove();
      return value;
    };
"""


def test_a_canvas_is_as_sharp_as_the_screen_and_empty(run):
    seen = run(f"""{SURFACE}
        const clicks = [{{ x: 0.5, y: 0.5, positive: true }}];
        marks.paintMarks(surface, [{{ clicks, color: null, isChosen: true }}]);
        const painted = at(52, 30)[3];
        const again = paint.fit(canvas);
        return finish([canvas.width, canvas.height, again.width, again.height, painted,
                       at(52, 30)[3]]);
    """)
    assert seen == [200, 120, 100, 60, 255, 0]


def test_a_mask_is_painted_where_it_is_and_as_opaque_as_asked(run):
    inside, outside = run(f"""{SURFACE}
        const color = [255, 0, 255];
        const mask = Uint8Array.of(1, 0);
        const layers = layersOf({{ mask, grid: [1, 2] }}, color);
        paint.paintMask(surface, layers, color, {{ opacity: 0.5, outline: false }});
        return finish([at(25, 30), at(75, 30)]);
    """)
    assert inside == [pytest.approx(value, abs=2) for value in (255, 0, 255, 128)]
    assert outside == [0, 0, 0, 0]


def test_an_outline_runs_along_the_border_over_the_same_mask(run):
    edge, inside = run(f"""{SURFACE}
        const color = [255, 0, 255];
        const mask = Uint8Array.of(1, 0);
        const layers = layersOf({{ mask, grid: [1, 2] }}, color);
        paint.paintMask(surface, layers, color, {{ opacity: 0, outline: true }});
        return finish([at(50, 30), at(25, 30)]);
    """)
    assert edge == [255, 0, 255, 255]
    assert inside == [0, 0, 0, 0]


def test_a_contour_is_filled_within_its_lines_and_keeps_its_holes(run):
    found = run(f"""{SURFACE}
        const color = [255, 0, 255];
        // A ring: a square with a square hole.
        const square = (x, y, s) => [x, y, x + s, y, x + s, y + s, x, y + s];
        const points = Float32Array.from([...square(0.1, 0.1, 0.8), ...square(0.4, 0.4, 0.2)]);
        const layers = layersOf({{ points, starts: Uint32Array.of(0, 4, 8) }}, color);
        paint.paintMask(surface, layers, color, {{ opacity: 0.5, outline: false }});
        return finish([at(25, 30), at(50, 30), at(2, 2)]);
    """)
    assert found[0] == [pytest.approx(value, abs=2) for value in (255, 0, 255, 128)]
    assert [pixel[3] for pixel in found[1:]] == [0, 0]


def test_a_preview_is_lighter_than_a_mask_and_its_line_is_white(run):
    inside, line = run(f"""{SURFACE}
        const color = [255, 0, 255];
        const points = Float32Array.from([-1, -1, 0.5, -1, 0.5, 2, -1, 2]);
        const layers = layersOf({{ points, starts: Uint32Array.of(0, 4) }}, color);
        paint.paintPreview(surface, layers);
        const column = Array.from({{ length: 60 }}, (_, y) => at(50, y));
        return finish([at(20, 30), column]);
    """)
    assert inside[:3] == [pytest.approx(value, abs=4) for value in (255, 0, 255)]
    assert 40 < inside[3] < 110
    # Dashed: white in some places, dark in others.
    brightness = [sum(pixel[:3]) for pixel in line]
    assert max(brightness) > 700
    assert min(brightness) < 450
