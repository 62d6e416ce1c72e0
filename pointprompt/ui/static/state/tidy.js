// Contours without their small lines: around specks, and around holes. Knows arrays.

/** @import { Contour } from "../rule/contour.js" */

/**
 * @param {Contour} contour
 * @param {{holes: number, specks: number}} least The areas from which on a line stays, as shares of the
 *   image. Of a speck with a hole all that its line is around counts.
 * @returns {Contour}
 */
export function tidy({ points, starts }, { holes, specks }) {
  const lines = Array.from({ length: starts.length - 1 }, (_, line) => line);
  const areas = lines.map((line) => areaOf(points, starts[line], starts[line + 1]));
  const removed = lines.filter((line) => areas[line] >= 0 && areas[line] < specks);
  // A hole goes with what it was in.
  const isAlone = (/** @type {number} */ hole) =>
    removed.some((line) => isAround({ points, starts }, line, points[2 * starts[hole]], points[2 * starts[hole] + 1]));
  const kept = lines.filter((line) =>
    areas[line] >= 0 ? areas[line] >= specks : -areas[line] >= holes && !isAlone(line),
  );
  if (kept.length === starts.length - 1) return { points, starts };
  const ends = [0];
  for (const line of kept) ends.push((ends.at(-1) ?? 0) + starts[line + 1] - starts[line]);
  const found = new Float32Array(2 * (ends.at(-1) ?? 0));
  kept.forEach((line, at) => found.set(points.subarray(2 * starts[line], 2 * starts[line + 1]), 2 * ends[at]));
  return { points: found, starts: Uint32Array.from(ends) };
}

/**
 * Above 0 around what is inside, below 0 around a hole: lines run with what is inside on one side.
 * @param {Float32Array} points
 * @param {number} start
 * @param {number} end
 */
function areaOf(points, start, end) {
  let sum = 0;
  for (let at = start; at < end; at += 1) {
    const next = at + 1 < end ? at + 1 : start;
    sum += points[2 * at] * points[2 * next + 1] - points[2 * next] * points[2 * at + 1];
  }
  return sum / 2;
}

/**
 * Whether a line goes around a place: to its right it crosses an odd number of times.
 * @param {Contour} contour
 * @param {number} line
 * @param {number} x
 * @param {number} y
 */
function isAround({ points, starts }, line, x, y) {
  let isInside = false;
  for (let at = starts[line]; at < starts[line + 1]; at += 1) {
    const next = at + 1 < starts[line + 1] ? at + 1 : starts[line];
    const [fromX, fromY, toX, toY] = [points[2 * at], points[2 * at + 1], points[2 * next], points[2 * next + 1]];
    const isCrossed = fromY > y !== toY > y;
    if (isCrossed && x < fromX + ((y - fromY) / (toY - fromY)) * (toX - fromX)) isInside = !isInside;
  }
  return isInside;
}
