// Masks with as many pixels as are wanted: of tokens, or of lines around. Knows arrays.

/**
 * @import { Contour } from "../rule/contour.js"
 * @import { Mask } from "./state.js"
 */

/** @typedef {readonly [number, number]} Grid Rows and columns. */

/**
 * No pixel.
 * @param {Grid} grid
 * @returns {Mask}
 */
export const empty = (grid) => ({ mask: new Uint8Array(grid[0] * grid[1]), grid });

/**
 * Each pixel as what its centre is in.
 * @param {Mask} drawn
 * @param {Grid} grid
 * @returns {Mask}
 */
export function resized({ mask, grid: [h, w] }, grid) {
  if (grid[0] === h && grid[1] === w) return { mask, grid };
  const found = empty(grid);
  for (let row = 0; row < grid[0]; row += 1) {
    const from = Math.floor(((row + 0.5) * h) / grid[0]) * w;
    for (let column = 0; column < grid[1]; column += 1) {
      found.mask[row * grid[1] + column] = mask[from + Math.floor(((column + 0.5) * w) / grid[1])];
    }
  }
  return found;
}

/**
 * What is inside the lines of a contour: what an odd number of them is around.
 * @param {Contour} contour
 * @param {Grid} grid
 * @returns {Mask}
 */
export function filled({ points, starts }, grid) {
  const found = empty(grid);
  crossings({ points, starts }, grid).forEach((columns, row) => {
    columns.sort((a, b) => a - b);
    for (let at = 0; at + 1 < columns.length; at += 2) {
      const [from, to] = [columns[at], columns[at + 1]].map((column) => Math.max(Math.ceil(column - 0.5), 0));
      found.mask.fill(1, row * grid[1] + Math.min(from, grid[1]), row * grid[1] + Math.min(to, grid[1]));
    }
  });
  return found;
}

/**
 * For each row where lines cross it, in columns.
 * @param {Contour} contour
 * @param {Grid} grid
 */
function crossings({ points, starts }, [rows, columns]) {
  const found = Array.from({ length: rows }, () => /** @type {number[]} */ ([]));
  for (let line = 0; line + 1 < starts.length; line += 1) {
    for (let at = starts[line]; at < starts[line + 1]; at += 1) {
      const next = at + 1 < starts[line + 1] ? at + 1 : starts[line];
      const [x, y, toX, toY] = [points[2 * at], points[2 * at + 1], points[2 * next], points[2 * next + 1]];
      const [first, last] = [y, toY].sort((a, b) => a - b).map((value) => Math.ceil(value * rows - 0.5));
      for (let row = Math.max(first, 0); row < Math.min(last, rows); row += 1) {
        const along = ((row + 0.5) / rows - y) / (toY - y);
        found[row].push((x + along * (toX - x)) * columns);
      }
    }
  }
  return found;
}
