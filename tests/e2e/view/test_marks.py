from __future__ import annotations

import pytest

# The colour at a place, in CSS pixels from the middle of a mark on a grey tile of this size.
MARK = """
    const { fit } = await import('/view/paint.js');
    const { paintMarks } = await import('/view/marks.js');
    const canvas = document.createElement('canvas');
    canvas.style.cssText = `position: fixed; width: ${input.side}px; height: ${input.side}px`;
    document.body.append(canvas);
    const surface = fit(canvas);
    surface.context.fillStyle = 'rgb(128 128 128)';
    surface.context.fillRect(0, 0, input.side, input.side);
    const clicks = [{ x: 0.5, y: 0.5, positive: input.positive }];
    paintMarks(surface, [{ clicks, color: input.color, isChosen: input.isChosen }]);
    const scale = canvas.width / input.side;
    const middle = input.side / 2;
    const colors = input.places.map(([x, y]) => [...surface.context.getImageData(
      Math.round((middle + x) * scale), Math.round((middle + y) * scale), 1, 1).data].slice(0, 3));
    canvas.remove();
    return colors;
"""
GREY = [128, 128, 128]
WHITE = [255, 255, 255]


def colors(
    run,
    positive: bool,
    places: list[tuple[float, float]],
    side: int = 200,
    color: list[int] | None = None,
    chosen: bool = True,
) -> list:
    asked = {"positive": positive, "places": places, "side": side, "color": color}
    return run(MARK, {**asked, "isChosen": chosen})


def test_this_is_a_full_disc_with_a_plus(run):
    across, down, between, beyond = colors(run, True, [(2, 0), (0, 2), (3, -3), (9, 0)])
    assert across == down == WHITE
    assert between[2] > 2 * between[0]
    assert beyond == GREY


def test_not_this_is_a_ring_with_a_minus_that_the_photo_shows_through(run):
    across, down, ring, beyond = colors(run, False, [(2, 0), (0, 2.5), (0, -5.5), (9, 0)])
    assert across == WHITE
    assert down == pytest.approx([value / 2 for value in GREY], abs=2)
    assert ring[0] > 2 * ring[2]
    assert beyond == GREY


@pytest.mark.parametrize("positive", [True, False])
def test_of_several_things_the_colour_tells_which_and_the_shape_still_the_sign(run, positive):
    lime = [120, 255, 0]
    place = (3, -3) if positive else (0, -5.5)
    between, middle = colors(run, positive, [place, (0, 2.5)], color=lime)
    assert between == pytest.approx(lime, abs=30)
    # On a bright disc the plus is black.
    assert (middle == [0, 0, 0]) == positive


def test_marks_of_things_that_are_not_chosen_are_smaller(run):
    (chosen,) = colors(run, True, [(0, -6.5)], color=[255, 0, 255])
    (other,) = colors(run, True, [(0, -6.5)], color=[255, 0, 255], chosen=False)
    assert chosen != GREY
    assert other == GREY


# About how colours look to each kind of colour blindness, in linear light: the first two after
# Viénot, Brettel and Mollon 1999; in the third blue and green fall together.
SEEN_BY = {
    "protan": [[0.1124, 0.8876, 0], [0.1124, 0.8876, 0], [0.0040, -0.0040, 1]],
    "deutan": [[0.2928, 0.7072, 0], [0.2928, 0.7072, 0], [-0.0223, 0.0223, 1]],
    "tritan": [[1.0, 0.1527, -0.1527], [0, 0.8724, 0.1276], [0, 0.8668, 0.1332]],
}


@pytest.mark.parametrize("kind", SEEN_BY)
def test_the_two_colours_differ_for_every_kind_of_colour_blindness(run, kind):
    (this,) = colors(run, True, [(3, -3)])
    (not_this,) = colors(run, False, [(0, -5.5)])

    def seen(color: list[int]) -> list[float]:
        linear = [(value / 255) ** 2.2 for value in color]
        mixed = [sum(f * v for f, v in zip(row, linear, strict=True)) for row in SEEN_BY[kind]]
        return [255 * max(value, 0) ** (1 / 2.2) for value in mixed]

    distance = sum((a - b) ** 2 for a, b in zip(seen(this), seen(not_this), strict=True)) ** 0.5
    assert distance > 120


def test_marks_shrink_with_the_tile_and_stay_to_be_seen(run):
    for side, inside, outside in ((400, 6, 9), (120, 4.5, 7.5), (40, 2.5, 5.5)):
        within, beyond = colors(run, True, [(inside, 0), (outside, 0)], side)
        assert within != GREY
        assert beyond == GREY


def test_the_keyboards_cursor_leaves_its_own_place_free(run):
    middle, arm = run("""
        const { fit } = await import('/view/paint.js');
        const { paintCursor } = await import('/view/marks.js');
        const canvas = document.createElement('canvas');
        canvas.style.cssText = 'position: fixed; width: 100px; height: 60px';
        document.body.append(canvas);
        const surface = fit(canvas);
        paintCursor(surface, { x: 0.5, y: 0.5 });
        const scale = canvas.width / 100;
        const alpha = (x, y) => surface.context.getImageData(x * scale, y * scale, 1, 1).data[3];
        const seen = [alpha(50, 30), alpha(58, 30)];
        canvas.remove();
        return seen;
    """)
    assert [middle, arm] == [0, 255]
