// What the server is asked, of the state. Knows neither how it is sent nor what comes back.

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
 * What the server is to answer about a thing.
 * @param {State} state
 * @param {Thing} [thing] The chosen one where none is given.
 */
export const promptMessage = (state, thing = state.history.present) => ({
  session: state.manifest?.session ?? "",
  clicks: [...clicksOf(state.history.present, thing.id)],
  settings: sentSettings(state, thing),
  heat: wantsHeat(state),
});

/**
 * What tells whether the same is asked about a thing as before.
 * @param {Pick<ReturnType<typeof promptMessage>, "clicks" | "settings">} message
 */
export const askedOf = ({ clicks, settings }) => JSON.stringify([clicks, settings]);

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
    formats: [...formats],
    coco_polygons: polygons,
    coco_regions: regions,
    orientation: /** @type {"stored" | "upright"} */ (stored && hasTurned(state) ? "stored" : "upright"),
    things: all(present).map((thing) => ({
      name: thing.name,
      color: /** @type {[number, number, number]} */ ([...thing.color]),
      clicks: thing.clicks,
      settings: sentSettings(state, thing),
    })),
  };
}

/**
 * Whether there is something to export, and no export waits already.
 * @param {State} state
 */
export const canExport = ({ history, exporting }) =>
  !exporting &&
  all(history.present).some(({ clicks }) => clicks.some(({ positive }) => positive));

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
