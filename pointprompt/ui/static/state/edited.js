// What is drawn of a thing in an image after what people did to it there: strokes over the mask, and
// lines without specks. Knows neither the server nor the screen.

import { strokesOn } from "./edits.js";
import { empty, filled, resized } from "./raster.js";
import { sideOf } from "./state.js";
import { painted } from "./strokes.js";
import { tidy } from "./tidy.js";

/**
 * @import { Manifest, Stroke } from "../contract.js"
 * @import { Contour } from "../rule/contour.js"
 * @import { Mask, State } from "./state.js"
 * @import { Thing } from "./things.js"
 */

/** @typedef {Contour | Mask | null} Drawn */

/**
 * What was drawn last, so that it is the same for as long as nothing changes, and one more stroke is
 * painted over what is there.
 * @typedef {Object} Last
 * @property {Drawn} drawn
 * @property {string} grid
 * @property {readonly Stroke[]} strokes
 * @property {Mask} mask
 */

/** @type {WeakMap<Manifest, Map<string, Last>>} */
const lasts = new WeakMap();

/**
 * @param {State} state
 * @param {Thing} thing
 * @param {number} image
 * @param {Drawn} drawn Without its edits.
 * @returns {Drawn}
 */
export function edited(state, thing, image, drawn) {
  const { manifest } = state;
  const strokes = strokesOn(thing, image);
  if (!manifest) return drawn;
  if (!strokes.length) return tidied(thing, manifest.images[image], drawn);
  const known = lasts.get(manifest) ?? new Map();
  lasts.set(manifest, known);
  const key = `${thing.id} ${image}`;
  const size = manifest.images[image];
  const grid = gridOf(state, image, drawn);
  const last = known.get(key);
  const isOn = last && last.drawn === drawn && last.grid === String(grid) && isStart(last.strokes, strokes);
  const from = isOn ? last.mask : asMask(tidied(thing, size, drawn), grid);
  const rest = isOn ? strokes.slice(last.strokes.length) : strokes;
  const mask = rest.length ? painted(from, rest, size) : from;
  known.set(key, { drawn, grid: String(grid), strokes, mask });
  return mask;
}

/**
 * Whether a list begins with all of another.
 * @param {readonly Stroke[]} start
 * @param {readonly Stroke[]} list
 */
const isStart = (start, list) => start.length <= list.length && start.every((stroke, at) => stroke === list[at]);

/**
 * Rows and columns of a mask that strokes are painted on.
 * @param {State} state
 * @param {number} image
 * @param {Drawn} drawn
 * @returns {readonly [number, number]}
 */
function gridOf(state, image, drawn) {
  const { grid = /** @type {const} */ ([1, 1]), images } = /** @type {Manifest} */ (state.manifest);
  // A mask along edges has the pixels that it is shown with; that of tokens has fewer.
  if (drawn && "mask" in drawn && drawn.grid !== grid) return drawn.grid;
  const { width, height } = images[image];
  const scale = Math.max(sideOf(state, image), 1) / Math.max(width, height);
  return [Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))];
}

/**
 * @param {Drawn} drawn
 * @param {readonly [number, number]} grid
 */
function asMask(drawn, grid) {
  if (!drawn) return empty(grid);
  return "mask" in drawn ? resized(drawn, grid) : filled(drawn, grid);
}

/** @type {WeakMap<Contour, {key: string, contour: Contour}>} */
const tidies = new WeakMap();

/**
 * A line that this browser found, without what the settings are to remove; the server's masks are.
 * @param {Thing} thing
 * @param {{width: number, height: number}} size
 * @param {Drawn} drawn
 * @returns {Drawn}
 */
function tidied({ settings }, { width, height }, drawn) {
  const [holes, specks] = [settings.fill_holes, settings.remove_specks].map((area) => area / (width * height));
  if (!drawn || "mask" in drawn || (!holes && !specks)) return drawn;
  const key = `${holes} ${specks}`;
  const last = tidies.get(drawn);
  if (last?.key === key) return last.contour;
  const contour = tidy(drawn, { holes, specks });
  tidies.set(drawn, { key, contour });
  return contour;
}
