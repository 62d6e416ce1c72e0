// What the server is still to be asked about the things that are not chosen. Knows neither the server nor
// the screen.

import { isAsked } from "./edits.js";
import { askedOf, outlineOf, promptMessage } from "./messages.js";
import { isAnswered, isFine } from "./state.js";
import { all } from "./things.js";

/**
 * @import { Answer, State } from "./state.js"
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
  const { history, manifest, answers } = state;
  if (!manifest || !isAnswered(state)) return null;
  const others = all(history.present)
    .filter((thing) => thing.id !== history.present.id && !thing.hidden && isAsked(thing))
    .map((thing) => ({ thing, key: askedOf(promptMessage(state, thing)), answer: answers.get(thing.id) }));
  const unknown = others.find(({ key, answer }) => answer?.key !== key);
  if (unknown) return { ...unknown, images: null };
  const rough = others.flatMap(({ thing, key, answer }) => roughOf(state, thing, key, answer));
  // What is drawn as whole tokens goes before what is drawn as it was a moment ago.
  return rough.find(({ isDrawn }) => !isDrawn) ?? rough[0] ?? null;
}

/**
 * Images that are seen without a thing's newest edges: those with none, and those with edges of before.
 * @param {State} state
 * @param {Thing} thing
 * @param {string} key
 * @param {Answer | undefined} answer
 * @returns {(Job & {isDrawn: boolean})[]}
 */
function roughOf(state, thing, key, answer) {
  const images = [...state.seen].filter(
    (image) => outlineOf(state, image, thing) !== "tokens" && !isFine(state, image, answer),
  );
  return [false, true]
    .map((isDrawn) => ({ isDrawn, of: images.filter((image) => Boolean(answer?.edged[image]) === isDrawn) }))
    .filter(({ of }) => of.length)
    .map(({ isDrawn, of }) => ({ thing, key, images: of.slice(0, EDGED_AT_ONCE), isDrawn }));
}
