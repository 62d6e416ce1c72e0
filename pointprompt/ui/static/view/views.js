// What is shown of an image, of the state: the same on its tile and where it is large.

import { isLocked, strokesOn } from "../state/edits.js";
import { layersIn, shownIn } from "../state/shown.js";
import { all } from "../state/things.js";

/**
 * @import { Click } from "../contract.js"
 * @import { Display } from "../state/look.js"
 * @import { Layer, Shown } from "../state/shown.js"
 * @import { State } from "../state/state.js"
 * @import { Color, Prompt } from "../state/things.js"
 * @import { Marks } from "./marks.js"
 */

/**
 * How a tile shows it.
 * @typedef {Object} TileLook
 * @property {readonly Click[]} clicks Of the chosen thing on this image.
 * @property {readonly Marks[]} marks Of all things on this image, those of the chosen one last.
 * @property {readonly Layer[]} layers Of all things, the lowest first.
 * @property {boolean} overlaps Whether a layer leaves those below it as they are.
 * @property {Display} display
 * @property {number} chosen Id of the chosen thing.
 * @property {Color} color Of the chosen thing.
 * @property {boolean} isHeat Whether heatmaps are shown, and not masks.
 * @property {boolean} hasColors Whether the colour view is.
 * @property {boolean} isLocked Whether the chosen thing's mask was accepted.
 * @property {boolean} isEdited Whether a brush was used on it.
 * @property {boolean} isSkipped Whether the image is left out of downloads.
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
  const { present } = history;
  const shown = shownIn(state, image);
  return {
    ...shown,
    layers: layersIn(state, image, shown.drawn),
    overlaps: present.overlaps,
    clicks: present.clicks.filter((click) => click.image === image),
    marks: marksOf(present, image),
    display: look.display,
    hasColors: look.view === "colors" || look.view === "both",
    isHeat: look.view === "heat",
    chosen: present.id,
    color: present.color,
    isLocked: isLocked(present, image),
    isEdited: strokesOn(present, image).length > 0,
    isSkipped: present.skipped.includes(image),
  };
}

/**
 * @param {Prompt} prompt
 * @param {number} image
 * @returns {Marks[]}
 */
function marksOf(prompt, image) {
  const things = all(prompt);
  // Where there is one, its sign alone tells of a click.
  const hasColors = things.length > 1;
  return things
    .filter(({ id, hidden }) => id === prompt.id || !hidden)
    .sort((one, other) => Number(one.id === prompt.id) - Number(other.id === prompt.id))
    .map(({ id, color, clicks }) => ({
      clicks: clicks.filter((click) => click.image === image),
      color: hasColors ? color : null,
      isChosen: id === prompt.id,
    }))
    .filter(({ clicks }) => clicks.length > 0);
}

/**
 * Whether nothing else is drawn over an image.
 * @param {TileView} one
 * @param {TileView} other
 */
export const isSameView = (one, other) =>
  one.drawn === other.drawn &&
  one.overlaps === other.overlaps &&
  areSame(one.layers, other.layers, isSameLayer) &&
  areSame(one.marks, other.marks, isSameMarks) &&
  one.heat === other.heat &&
  one.hasColors === other.hasColors &&
  one.isLocked === other.isLocked &&
  one.isEdited === other.isEdited &&
  one.isSkipped === other.isSkipped &&
  one.covered === other.covered &&
  one.presence === other.presence;

/**
 * @template Item
 * @param {readonly Item[]} some
 * @param {readonly Item[]} others
 * @param {(one: Item, other: Item) => boolean} isSame
 */
const areSame = (some, others, isSame) =>
  some.length === others.length && some.every((one, index) => isSame(one, others[index]));

/**
 * @param {Layer} one
 * @param {Layer} other
 */
const isSameLayer = (one, other) => one.drawn === other.drawn && one.color === other.color && one.id === other.id;

/**
 * @param {Marks} one
 * @param {Marks} other
 */
const isSameMarks = (one, other) =>
  one.color === other.color &&
  one.isChosen === other.isChosen &&
  areSame(one.clicks, other.clicks, (click, another) => click === another);
