// What the server is still to be asked about the things that are not chosen. Knows neither the server nor
// the screen.

import { isAsked } from "./edits.js";
import { askedOf, outlineOf, promptMessage } from "./messages.js";
import { isAnswered, isFine } from "./state.js";
import { all } from "./things.js";

/**
 * @import { State } from "./state.js"
 * @import { Thing } from "./things.js"
 */

const EDGED_AT_ONCE = 4;

/**
 * What is missing of a thing: its masks, or their edges in these images.
 * @typedef {Object} Job
 * @property {Thing} thing
 * @property {string} key Of what is asked.
 * @property {number[] | null} images
 */

/**
 * @param {State} state
 * @returns {Job | null}
 */
export function missing(state) {
  const { history, manifest, answers, seen } = state;
  if (!manifest || !isAnswered(state)) return null;
  for (const thing of all(history.present)) {
    if (thing.id === history.present.id || thing.hidden || !isAsked(thing)) continue;
    const key = askedOf(promptMessage(state, thing));
    const answer = answers.get(thing.id);
    if (answer?.key !== key) return { thing, key, images: null };
    const rough = [...seen].filter(
      (image) => outlineOf(state, image, thing) !== "tokens" && !isFine(state, image, answer),
    );
    if (rough.length) return { thing, key, images: rough.slice(0, EDGED_AT_ONCE) };
  }
  return null;
}
