// What is to be drawn over an image: of the server's answers and of what this browser found, the newest.

import { coverage } from "./coverage.js";
import { edited } from "./edited.js";
import { isAsked, isBlank, isLocked } from "./edits.js";
import { all } from "./things.js";

/**
 * @import { Manifest } from "../contract.js"
 * @import { Contour } from "../rule/contour.js"
 * @import { Mask, State } from "./state.js"
 * @import { Color } from "./things.js"
 */

/**
 * What is to be drawn of the chosen thing over an image, and what is said of it.
 * @typedef {Object} Shown
 * @property {Contour | Mask | null} drawn
 * @property {Uint8Array | null} heat From 0 to 255, of tokens.
 * @property {number | null} covered Share of the image; null where nothing is known.
 * @property {number | null} presence null where nothing was looked for.
 */

/** @type {Shown} */
const NOTHING = Object.freeze({ drawn: null, heat: null, covered: null, presence: null });

/**
 * The server's masks, or before they have come what this browser found.
 * @param {State} state
 * @param {number} image
 * @returns {Shown}
 */
export function shownIn(state, image) {
  const { history, answer } = state;
  const { present } = history;
  const found = isAsked(present) ? unedited(state, image) : NOTHING;
  const drawn = edited(state, present, image, found.drawn);
  if (drawn === found.drawn || !drawn) return found;
  const covered = "mask" in drawn ? coverage(drawn.mask) : found.covered;
  return { ...found, drawn, covered, presence: answer.presence[image] ?? null };
}

/**
 * The same without edits.
 * @param {State} state
 * @param {number} image
 * @returns {Shown}
 */
function unedited({ history, live, answer, manifest }, image) {
  // What this browser finds is for images that the newest prompt is about.
  const tile = isLocked(history.present, image) ? undefined : live.tiles.get(image);
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

/**
 * What is to be drawn of every thing that is seen in an image, the lowest first.
 * @typedef {Object} Layer
 * @property {number} id Of the thing.
 * @property {Color} color
 * @property {Contour | Mask} drawn
 */

/**
 * @param {State} state
 * @param {number} image
 * @param {Contour | Mask | null} chosen What is drawn of the chosen thing.
 * @returns {Layer[]}
 */
export function layersIn(state, image, chosen) {
  const { present } = state.history;
  return all(present)
    .reverse()
    .flatMap((thing) => {
      const { id, color, hidden } = thing;
      if (hidden || isBlank(thing)) return [];
      const drawn = id === present.id ? chosen : edited(state, thing, image, standingIn(state, id, image));
      return drawn ? [{ id, color, drawn }] : [];
    });
}

/**
 * Of a thing that is not chosen, by the server's answer.
 * @param {State} state
 * @param {number} id
 * @param {number} image
 */
function standingIn({ answers, manifest }, id, image) {
  const answer = answers.get(id);
  return answer?.edged[image] ?? whole(answer?.masks[image] ?? null, manifest);
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
