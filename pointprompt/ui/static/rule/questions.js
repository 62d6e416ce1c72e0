// What the worker is asked of the page's state.

import { sentSettings } from "../state/messages.js";
import { clicksOf } from "../state/things.js";

/**
 * @import { Click } from "../contract.js"
 * @import { State } from "../state/state.js"
 * @import { Asked } from "./worker.js"
 */

/** @typedef {Omit<Asked, "kind" | "id">} Question */

/** @type {Asked["drawn"]} */
export const LINE = "contour";

/**
 * Whether this browser can do what the settings say: our own rule, from a concept that it has if any.
 * @param {State} state
 */
export function canFollow(state) {
  const { rule } = sentSettings(state);
  if (rule.name !== "joint") return false;
  return !rule.concept || Boolean(state.manifest?.concepts.some(({ name }) => name === rule.concept));
}

/**
 * @param {State} state
 * @param {readonly Click[]} clicks Of the chosen thing, or what they would be.
 * @param {number[]} images
 * @returns {Question}
 */
export function question(state, clicks, images) {
  const { present } = state.history;
  const { rule, one_only, outline } = sentSettings(state);
  return {
    prompt: { clicks: clicksOf(present, present.id, clicks), rule: /** @type {any} */ (rule), one_only },
    images,
    drawn: outline === "tokens" ? "mask" : LINE,
    heat: state.look.view === "heat",
  };
}
