// The guided filter: values of tokens -> values of pixels that follow the colours of a photo. The same
// as the server's `masks/guided_filter.py`, which says where it is from.

import { GUIDED } from "../contract.js";
import { axis, BOX, ofBytes, resample, TRIANGLE } from "./resample.js";

/**
 * A small photo.
 * @typedef {Object} Picture
 * @property {number} height
 * @property {number} width
 * @property {readonly Uint8Array[]} channels Red, green and blue, each of height * width.
 */

const PAIRS = [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]];

/**
 * What filtering along the edges of this photo needs of it, made once.
 * @param {Picture} picture
 * @param {readonly [number, number]} grid Rows and columns of tokens.
 * @returns {(values: Float32Array) => Float32Array} Of tokens (h * w); gives those of pixels
 *   (height * width).
 */
export function guide({ height, width, channels }, [h, w]) {
  const [smallRows, smallColumns] = [ofBytes(axis(height, h, BOX)), ofBytes(axis(width, w, BOX))];
  const colors = channels.map((channel) =>
    resample(channel, width, smallRows, smallColumns, Math.round).map((value) => value / 255),
  );
  const windows = GUIDED.RADII.map((share) => spreadIn(colors, w, radiusOf(share, h, w)));
  const [rows, columns] = [axis(h, height, TRIANGLE), axis(w, width, TRIANGLE)];

  return (values) => {
    const linear = meanOf(windows.map((window) => linearIn(window, colors, values, w)));
    const [red, green, blue, offset] = linear.map((plane) => resample(plane, w, rows, columns));
    const drawn = new Float32Array(offset.length);
    for (let pixel = 0; pixel < drawn.length; pixel += 1) {
      const slope =
        red[pixel] * channels[0][pixel] + green[pixel] * channels[1][pixel] + blue[pixel] * channels[2][pixel];
      drawn[pixel] = offset[pixel] + slope / 255;
    }
    return drawn;
  };
}

/**
 * @param {number} share
 * @param {number} h
 * @param {number} w
 */
const radiusOf = (share, h, w) => Math.max(1, Math.round(share * Math.sqrt(h * w)));

/**
 * Colour in the window around every token: its mean and the inverse of its spread.
 * @param {Float64Array[]} colors
 * @param {number} w
 * @param {number} radius
 */
function spreadIn(colors, w, radius) {
  const means = colors.map((color) => windowMean(color, w, radius));
  const spread = PAIRS.map(([i, j]) => {
    const together = windowMean(product(colors[i], colors[j]), w, radius);
    return together.map((mean, token) => mean - means[i][token] * means[j][token] + (i === j ? GUIDED.FLAT : 0));
  });
  return { radius, means, inverse: inverted(spread) };
}

/**
 * The three slopes and the offset of a value against colour around every token.
 * @param {ReturnType<typeof spreadIn>} window
 * @param {Float64Array[]} colors
 * @param {Float32Array} values
 * @param {number} w
 */
function linearIn({ radius, means, inverse }, colors, values, w) {
  const offset = windowMean(values, w, radius);
  const [a, b, c] = colors.map((color) => windowMean(product(color, values), w, radius));
  const [red, green, blue] = means;
  const [rr, rg, rb, gg, gb, bb] = inverse;
  for (let token = 0; token < offset.length; token += 1) {
    const mean = offset[token];
    const r = a[token] - red[token] * mean;
    const g = b[token] - green[token] * mean;
    const l = c[token] - blue[token] * mean;
    a[token] = rr[token] * r + rg[token] * g + rb[token] * l;
    b[token] = rg[token] * r + gg[token] * g + gb[token] * l;
    c[token] = rb[token] * r + gb[token] * g + bb[token] * l;
    offset[token] = mean - a[token] * red[token] - b[token] * green[token] - c[token] * blue[token];
  }
  return [a, b, c, offset].map((plane) => windowMean(plane, w, radius));
}

/**
 * The inverse of a symmetric 3 x 3 matrix at every token, in the order of `PAIRS`.
 * @param {Float64Array[]} matrix
 */
function inverted([rr, rg, rb, gg, gb, bb]) {
  const found = PAIRS.map(() => new Float64Array(rr.length));
  for (let token = 0; token < rr.length; token += 1) {
    const [a, b, c, d, e, f] = [rr[token], rg[token], rb[token], gg[token], gb[token], bb[token]];
    const minors = [d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b];
    const determinant = a * minors[0] + b * minors[1] + c * minors[2];
    minors.forEach((minor, i) => (found[i][token] = minor / determinant));
  }
  return found;
}

/**
 * The mean of each place's window; what is beyond the edges is as in a mirror.
 * @param {Float32Array | Float64Array} plane
 * @param {number} w
 * @param {number} radius
 */
export function windowMean(plane, w, radius) {
  const h = plane.length / w;
  const found = Float64Array.from(plane);
  const across = lineMean(w, radius);
  for (let row = 0; row < h; row += 1) across(found, row * w, 1);
  const down = lineMean(h, radius);
  for (let column = 0; column < w; column += 1) down(found, column, w);
  return found;
}

/**
 * The same along one line, in place.
 * @param {number} count Of its values.
 * @param {number} radius
 */
function lineMean(count, radius) {
  const size = 2 * radius + 1;
  const line = new Float64Array(count + 2 * radius);
  const sources = Int32Array.from(line, (_, i) => mirrored(i - radius, count));
  /**
   * @param {Float64Array} plane
   * @param {number} start
   * @param {number} step From one value of it to the next.
   */
  return (plane, start, step) => {
    for (let i = 0; i < line.length; i += 1) line[i] = plane[start + step * sources[i]];
    let sum = 0;
    for (let i = 0; i < size - 1; i += 1) sum += line[i];
    for (let place = 0; place < count; place += 1) {
      sum += line[place + size - 1];
      plane[start + step * place] = sum / size;
      sum -= line[place];
    }
  };
}

/**
 * @param {number} place
 * @param {number} count
 */
function mirrored(place, count) {
  const within = ((place % (2 * count)) + 2 * count) % (2 * count);
  return within < count ? within : 2 * count - 1 - within;
}

/**
 * @param {Float64Array} one
 * @param {Float32Array | Float64Array} other
 */
function product(one, other) {
  const found = new Float64Array(one.length);
  for (let i = 0; i < found.length; i += 1) found[i] = one[i] * other[i];
  return found;
}

/** @param {Float64Array[][]} sets Of planes. */
const meanOf = (sets) =>
  sets[0].map((first, plane) =>
    first.map((_, i) => sets.reduce((sum, planes) => sum + planes[plane][i], 0) / sets.length),
  );
