// What a person can do to single images: paint, lock, skip. Knows neither the server nor the screen.

import { MAX_LOCKED_CLICKS, MAX_POINTS, MAX_STROKES } from "../contract.js";
import { stepped } from "./brush.js";
import { countLocked, countStrokes, isLocked, isPrompted, locked, unlocked } from "./edits.js";
import { sentSettings } from "./messages.js";
import { troubled } from "./state.js";
import * as things from "./things.js";

/**
 * @import { Stroke } from "../contract.js"
 * @import { PageStore } from "./state.js"
 * @import { Prompt } from "./things.js"
 */

const TOO_MANY_STROKES = "There is no room for more strokes: undo some, or download and begin anew.";
const NOTHING_TO_LOCK = "There is no mask to lock yet: click the thing first.";
const TOO_MANY_LOCKS = "There is no room for more locked images: those that are locked hold too many clicks.";

/**
 * @param {PageStore} store
 * @param {(changes: Partial<Prompt>) => void} commit As a change that can be undone.
 */
export function createEditing({ get, set }, commit) {
  /** @param {string} told */
  const tell = (told) => set(troubled(get(), { told }));

  return {
    /**
     * Over the chosen thing's mask, whatever clicks make of it.
     * @param {Stroke} stroke
     */
    paint(stroke) {
      const { present } = get().history;
      const { strokes, points } = countStrokes(present);
      if (strokes + 1 > MAX_STROKES || points + stroke.points.length > MAX_POINTS) tell(TOO_MANY_STROKES);
      else commit({ strokes: [...present.strokes, stroke] });
    },

    /** @param {number} step So many steps larger. */
    resizeBrush(step) {
      const { look } = get();
      set({ look: { ...look, brush: stepped(look.brush, step) } });
    },

    /**
     * Accepts the masks of an image as they stand, so that later clicks and settings do not change them;
     * or has it follow them again.
     * @param {number} image
     */
    lock(image) {
      const state = get();
      const { present } = state.history;
      const isLocking = !isLocked(present, image) && isPrompted(present);
      if (!isLocking && !things.all(present).some((thing) => isLocked(thing, image))) {
        tell(NOTHING_TO_LOCK);
        return;
      }
      const prompt = things.map(present, (thing) => {
        if (!isLocking) return { ...thing, locks: unlocked(thing.locks, image) };
        if (!isPrompted(thing) || isLocked(thing, image)) return thing;
        const said = { clicks: things.clicksOf(present, thing.id), settings: sentSettings(state, thing) };
        return { ...thing, locks: locked(thing.locks, image, said) };
      });
      if (countLocked(prompt) > MAX_LOCKED_CLICKS) tell(TOO_MANY_LOCKS);
      else commit(prompt);
    },

    /**
     * Leaves an image out of downloads, or no longer.
     * @param {number} image
     */
    skip(image) {
      const { skipped } = get().history.present;
      const others = skipped.filter((one) => one !== image);
      commit({ skipped: others.length < skipped.length ? others : [...skipped, image] });
    },
  };
}
