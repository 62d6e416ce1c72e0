// How far a first click reaches. The same as the server's `masks/levels.py`, which says why.

import { LEVELS } from "../contract.js";

/**
 * The likeness above which a token is of the thing that was clicked.
 * @param {Float32Array} drawn Of pixels: how like the click they are, along the photo's edges.
 * @param {number} width Of the photo.
 * @param {{x: number, y: number}} at The click, from 0 to 1.
 */
export function stableLevel(drawn, width, at) {
  const height = drawn.length / width;
  const { LEVELS: levels, APART, USUAL, WIDTH, PRIOR, ALL, LEAST, MOST } = LEVELS;
  const seed = Math.trunc(at.y * height) * width + Math.trunc(at.x * width);
  const shares = sharesAbove(drawn, width, seed, levels);
  const last = levels.length - 1;
  let best = -Infinity;
  /** @type {number} */
  let found = LEAST;
  levels.forEach((level, step) => {
    if (shares[step] <= 0 || shares[step] > ALL || level > MOST) return;
    const above = shares[Math.min(step + APART, last)];
    const below = shares[Math.max(step - APART, 0)];
    // As the server does, to the last bit: where two levels are worth the same, both take one.
    const unusual = (level - USUAL) / WIDTH;
    const worth = above / Math.max(below, 1e-12) - PRIOR * (unusual * unusual);
    if (worth > best) [best, found] = [worth, level];
  });
  return Math.max(LEAST, found);
}

/**
 * For each level the share of the pixels that hang together with the seed above it.
 * @param {Float32Array} drawn
 * @param {number} width
 * @param {number} seed A pixel.
 * @param {readonly number[]} levels Rising.
 */
export function sharesAbove(drawn, width, seed, levels) {
  const counts = new Uint32Array(levels.length + 1);
  // How many levels a pixel is above; of its neighbours the highest are gone to first, so that each
  // is reached at the highest level at which it hangs together with the seed.
  const heights = Uint8Array.from(drawn, (value) => countBelow(levels, value));
  const waiting = Array.from({ length: levels.length + 1 }, () => /** @type {number[]} */ ([]));
  const isReached = new Uint8Array(drawn.length);
  waiting[heights[seed]].push(seed);
  isReached[seed] = 1;
  for (let now = heights[seed]; now > 0; now -= 1) {
    for (let pixel = waiting[now].pop(); pixel !== undefined; pixel = waiting[now].pop()) {
      counts[now] += 1;
      for (const next of neighbours(pixel, width, drawn.length)) {
        if (isReached[next]) continue;
        isReached[next] = 1;
        waiting[Math.min(heights[next], now)].push(next);
      }
    }
  }
  let sum = 0;
  const shares = new Float64Array(levels.length);
  for (let step = levels.length - 1; step >= 0; step -= 1) {
    sum += counts[step + 1];
    shares[step] = sum / drawn.length;
  }
  return shares;
}

/**
 * @param {readonly number[]} levels
 * @param {number} value
 */
function countBelow(levels, value) {
  let count = 0;
  while (count < levels.length && levels[count] < value) count += 1;
  return count;
}

/**
 * The eight around a pixel, of those that are there.
 * @param {number} pixel
 * @param {number} width
 * @param {number} size
 */
export function neighbours(pixel, width, size) {
  const column = pixel % width;
  const found = [];
  for (let start = pixel - width; start <= pixel + width; start += width) {
    if (start < 0 || start >= size) continue;
    if (column > 0) found.push(start - 1);
    if (start !== pixel) found.push(start);
    if (column + 1 < width) found.push(start + 1);
  }
  return found;
}
