// Which tiles stand, and in which order. Both are taken when they are asked for and not at each
// answer: tiles that move or vanish by themselves would do so under the pointer.

import { isLocked, strokesOn } from "./edits.js";
import { foundIn } from "./found.js";

/** @import { State } from "./state.js" */

// At 0.5 of presence the rule is of two minds; so far from it on either side it may be wrong.
export const UNSURE = Object.freeze([0.3, 0.7]);

/**
 * Whether an image passes, by the name of the filter.
 * @type {Readonly<Record<string, (state: State, image: number) => boolean>>}
 */
const FILTERS = {
  all: () => true,
  clicked: ({ history }, image) => history.present.clicks.some((click) => click.image === image),
  found: (state, image) => foundIn(state, image) === true,
  unsure: ({ answer }, image) =>
    answer.presence[image] >= UNSURE[0] && answer.presence[image] <= UNSURE[1],
  empty: (state, image) => foundIn(state, image) === false,
  open: ({ history: { present } }, image) => !isLocked(present, image) && !present.skipped.includes(image),
  locked: ({ history }, image) => isLocked(history.present, image),
  edited: ({ history }, image) => strokesOn(history.present, image).length > 0,
  skipped: ({ history }, image) => history.present.skipped.includes(image),
};

/** @param {State} state */
const given = ({ manifest }) => Array.from(manifest?.images ?? [], (_, index) => index);

/**
 * The images that pass a filter, in the order they came in.
 * @param {State} state
 * @param {string} filter
 */
export const passing = (state, filter) =>
  given(state).filter((image) => (FILTERS[filter] ?? FILTERS.all)(state, image));

/**
 * The images as the tiles would stand, were they asked for now.
 * @param {State} state
 */
export function arrangement(state) {
  const { look, answer } = state;
  const { presence } = answer;
  const images = passing(state, look.filter);
  if (look.order === "presence" && presence.length) {
    images.sort((a, b) => presence[b] - presence[a] || a - b);
  }
  return images;
}

/**
 * The images as the tiles stand.
 * @param {State} state
 */
export const standing = (state) => state.arranged ?? given(state);

/**
 * Whether they would stand otherwise, were they asked for now.
 * @param {State} state
 */
export function isOutdated(state) {
  const [now, then] = [arrangement(state), standing(state)];
  return now.length !== then.length || now.some((image, place) => image !== then[place]);
}
