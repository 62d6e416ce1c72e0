// What keeps the page from showing the newest masks, in a sentence above the tiles.

import { isAway } from "../state/state.js";
import * as words from "./words.js";

/** @import { PageStore, State } from "../state/state.js" */

/** @param {State} state */
function textOf(state) {
  const { gone, refused, told, cutOff } = state.trouble;
  if (isAway(state)) return words.AWAY;
  if (gone) return words.goneText(gone);
  if (refused || told) return words.sentence(refused || told);
  return cutOff ? words.CUT_OFF : "";
}

/**
 * @param {HTMLElement} element
 * @param {PageStore} store
 */
export function createNotice(element, store) {
  const unsubscribe = store.subscribe(
    (state) => [textOf(state)],
    (text) => {
      if (element.textContent !== text) element.textContent = text;
      element.hidden = text === "";
    },
  );
  return { destroy: unsubscribe };
}
