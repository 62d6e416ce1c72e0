// The clicks of a prompt: plain arrays, never changed in place.

/**
 * @import { Click } from "../contract.js"
 */

/** @typedef {{width: number, height: number}} Size Of a tile, in CSS pixels. */

// The wire wants x and y below 1; this is the largest float32 that is.
const BELOW_ONE = 1 - 2 ** -24;

/** @param {number} value */
const inside = (value) => Math.min(Math.max(value, 0), BELOW_ONE);

/**
 * @param {number} image
 * @param {number} x
 * @param {number} y
 * @param {boolean} positive
 * @returns {Click}
 */
export const clickAt = (image, x, y, positive) => ({
  image,
  x: inside(x),
  y: inside(y),
  positive,
});

/**
 * @param {readonly Click[]} clicks
 * @param {Click} click
 */
export const add = (clicks, click) => [...clicks, click];

/**
 * @param {readonly Click[]} clicks
 * @param {number} index
 */
export const removeAt = (clicks, index) => clicks.filter((_, i) => i !== index);

/**
 * The same clicks, or whatever else is on an image, on images that have other places.
 * @template {{image: number}} On
 * @param {readonly On[]} list
 * @param {readonly number[]} places By the old index; -1 for one that is gone.
 */
export const move = (list, places) =>
  list.map((one) => ({ ...one, image: places[one.image] })).filter(({ image }) => image >= 0);

// Of a mark on a tile, in CSS pixels, and as a share of the tile's shorter side.
const MARK = { most: 7, least: 3.5, share: 0.045 };
// How far around it a press still hits it. Two taps of a finger are rarely nearer than that.
const AROUND = { mouse: 1, touch: 5 };

/**
 * How large a click is drawn: on a small tile small, so that there is room beside it.
 * @param {Size} size Of the tile, in CSS pixels.
 */
export const markRadius = ({ width, height }) =>
  Math.max(Math.min(Math.min(width, height) * MARK.share, MARK.most), MARK.least);

/**
 * How near a press must be to hit a click, in CSS pixels.
 * @param {Size} size Of the tile, in CSS pixels.
 * @param {boolean} touch
 */
export const hitRadius = (size, touch) =>
  markRadius(size) + (touch ? AROUND.touch : AROUND.mouse);

/**
 * Index of the click of this image that is nearest to (x, y), if it is within `radius` pixels of a
 * tile of this width and height; else -1.
 * @param {readonly Click[]} clicks
 * @param {number} image
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {number} radius
 */
export function hit(clicks, image, x, y, width, height, radius) {
  let best = -1;
  let bestDistance = radius;
  clicks.forEach((click, index) => {
    if (click.image !== image) return;
    const distance = Math.hypot((click.x - x) * width, (click.y - y) * height);
    if (distance <= bestDistance) {
      best = index;
      bestDistance = distance;
    }
  });
  return best;
}

/** @param {readonly Click[]} clicks */
export function count(clicks) {
  const positive = clicks.filter((click) => click.positive).length;
  return { positive, negative: clicks.length - positive };
}
