// What is shown of an image, of the state: the same on its tile and where it is large.

import { MASK_COLORS } from "../contract.js";
import { shownIn } from "../state/shown.js";

/**
 * @import { Click } from "../contract.js"
 * @import { Display } from "../state/look.js"
 * @import { Shown } from "../state/shown.js"
 * @import { State } from "../state/state.js"
 * @import { Color } from "./layers.js"
 */

/**
 * How a tile shows it.
 * @typedef {Object} TileLook
 * @property {readonly Click[]} clicks Of this image.
 * @property {Display} display
 * @property {Color} color Of masks.
 * @property {boolean} isHeat Whether heatmaps are shown, and not masks.
 * @property {boolean} hasColors Whether the colour view is.
 */

/**
 * What a tile shows.
 * @typedef {Shown & TileLook} TileView
 */

/**
 * @param {State} state
 * @param {number} image
 * @returns {TileView}
 */
export function viewOf(state, image) {
  const { history, look } = state;
  return {
    ...shownIn(state, image),
    clicks: history.present.clicks.filter((click) => click.image === image),
    display: look.display,
    hasColors: look.view === "colors" || look.view === "both",
    isHeat: look.view === "heat",
    color: MASK_COLORS[look.display.color] ?? Object.values(MASK_COLORS)[0],
  };
}

/**
 * Whether nothing else is drawn over an image.
 * @param {TileView} one
 * @param {TileView} other
 */
export const isSameView = (one, other) =>
  one.drawn === other.drawn &&
  one.heat === other.heat &&
  one.hasColors === other.hasColors &&
  one.covered === other.covered &&
  one.presence === other.presence &&
  one.clicks.length === other.clicks.length &&
  one.clicks.every((click, index) => click === other.clicks[index]);
