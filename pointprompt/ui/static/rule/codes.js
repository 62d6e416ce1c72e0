// The codes of an image as the server's file has them, and how like one they are. The same as the
// server's `analysis/codes.py`, which says what codes are.

import { CODES } from "../contract.js";

/** @import { Picture } from "./guided.js" */

/**
 * The codes of an image. Plain ones are as they are, centred ones less a part of their mean.
 * @typedef {Object} Codes
 * @property {number} tokens How many.
 * @property {readonly Int8Array[]} planes One a number of a code, `EIGHT` or a multiple of that.
 * @property {Float32Array} scales What each plane is to be multiplied by.
 * @property {Float32Array} part Of their mean, that centred ones lack.
 * @property {Float32Array} shortened For each token, 1 by the length that is left without it.
 * @property {Picture} picture The photo, small.
 */

// Planes are multiplied so many at a time, which is twice as fast as one by one.
const EIGHT = 8;

/**
 * Throws where the file is none of codes.
 * @param {ArrayBuffer} file
 * @param {number} tokens
 * @returns {Codes}
 */
export function decode(file, tokens) {
  const [numbers, height, width] = new Uint16Array(file, 0, 4);
  const scalesAt = 8;
  const planesAt = scalesAt + 4 * numbers;
  const pictureAt = planesAt + numbers * tokens;
  const pixels = height * width;
  if (file.byteLength !== pictureAt + 3 * pixels) throw new Error("The codes do not fit the image.");
  const padded = EIGHT * Math.ceil(numbers / EIGHT);
  const scales = new Float32Array(padded);
  scales.set(new Float32Array(file, scalesAt, numbers));
  const nothing = new Int8Array(tokens);
  const planes = Array.from({ length: padded }, (_, i) =>
    i < numbers ? new Int8Array(file, planesAt + i * tokens, tokens) : nothing,
  );
  const channels = [0, 1, 2].map((i) => new Uint8Array(file, pictureAt + i * pixels, pixels));
  const part = planes.map((plane, i) => (CODES.CENTRED * scales[i] * sum(plane)) / tokens);
  const plain = { tokens, planes, scales, picture: { height, width, channels } };
  return { ...plain, part: Float32Array.from(part), shortened: shorten(plain, part) };
}

/** @param {Int8Array} plane */
function sum(plane) {
  let total = 0;
  for (let token = 0; token < plane.length; token += 1) total += plane[token];
  return total;
}

/**
 * @param {Pick<Codes, "tokens" | "planes" | "scales">} codes
 * @param {readonly number[]} part
 */
function shorten({ tokens, planes, scales }, part) {
  const squares = new Float64Array(tokens);
  planes.forEach((plane, i) => {
    for (let token = 0; token < tokens; token += 1) squares[token] += (plane[token] * scales[i] - part[i]) ** 2;
  });
  return Float32Array.from(squares, (square) => 1 / Math.max(Math.sqrt(square), 1e-12));
}

/**
 * One token's, as it is.
 * @param {Codes} codes
 * @param {number} token
 */
export const plainAt = ({ planes, scales }, token) =>
  Float32Array.from(planes, (plane, i) => plane[token] * scales[i]);

/**
 * One token's, of length 1.
 * @param {Codes} codes
 * @param {number} token
 */
export function centredAt(codes, token) {
  const { part, shortened } = codes;
  return plainAt(codes, token).map((value, i) => (value - part[i]) * shortened[token]);
}

/**
 * The inner product of every token's plain code with a code.
 * @param {Codes} codes
 * @param {Float32Array} code
 * @param {Float32Array} found Of all tokens: what it is written to.
 */
export function plainLikeness({ planes, scales }, code, found) {
  found.fill(0);
  for (let first = 0; first < planes.length; first += EIGHT) {
    addProducts(planes.slice(first, first + EIGHT), weightsOf(code, scales, first), found);
  }
  return found;
}

/**
 * The same with every token's centred code.
 * @param {Codes} codes
 * @param {Float32Array} code
 * @param {Float32Array} found
 */
export function centredLikeness(codes, code, found) {
  const { part, shortened, tokens } = codes;
  plainLikeness(codes, code, found);
  const less = inner(code, part);
  for (let token = 0; token < tokens; token += 1) found[token] = (found[token] - less) * shortened[token];
  return found;
}

/**
 * The sum of all tokens' plain codes, each so many times.
 * @param {Codes} codes
 * @param {Float32Array} times
 */
export function weightedSum({ tokens, planes, scales }, times) {
  return Float32Array.from(planes, (plane, i) => {
    let total = 0;
    for (let token = 0; token < tokens; token += 1) total += plane[token] * times[token];
    return total * scales[i];
  });
}

/**
 * @param {Float32Array} one
 * @param {Float32Array} other
 */
export function inner(one, other) {
  let total = 0;
  for (let i = 0; i < one.length; i += 1) total += one[i] * other[i];
  return total;
}

/**
 * The code at length 1.
 * @param {Float32Array} code
 */
export function unit(code) {
  const length = Math.max(Math.sqrt(inner(code, code)), 1e-12);
  return code.map((value) => value / length);
}

/**
 * @param {Float32Array} one
 * @param {Float32Array} other
 */
export const sumOf = (one, other) => one.map((value, i) => value + other[i]);

/**
 * @param {Float32Array} code
 * @param {Float32Array} scales
 * @param {number} first
 */
const weightsOf = (code, scales, first) =>
  Array.from({ length: EIGHT }, (_, i) => code[first + i] * scales[first + i]);

/**
 * @param {readonly Int8Array[]} planes Eight.
 * @param {readonly number[]} weights Eight.
 * @param {Float32Array} found
 */
function addProducts([a, b, c, d, e, f, g, h], [A, B, C, D, E, F, G, H], found) {
  for (let i = 0; i < found.length; i += 1) {
    found[i] +=
      a[i] * A + b[i] * B + c[i] * C + d[i] * D + e[i] * E + f[i] * F + g[i] * G + h[i] * H;
  }
}
