// What a person can do: each action replaces parts of the state. Knows neither the server nor the
// screen.

import { arrangement, standing } from "./arrangement.js";
import * as clicks from "./clicks.js";
import { createEditing } from "./editing.js";
import * as undoable from "./history.js";
import { MAX_THINGS, SIZES, SLIDERS } from "../contract.js";
import { afterPress, hitBy } from "./press.js";
import { forgotten, renewed, withValue } from "./settings.js";
import { NO_ANSWER, NOT_LIVE, troubled, turned } from "./state.js";
import * as things from "./things.js";

/**
 * @import { History } from "./history.js"
 * @import { PressOn } from "./press.js"
 * @import { Look } from "./look.js"
 * @import { PageStore } from "./state.js"
 * @import { Prompt, Thing } from "./things.js"
 */

/** @typedef {ReturnType<typeof createActions>} Actions */

/** @param {PageStore} store */
export function createActions(store) {
  const { get, set } = store;

  /** @param {History<Prompt>} history */
  const go = (history) => set({ ...turned(get(), history), ...troubled(get(), { cutOff: false }) });

  /** What was changed step by step becomes one change that can be undone. */
  function settle() {
    const { history, dragFrom } = get();
    if (dragFrom) set({ dragFrom: null, history: undoable.settle(history, dragFrom) });
  }

  /** @param {Partial<Prompt>} changes */
  function commit(changes) {
    settle();
    const { history } = get();
    go(undoable.commit(history, { ...history.present, ...changes }));
  }

  /** @param {Partial<Look>} changes */
  const look = (changes) => set({ look: { ...get().look, ...changes } });

  /**
   * A step of a change that `settle` makes one that can be undone.
   * @param {string} name
   * @param {unknown} value
   */
  function change(name, value) {
    const { history, dragFrom } = get();
    const { present } = history;
    const settings = withValue(present.settings, name, value);
    set({
      dragFrom: dragFrom ?? present,
      history: undoable.preview(history, { ...present, settings }),
    });
  }

  /** By the newest masks. */
  const arrange = () => set({ arranged: arrangement(get()) });

  return {
    ...createEditing(store, commit),
    look,

    /** @param {string} name @param {unknown} value */
    display: (name, value) => look({ display: { ...get().look.display, [name]: value } }),

    /**
     * Adds a click, or removes the one that is there already.
     * @param {PressOn} press
     */
    press(press) {
      set({ tapped: press.touch ? press.image : null });
      commit({ clicks: afterPress(get(), press) });
    },

    /**
     * Removes the click that is there, if one is.
     * @param {PressOn} press
     */
    remove(press) {
      const at = hitBy(get().history.present.clicks, press);
      if (at >= 0) commit({ clicks: clicks.removeAt(get().history.present.clicks, at) });
    },

    /**
     * Where a click would be made, or null for nowhere.
     * @param {PressOn | null} hover
     */
    hover(hover) {
      if (hover !== get().hover) set({ hover });
    },

    /**
     * Shows an image large, or none.
     * @param {number | null} image
     */
    focus: (image) => set({ focus: image, focusSide: 0, hover: null }),

    /**
     * The next one large, of those that stand, or one so many further on.
     * @param {number} step
     */
    focusNext(step) {
      const { focus } = get();
      const images = standing(get());
      const to = images.indexOf(focus ?? -1) + step;
      if (focus !== null && to >= 0 && to < images.length) this.focus(images[to]);
    },

    /**
     * More of what is around the click, or a part of it.
     * @param {1 | -1} step Towards more, or towards a part.
     */
    resize(step) {
      const { size } = get().history.present.settings.joint;
      const at = Math.min(Math.max(SIZES.indexOf(size) - step, 0), SIZES.length - 1);
      if (SIZES[at] !== size) change("size", SIZES[at]);
    },

    /**
     * Lower takes in more.
     * @param {number} step Of the threshold.
     */
    tune(step) {
      const { settings } = get().history.present;
      const { threshold } = settings[settings.rule];
      const { min, max } = SLIDERS.threshold;
      change("threshold", Math.min(Math.max(Math.round(100 * (threshold + step)) / 100, min), max));
    },

    /**
     * What clicks and settings are of from now on. Nothing to be undone.
     * @param {number} id
     */
    choose(id) {
      settle();
      const { history } = get();
      set(turned(get(), { ...history, present: things.choose(history.present, id) }));
    },
    addThing() {
      const { present } = get().history;
      if (things.all(present).length < MAX_THINGS) commit(things.add(present));
    },
    /** @param {number} id Of one of several. */
    removeThing: (id) => commit(things.remove(get().history.present, id)),
    /** @param {number} id @param {number} step Places further down. */
    moveThing: (id, step) => commit(things.move(get().history.present, id, step)),
    /**
     * @param {number} id
     * @param {Partial<Pick<Thing, "name" | "color" | "hidden">>} changes
     */
    changeThing: (id, changes) => commit(things.change(get().history.present, id, changes)),
    /** @param {Partial<Pick<Prompt, "exclusive" | "overlaps">>} changes */
    relate: (changes) => commit(changes),

    /** Another one in the place of all things. @param {Prompt} prompt */
    replace(prompt) {
      commit(prompt);
      // What was answered about others with the same ids is not about these.
      set({ answer: { ...NO_ANSWER, seq: get().answer.seq }, answers: new Map(), live: NOT_LIVE });
    },

    undo() {
      settle();
      go(undoable.undo(get().history));
    },
    redo() {
      settle();
      go(undoable.redo(get().history));
    },
    clear() {
      const { clicks: own, settings } = get().history.present;
      commit(own.length ? { clicks: [] } : { strokes: [], locks: [], settings: forgotten(settings) });
    },
    /** What a recipe said of the chosen thing: its clicks alone say it from now on. */
    forget: () => commit({ settings: forgotten(get().history.present.settings) }),
    reset: () => commit({ settings: renewed(get().history.present.settings) }),
    export: () => set({ exporting: true }),

    setting: change,
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
