// What is to be drawn over an image: of the server's answer and of what this browser found, the newest.

import { coverage } from "./coverage.js";

/**
 * @import { Manifest } from "../contract.js"
 * @import { Contour } from "../rule/contour.js"
 * @import { Mask, State } from "./state.js"
 */

/**
 * What is to be drawn over an image, and what is said of it.
 * @typedef {Object} Shown
 * @property {Contour | Mask | null} drawn
 * @property {Uint8Array | null} heat From 0 to 255, of tokens.
 * @property {number | null} covered Share of the image; null where nothing is known.
 * @property {number} presence
 */

/** @type {Shown} */
const NOTHING = Object.freeze({ drawn: null, heat: null, covered: null, presence: 0 });

/**
 * The server's masks, or before they have come what this browser found.
 * @param {State} state
 * @param {number} image
 * @returns {Shown}
 */
export function shownIn(state, image) {
  const { history, live, answer, manifest } = state;
  if (!history.present.clicks.length) return NOTHING;
  const tile = live.tiles.get(image);
  const isNewer = tile !== undefined && live.seq > answer.seq;
  const mask = answer.masks[image];
  const heat = (live.seq >= answer.seq && tile?.heat) || (answer.heat[image] ?? null);
  if (tile && (isNewer || !mask)) {
    const { contour, covered, presence } = tile;
    return { drawn: contour ?? whole(tile.mask, manifest), heat, covered, presence };
  }
  if (!mask) return NOTHING;
  // Whole tokens until the edges have come, where there is no line between them.
  const line = live.seq === answer.seq ? tile?.contour : null;
  const drawn = answer.edged[image] ?? line ?? whole(mask, manifest);
  return { drawn, heat, covered: coverage(answer.edged[image]?.mask ?? mask), presence: answer.presence[image] };
}

/** Masks of tokens, as the things to draw that they are, for as long as they are there.
 * @type {WeakMap<Uint8Array, Mask>} */
const wholes = new WeakMap();

/**
 * @param {Uint8Array | null} mask
 * @param {Manifest | null} manifest
 * @returns {Mask | null}
 */
function whole(mask, manifest) {
  if (!mask) return null;
  const known = wholes.get(mask) ?? { mask, grid: manifest?.grid ?? [1, 1] };
  wholes.set(mask, known);
  return known;
}
