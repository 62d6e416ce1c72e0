// What the server is asked, of the state. Knows neither how it is sent nor what comes back.

import { isMarked, saidKey } from "./edits.js";
import { toMessage } from "./settings.js";
import { all, clicksOf } from "./things.js";

/**
 * @import { State } from "./state.js"
 * @import { Thing } from "./things.js"
 */

/**
 * Of a thing, with an outline that the set can have.
 * @param {State} state
 * @param {Thing} [thing] The chosen one where none is given.
 */
export const sentSettings = ({ history, manifest }, thing = history.present) =>
  toMessage(thing.settings, manifest?.outlines ?? []);

/**
 * What the mask of an image is drawn along.
 * @param {State} state
 * @param {number} image
 * @param {Thing} [thing] The chosen one where none is given.
 */
export const outlineOf = (state, image, thing = state.history.present) =>
  thing.locks.find(({ images }) => images.includes(image))?.settings.outline ?? sentSettings(state, thing).outline;

/**
 * What the server is to answer about a thing.
 * @param {State} state
 * @param {Thing} [thing] The chosen one where none is given.
 */
export const promptMessage = (state, thing = state.history.present) => ({
  session: state.manifest?.session ?? "",
  clicks: [...clicksOf(state.history.present, thing.id)],
  settings: sentSettings(state, thing),
  locks: [...thing.locks],
  heat: wantsHeat(state),
});

/** @typedef {Pick<ReturnType<typeof promptMessage>, "clicks" | "settings" | "locks">} Said */

/**
 * What tells whether the same is asked about a thing as before.
 * @param {Said} message
 */
export const askedOf = ({ clicks, settings, locks }) => JSON.stringify([clicks, settings, locks]);

/**
 * What tells whether the same is asked about each image.
 * @param {Said} message
 * @returns {(image: number) => string}
 */
export function askedOfEach({ clicks, settings, locks }) {
  const own = saidKey({ clicks, settings });
  const ofLocked = new Map(
    locks.flatMap((lock) => {
      const key = saidKey(lock);
      return lock.images.map((image) => [image, key]);
    }),
  );
  return (image) => ofLocked.get(image) ?? own;
}

/**
 * What a file of all masks is to hold.
 * @param {State} state
 */
export function exportMessage(state) {
  const { present } = state.history;
  const { formats, polygons, regions, stored } = state.look.download;
  return {
    session: state.manifest?.session ?? "",
    seq: state.answer.seq,
    exclusive: present.exclusive,
    overlaps: present.overlaps,
    skipped: [...present.skipped],
    formats: [...formats],
    coco_polygons: polygons,
    coco_regions: regions,
    orientation: /** @type {"stored" | "upright"} */ (stored && hasTurned(state) ? "stored" : "upright"),
    things: all(present).map((thing) => ({
      name: thing.name,
      color: /** @type {[number, number, number]} */ ([...thing.color]),
      clicks: thing.clicks,
      settings: sentSettings(state, thing),
      locks: [...thing.locks],
      strokes: [...thing.strokes],
    })),
  };
}

/**
 * Whether there is something to export, and no export waits already.
 * @param {State} state
 */
export const canExport = ({ history, exporting }) =>
  !exporting &&
  all(history.present).some(isMarked);

/**
 * Whether the file of an image stores it otherwise than upright.
 * @param {Pick<State, "manifest">} state
 */
export const hasTurned = ({ manifest }) => manifest?.images.some(({ turned }) => turned) ?? false;

/**
 * Whether heatmaps are shown that only the server can find.
 * @param {State} state
 */
export const wantsHeat = (state) =>
  state.look.view === "heat" && state.history.present.settings.rule !== "joint";
