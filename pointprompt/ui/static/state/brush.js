// The brush that is in use, and what becomes of a pointer's way with it. Numbers only.

import { MAX_STROKE_POINTS } from "../contract.js";

/**
 * @import { Stroke } from "../contract.js"
 * @import { State } from "./state.js"
 * @import { Color } from "./things.js"
 */

/**
 * @typedef {Object} Brush
 * @property {boolean} adds
 * @property {number} radius A share of the longer side of an image.
 * @property {Color} color Of the thing.
 */

/** @typedef {{x: number, y: number}} Place From 0 to 1 of an image, or beside it. */

// The least, the most, and how much larger with each step.
const LEAST_RADIUS = 0.002;
const MOST_RADIUS = 0.3;
const STEP = 1.25;
const RANGE = Math.log(MOST_RADIUS / LEAST_RADIUS);

// Of the radius: what is nearer than that to the last point is no corner.
const NEAR = 0.15;
// A tenth of a pixel in a long image.
const DIGITS = 5;
// As far outside the image as a stroke may go.
const LEAST = -1;
const MOST = 2;

/**
 * Null where clicks are made.
 * @param {State} state
 * @returns {Brush | null}
 */
export function brushOf({ look, history }) {
  if (look.mode !== "brush" && look.mode !== "eraser") return null;
  return { adds: look.mode === "brush", radius: look.brush, color: history.present.color };
}

/**
 * @param {number} radius
 * @param {number} step
 */
export const stepped = (radius, step) =>
  Math.min(Math.max(radius * STEP ** step, LEAST_RADIUS), MOST_RADIUS);

/**
 * Where a slider from 0 to 100 stands for a radius.
 * @param {number} radius
 */
export const sliderOf = (radius) => (100 * Math.log(radius / LEAST_RADIUS)) / RANGE;

/** The other way round. @param {number} value */
export const radiusOf = (value) => LEAST_RADIUS * Math.exp((RANGE * value) / 100);

/**
 * A pointer's way as a stroke, without what lies closer together than anybody sees.
 * @param {number} image
 * @param {readonly Place[]} way Not empty.
 * @param {{brush: Brush, other: boolean, size: {width: number, height: number}}} made other: with the
 *   opposite of the brush. size: of the image, in any unit.
 * @returns {Stroke}
 */
export function strokeOf(image, way, { brush, other, size: { width, height } }) {
  const near = NEAR * brush.radius * Math.max(width, height);
  /** @type {Place[]} */
  let kept = [];
  way.forEach((place, at) => {
    const last = kept.at(-1);
    const isCorner = !last || Math.hypot((place.x - last.x) * width, (place.y - last.y) * height) >= near;
    if (isCorner || at === way.length - 1) kept.push(place);
  });
  // A scribble that goes on and on.
  while (kept.length > MAX_STROKE_POINTS) kept = kept.filter((_, at) => at % 2 === 0 || at === kept.length - 1);
  /** @param {number} value */
  const rounded = (value) => Number(Math.min(Math.max(value, LEAST), MOST).toFixed(DIGITS));
  return {
    image,
    adds: brush.adds !== other,
    radius: Number(brush.radius.toFixed(DIGITS)),
    points: kept.map(({ x, y }) => [rounded(x), rounded(y)]),
  };
}
