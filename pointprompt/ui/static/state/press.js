// What a press on a tile makes of the clicks.

import * as clicks from "./clicks.js";

/**
 * @import { Click } from "../contract.js"
 * @import { Size } from "./clicks.js"
 * @import { State } from "./state.js"
 */

/**
 * A place that is pressed on a tile, or would be.
 * @typedef {Object} Press
 * @property {number} x From 0 to 1.
 * @property {number} y From 0 to 1.
 * @property {boolean} other Whether it says the opposite of the mode's "this".
 * @property {boolean} touch
 */

/** @typedef {Press & {image: number, size: Size}} PressOn size: of the tile, in CSS pixels. */

/**
 * Index of the click that a press there removes; -1 where it adds one.
 * @param {readonly Click[]} list
 * @param {PressOn} press
 */
export const hitBy = (list, { image, x, y, touch, size }) =>
  clicks.hit(list, image, x, y, size.width, size.height, clicks.hitRadius(size, touch));

/**
 * One more, or without the one that is there already.
 * @param {Pick<State, "history" | "look">} state
 * @param {PressOn} press
 */
export function afterPress({ history, look }, press) {
  const list = history.present.clicks;
  const at = hitBy(list, press);
  if (at >= 0) return clicks.removeAt(list, at);
  const positive = look.mode !== "negative" && !press.other;
  return clicks.add(list, clicks.clickAt(press.image, press.x, press.y, positive));
}
