// What a tab needs to go on after a reload, wherever the browser lets us keep it: of which images
// the prompt is, the prompt with what can be undone, and how it was looked at. Nothing secret: the
// token of the session is `memory.js`'s affair. Knows no server.

/**
 * @import { History } from "./history.js"
 * @import { Sized } from "./same.js"
 * @import { Look } from "./look.js"
 * @import { Prompt } from "./things.js"
 */

/**
 * @typedef {Object} Kept
 * @property {string} server The run of it that had the set.
 * @property {Sized[]} images
 * @property {History<Prompt>} history
 * @property {Partial<Look>} look
 * @property {boolean} [example] Whether the images are an example.
 * @property {boolean} [cutOff] Whether the reload ended what was under way.
 */

const KEY = "pointprompt-kept";

// Where third-party storage is blocked, as in the frame of a Space, the tab's own history entry is
// what survives a reload.
const PLACES = [
  {
    /** @returns {unknown} */
    read: () => JSON.parse(sessionStorage.getItem(KEY) ?? "null"),
    /** @param {Kept} state */
    write: (state) => sessionStorage.setItem(KEY, JSON.stringify(state)),
  },
  {
    /** @returns {unknown} */
    read: () => history.state?.[KEY] ?? null,
    /** @param {Kept} state */
    write: (state) => history.replaceState({ ...history.state, [KEY]: state }, ""),
  },
];

/**
 * Returns whether all of it, or at least all but what can be undone, was kept.
 * @param {Kept} state
 */
export function keep(state) {
  const { present } = state.history;
  return PLACES.some(
    (place) =>
      attempt(() => place.write(state)) ||
      attempt(() => place.write({ ...state, history: { past: [], present, future: [] } })),
  );
}

/**
 * What was kept, or null where there is nothing or it is of no use.
 * @returns {Kept | null}
 */
export function kept() {
  for (const place of PLACES) {
    /** @type {unknown} */
    let state = null;
    attempt(() => {
      state = place.read();
    });
    if (isKept(state)) return state;
  }
  return null;
}

/**
 * @param {any} state
 * @returns {state is Kept}
 */
function isKept(state) {
  if (!Array.isArray(state?.images) || !state.history) return false;
  const { past, present, future } = state.history;
  if (!Array.isArray(past) || !Array.isArray(future)) return false;
  return [...past, present, ...future].every(
    (prompt) => Array.isArray(prompt?.clicks) && typeof prompt.settings === "object",
  );
}

/** @param {() => void} action */
function attempt(action) {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
