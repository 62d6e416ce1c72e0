// Undo and redo without limit, over any immutable state. Knows nothing of what the state means.

/**
 * @template State
 * @typedef {Object} History
 * @property {readonly State[]} past
 * @property {State} present
 * @property {readonly State[]} future
 */

/**
 * @template State
 * @param {State} present
 * @returns {History<State>}
 */
export const start = (present) => ({ past: [], present, future: [] });

/**
 * A new state that can be undone.
 * @template State
 * @param {History<State>} history
 * @param {State} present
 * @returns {History<State>}
 */
export const commit = (history, present) => ({
  past: [...history.past, history.present],
  present,
  future: [],
});

/**
 * A passing state, such as each step of a slider's drag. `settle` turns where it began and where it
 * ended into one entry.
 * @template State
 * @param {History<State>} history
 * @param {State} present
 * @returns {History<State>}
 */
export const preview = (history, present) => ({ ...history, present });

/**
 * @template State
 * @param {History<State>} history
 * @param {State} before
 * @returns {History<State>}
 */
export const settle = (history, before) => ({
  past: [...history.past, before],
  present: history.present,
  future: [],
});

/**
 * @template State
 * @param {History<State>} history
 * @returns {History<State>}
 */
export const undo = ({ past, present, future }) =>
  past.length === 0
    ? { past, present, future }
    : { past: past.slice(0, -1), present: past[past.length - 1], future: [present, ...future] };

/**
 * @template State
 * @param {History<State>} history
 * @returns {History<State>}
 */
export const redo = ({ past, present, future }) =>
  future.length === 0
    ? { past, present, future }
    : { past: [...past, present], present: future[0], future: future.slice(1) };

/**
 * As much of what can be undone as there is room for, the newest of it; what was undone goes first.
 * @template State
 * @param {History<State>} history
 * @param {(state: State) => number} sizeOf
 * @param {number} most Of all sizes together, of what can be undone.
 * @returns {History<State>}
 */
export function latest({ past, present, future }, sizeOf, most) {
  let room = most;
  /** @param {State} state */
  const fits = (state) => (room -= sizeOf(state) + 1) >= 0;
  let from = past.length;
  while (from > 0 && fits(past[from - 1])) from -= 1;
  let to = 0;
  while (to < future.length && fits(future[to])) to += 1;
  return { past: past.slice(from), present, future: future.slice(0, to) };
}

/**
 * The same history with every state changed in the same way.
 * @template State
 * @param {History<State>} history
 * @param {(state: State) => State} change
 * @returns {History<State>}
 */
export const map = ({ past, present, future }, change) => ({
  past: past.map(change),
  present: change(present),
  future: future.map(change),
});
