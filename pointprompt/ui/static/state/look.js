// How a set is looked at: what a click says, what tiles show, in which order and how large.

import { DEFAULT_FORMATS } from "../contract.js";

/**
 * How the set is looked at, which is remembered.
 * @typedef {Object} Look
 * @property {string} mode "positive" or "negative": what a click says; or "brush" or "eraser".
 * @property {number} brush Radius of both, a share of an image's longer side.
 * @property {string} view "photo", "colors", "both" or "heat".
 * @property {string} order "given" or "presence".
 * @property {string} filter Which images: "all", "clicked", "found", "unsure", "empty", "open",
 *   "locked", "edited" or "skipped".
 * @property {Display} display
 * @property {Download} download
 * @property {boolean} keys Whether single keys do something anywhere on the page.
 * @property {number | null} tileSize Height of a row of tiles, in CSS pixels; null for one with which
 *   all are seen.
 */

/**
 * What a download holds.
 * @typedef {Object} Download
 * @property {readonly string[]} formats Of `FORMATS`.
 * @property {boolean} polygons Whether COCO says masks as polygons.
 * @property {boolean} regions Whether it says each region apart.
 * @property {boolean} stored Whether all is as the files store it, where that is not upright.
 */

/**
 * How masks are shown.
 * @typedef {Object} Display
 * @property {number} opacity
 * @property {boolean} outline Whether a line goes around them.
 * @property {boolean} hover Whether what a click at the pointer would give is shown.
 */

/** @type {Download} */
const DOWNLOAD = { formats: DEFAULT_FORMATS, polygons: false, regions: false, stored: false };

/** @type {Display} */
const DISPLAY = { opacity: 0.5, outline: true, hover: true };

/**
 * How a set is looked at before anything was chosen.
 * @param {Partial<Look>} [before] From before a reload.
 * @returns {Look}
 */
export const initialLook = (before) => ({
  mode: "positive",
  brush: 0.03,
  view: "photo",
  order: "given",
  filter: "all",
  keys: true,
  tileSize: null,
  ...before,
  display: { ...DISPLAY, ...before?.display },
  download: { ...DOWNLOAD, ...before?.download },
});
