// One state that all modules share: who changes it puts new parts in the place of old ones, who
// shows it is told of those. Knows nothing of what the state means.

/**
 * @template {object} State
 * @typedef {Object} Store
 * @property {() => State} get What is so now; never changed in place.
 * @property {(changes: Partial<State>) => void} set Puts these in the place of the old ones.
 * @property {Subscribe<State>} subscribe
 */

/**
 * Tells what `select` gives, now and after each change of any part of it; returns what ends that.
 * @template {object} State
 * @typedef {<Parts extends unknown[]>(
 *   select: (state: State) => [...Parts],
 *   tell: (...parts: NoInfer<Parts>) => void,
 * ) => () => void} Subscribe
 */

/**
 * @template {object} State
 * @param {State} initial
 * @returns {Store<State>}
 */
export function createStore(initial) {
  let state = initial;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  return {
    get: () => state,
    set(changes) {
      state = { ...state, ...changes };
      for (const listen of listeners) listen();
    },
    subscribe(select, tell) {
      let told = select(state);
      // What is told may change the state: then the newest is told, and nothing twice.
      const listen = () => {
        const parts = select(state);
        if (parts.every((part, index) => Object.is(part, told[index]))) return;
        told = parts;
        tell(...parts);
      };
      listeners.add(listen);
      tell(...told);
      return () => listeners.delete(listen);
    },
  };
}
