// What a person can do: each action replaces parts of the state. Knows neither the server nor the
// screen.

import { arrangement } from "./arrangement.js";
import * as clicks from "./clicks.js";
import * as undoable from "./history.js";
import { SETTINGS, withValue } from "./settings.js";
import { troubled } from "./state.js";

/**
 * @import { History } from "./history.js"
 * @import { Look, PageStore, Prompt } from "./state.js"
 */

/**
 * A place that was pressed on a tile.
 * @typedef {Object} Press
 * @property {number} x From 0 to 1.
 * @property {number} y From 0 to 1.
 * @property {boolean} other Whether it says the opposite of the mode's "this".
 * @property {boolean} touch
 */

/** @typedef {{width: number, height: number}} Size */
/** @typedef {ReturnType<typeof createActions>} Actions */

/** @param {PageStore} store */
export function createActions(store) {
  const { get, set } = store;

  /** @param {History<Prompt>} history */
  const step = (history) => set({ history, ...troubled(get(), { cutOff: false }) });

  /** What was changed step by step becomes one change that can be undone. */
  function settle() {
    const { history, dragFrom } = get();
    if (dragFrom) set({ dragFrom: null, history: undoable.settle(history, dragFrom) });
  }

  /** @param {Partial<Prompt>} changes */
  function commit(changes) {
    settle();
    const { history } = get();
    step(undoable.commit(history, { ...history.present, ...changes }));
  }

  /** @param {Partial<Look>} changes */
  const look = (changes) => set({ look: { ...get().look, ...changes } });

  /**
   * @param {number} image
   * @param {{x: number, y: number}} place
   * @param {Size} size
   * @param {boolean} touch
   */
  const hitAt = (image, { x, y }, size, touch) => {
    const radius = clicks.hitRadius(size, touch);
    return clicks.hit(get().history.present.clicks, image, x, y, size.width, size.height, radius);
  };

  /** By the newest masks. */
  const arrange = () => set({ arranged: arrangement(get()) });

  /** @param {number} index */
  const removeAt = (index) =>
    commit({ clicks: clicks.removeAt(get().history.present.clicks, index) });

  return {
    look,

    /**
     * @param {string} name
     * @param {unknown} value
     */
    display: (name, value) => look({ display: { ...get().look.display, [name]: value } }),

    /**
     * Adds a click, or removes the one that is there already.
     * @param {number} image
     * @param {Press} press
     * @param {Size} size Of its tile, in CSS pixels.
     */
    press(image, press, size) {
      const at = hitAt(image, press, size, press.touch);
      if (at >= 0) {
        removeAt(at);
        return;
      }
      const positive = get().look.mode === "positive" && !press.other;
      const added = clicks.clickAt(image, press.x, press.y, positive);
      commit({ clicks: clicks.add(get().history.present.clicks, added) });
    },

    /**
     * Removes the click that is there, if one is.
     * @param {number} image
     * @param {{x: number, y: number}} place
     * @param {Size} size
     */
    remove(image, place, size) {
      const at = hitAt(image, place, size, true);
      if (at >= 0) removeAt(at);
    },

    undo() {
      settle();
      step(undoable.undo(get().history));
    },
    redo() {
      settle();
      step(undoable.redo(get().history));
    },
    clear: () => commit({ clicks: [] }),
    reset: () => commit({ settings: SETTINGS }),
    export: () => set({ exporting: true }),

    /**
     * A step of a change that `settle` makes one that can be undone.
     * @param {string} name
     * @param {unknown} value
     */
    setting(name, value) {
      const { history, dragFrom } = get();
      const { present } = history;
      const settings = withValue(present.settings, name, value);
      set({
        dragFrom: dragFrom ?? present,
        history: undoable.preview(history, { ...present, settings }),
      });
    },

    settle,

    /** @param {string} order */
    order(order) {
      look({ order });
      arrange();
    },
    /** @param {string} filter */
    filter(filter) {
      look({ filter });
      arrange();
    },
    arrange,
  };
}
