// A plane of values at another size, as the server's library does it: every value of the new one is a
// mean of old ones, with weights of a box or of a triangle that are as wide as its place among them.

/** @typedef {{reach: number, weight: (distance: number) => number}} Kernel In steps of the wider grid. */

const BITS = 2 ** 22;

/** @type {Kernel} */
export const BOX = { reach: 0.5, weight: (at) => (at > -0.5 && at <= 0.5 ? 1 : 0) };
/** @type {Kernel} */
export const TRIANGLE = { reach: 1, weight: (at) => Math.max(0, 1 - Math.abs(at)) };

/** @typedef {{first: number, weights: Float64Array}[]} Axis What each place of an axis is a mean of. */

/**
 * @param {number} from Places along the old axis.
 * @param {number} to Places along the new one.
 * @param {Kernel} kernel
 * @returns {Axis}
 */
export function axis(from, to, { reach, weight }) {
  const step = from / to;
  const wide = Math.max(step, 1);
  return Array.from(new Uint16Array(to).keys(), (place) => {
    const centre = (place + 0.5) * step;
    const first = Math.max(0, Math.trunc(centre - reach * wide + 0.5));
    const end = Math.min(from, Math.trunc(centre + reach * wide + 0.5));
    const weights = Float64Array.from({ length: end - first }, (_, i) =>
      weight((first + i - centre + 0.5) / wide),
    );
    const sum = weights.reduce((total, one) => total + one, 0);
    return { first, weights: weights.map((one) => one / sum) };
  });
}

/**
 * The same for bytes, of which means are bytes again: with weights in as many bits as the library has
 * them in, so that halves are rounded alike.
 * @param {Axis} places
 * @returns {Axis}
 */
export const ofBytes = (places) =>
  places.map(({ first, weights }) => ({ first, weights: weights.map((one) => Math.round(one * BITS) / BITS) }));

/**
 * The plane (rows.length * columns.length).
 * @param {ArrayLike<number>} plane Of `width` columns.
 * @param {number} width
 * @param {Axis} rows
 * @param {Axis} columns
 * @param {(value: number) => number} [rounded] What is kept of a value, after each axis.
 */
export function resample(plane, width, rows, columns, rounded = Math.fround) {
  const height = plane.length / width;
  const across = new Float64Array(height * columns.length);
  columns.forEach(({ first, weights }, column) => {
    for (let row = 0; row < height; row += 1) {
      let sum = 0;
      const start = row * width + first;
      for (let i = 0; i < weights.length; i += 1) sum += weights[i] * plane[start + i];
      across[row * columns.length + column] = rounded(sum);
    }
  });
  const found = new Float64Array(rows.length * columns.length);
  rows.forEach(({ first, weights }, row) => {
    const to = found.subarray(row * columns.length, (row + 1) * columns.length);
    weights.forEach((weight, i) => {
      const start = (first + i) * columns.length;
      for (let column = 0; column < to.length; column += 1) to[column] += weight * across[start + column];
    });
    for (let column = 0; column < to.length; column += 1) to[column] = rounded(to[column]);
  });
  return found;
}
