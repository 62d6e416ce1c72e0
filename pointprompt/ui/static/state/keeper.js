// Keeps what a reload of the tab needs to go on, in this tab and nowhere else.

import * as undoable from "./history.js";
import { countLocked, countStrokes } from "./edits.js";
import { keep, kept } from "./kept.js";
import { remember } from "./memory.js";
import { sizedOf } from "./same.js";
import { countClicks } from "./things.js";

/**
 * @import { Kept } from "./kept.js"
 * @import { Prompt } from "./things.js"
 * @import { PageStore, State } from "./state.js"
 */

// Of clicks and corners of strokes in all that can be undone: a tab that closes has no time for more, and
// browsers no room.
const MOST = 40_000;

/** @param {Prompt} prompt */
const sizeOf = (prompt) => countClicks(prompt) + countLocked(prompt) + countStrokes(prompt).points;

/**
 * What a reload needs of this state.
 * @param {State} state
 * @param {string} server The run of the server that has the set.
 * @returns {Kept}
 */
export function snapshot({ manifest, history, look }, server) {
  const images = sizedOf(manifest?.images ?? []);
  return { server, images, history, look, example: Boolean(manifest?.example) };
}

/**
 * @param {PageStore} store
 * @param {{server: string, isUnderWay: () => boolean}} page isUnderWay: whether a reload now would
 *   end something.
 */
export function createKeeper(store, { server, isUnderWay }) {
  const listening = new AbortController();

  // At every change without what can be undone, which may be much.
  function keepPresent() {
    const state = store.get();
    if (!state.manifest) return;
    keep(snapshot({ ...state, history: undoable.start(state.history.present) }, server));
  }

  function keepAll() {
    const before = store.get().manifest ? null : kept();
    const state = store.get();
    const history = undoable.latest(state.history, sizeOf, MOST);
    keep({ ...snapshot({ ...state, history }, server), ...before, cutOff: isUnderWay() });
  }

  window.addEventListener("pagehide", keepAll, { signal: listening.signal });
  const unsubscribe = [
    store.subscribe(({ manifest, history }) => [manifest, history.present], keepPresent),
    store.subscribe(
      ({ manifest }) => [manifest],
      (manifest) => {
        if (manifest) remember({ ticket: manifest.ticket });
      },
    ),
  ];

  return {
    destroy() {
      listening.abort();
      unsubscribe.forEach((end) => end());
    },
  };
}
