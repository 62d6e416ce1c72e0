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
  // is reached at the highest level at which it hangs together with the seed. Around the photo there
  // is a rim that is reached already.
  const { heights, isReached, rim } = rimmed(drawn, width, levels);
  const around = [-rim - 1, -rim, -rim + 1, -1, 1, rim - 1, rim, rim + 1];
  const waiting = Array.from({ length: levels.length + 1 }, () => /** @type {number[]} */ ([]));
  const start = (Math.trunc(seed / width) + 1) * rim + (seed % width) + 1;
  waiting[heights[start]].push(start);
  isReached[start] = 1;
  for (let now = heights[start]; now > 0; now -= 1) {
    const here = waiting[now];
    for (let pixel = here.pop(); pixel !== undefined; pixel = here.pop()) {
      counts[now] += 1;
      for (let i = 0; i < 8; i += 1) {
        const next = pixel + around[i];
        if (isReached[next]) continue;
        isReached[next] = 1;
        const height = heights[next];
        if (height < now) waiting[height].push(next);
        else here.push(next);
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
 * How many levels each pixel is above, in a rim of one that counts as reached.
 * @param {Float32Array} drawn
 * @param {number} width
 * @param {readonly number[]} levels
 */
function rimmed(drawn, width, levels) {
  const rim = width + 2;
  const rows = drawn.length / width;
  const heights = new Uint8Array(rim * (rows + 2));
  const isReached = new Uint8Array(heights.length).fill(1);
  for (let row = 0, pixel = 0; row < rows; row += 1) {
    for (let at = (row + 1) * rim + 1, end = at + width; at < end; at += 1, pixel += 1) {
      heights[at] = countBelow(levels, drawn[pixel]);
      isReached[at] = 0;
    }
  }
  return { heights, isReached, rim };
}

/**
 * @param {readonly number[]} levels Rising.
 * @param {number} value
 */
function countBelow(levels, value) {
  let [low, high] = [0, levels.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (levels[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
