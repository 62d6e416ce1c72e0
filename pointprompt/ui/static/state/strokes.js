// Strokes of a round brush on masks, as `masks/edits.py` paints them: to the same pixels. Knows arrays.

/**
 * @import { Stroke } from "../contract.js"
 * @import { Mask } from "./state.js"
 */

/** @typedef {{width: number, height: number}} Size Of an image, in pixels. */
/** @typedef {readonly [number, number]} Point x and y. */

/**
 * The mask after strokes, in their order; it stays as it is itself. A pixel is touched where its centre
 * is within the radius of the line, as measured in the image.
 * @param {Mask} drawn
 * @param {readonly Stroke[]} strokes On its image.
 * @param {Size} size Of the image, by which the mask may be squeezed.
 * @returns {Mask}
 */
export function painted({ mask, grid }, strokes, { width, height }) {
  const found = mask.slice();
  const longer = Math.max(width, height);
  const [rows, columns] = [centres(grid[0], height / longer), centres(grid[1], width / longer)];
  for (const { points, radius, adds } of strokes) {
    const line = points.map(([x, y]) => /** @type {Point} */ ([(x * width) / longer, (y * height) / longer]));
    // A dot is a line from its point to itself.
    if (line.length === 1) line.push(line[0]);
    for (let at = 1; at < line.length; at += 1) {
      touch(found, { rows, columns }, [line[at - 1], line[at]], { radius, value: Number(adds) });
    }
  }
  return { mask: found, grid };
}

/**
 * The centres of pixels along an axis.
 * @param {number} pixels
 * @param {number} extent
 */
const centres = (pixels, extent) => Float64Array.from({ length: pixels }, (_, at) => ((at + 0.5) / pixels) * extent);

/**
 * Sets the pixels within the radius of a segment, in the box around it.
 * @param {Uint8Array} mask
 * @param {{rows: Float64Array, columns: Float64Array}} places
 * @param {[Point, Point]} segment
 * @param {{radius: number, value: number}} brush
 */
function touch(mask, { rows, columns }, [[x, y], [toX, toY]], { radius, value }) {
  const [dx, dy] = [toX - x, toY - y];
  const length = dx * dx + dy * dy;
  const [left, right] = between(columns, Math.min(x, toX) - radius, Math.max(x, toX) + radius);
  const [upper, lower] = between(rows, Math.min(y, toY) - radius, Math.max(y, toY) + radius);
  for (let row = upper; row < lower; row += 1) {
    const fromY = rows[row] - y;
    for (let column = left; column < right; column += 1) {
      const fromX = columns[column] - x;
      // How far along the segment the nearest point is, from 0 to 1.
      const along = length ? Math.min(Math.max((fromX * dx + fromY * dy) / length, 0), 1) : 0;
      const [offX, offY] = [fromX - along * dx, fromY - along * dy];
      if (offX * offX + offY * offY <= radius * radius) mask[row * columns.length + column] = value;
    }
  }
}

/**
 * The first of growing places from `start` on, and the first one from `end` on.
 * @param {Float64Array} places
 * @param {number} start
 * @param {number} end
 */
const between = (places, start, end) => [firstFrom(places, start), firstFrom(places, end)];

/**
 * @param {Float64Array} places
 * @param {number} value
 */
function firstFrom(places, value) {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
