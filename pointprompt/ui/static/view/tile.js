// One image of the set: its photo, its colour view and what is painted over both.

import { coverage } from "../state/coverage.js";
import { createFrame } from "./frame.js";
import { listenToKeys } from "./keyboard.js";
import { paintClicks, paintCursor } from "./marks.js";
import { borderOf, fit, maskImage, paintMask } from "./paint.js";
import { listen } from "./pointer.js";
import { percent } from "./words.js";

/**
 * @import { Click, ManifestImage } from "../contract.js"
 * @import { Press, Size } from "../state/actions.js"
 * @import { Place } from "./keyboard.js"
 */

/**
 * What a tile shows.
 * @typedef {Object} TileView
 * @property {readonly Click[]} clicks Of this image.
 * @property {Uint8Array | null} mask
 * @property {readonly [number, number]} grid Rows and columns of the mask.
 * @property {number} presence
 * @property {{opacity: number, outline: boolean}} display
 * @property {boolean} hasColors Whether the colour view is seen.
 */

/**
 * @typedef {Object} TileOptions
 * @property {string} photoUrl
 * @property {() => Promise<HTMLImageElement | null>} atlas The colour views of all images.
 * @property {readonly [number, number]} grid Of tokens.
 * @property {readonly [number, number, number]} color Of masks.
 * @property {(index: number) => TileView} view
 * @property {(index: number, press: Press, size: Size) => void} press
 * @property {(index: number, place: Place, size: Size) => void} remove
 */

/** @typedef {ReturnType<typeof createTile>} Tile */

/**
 * @param {ManifestImage} image
 * @param {number} index
 * @param {TileOptions} options
 */
export function createTile(image, index, { photoUrl, atlas, grid, color, view, press, remove }) {
  const [h, w] = grid;
  const { element, photo, colors, overlay, share } = createFrame(image);
  photo.src = photoUrl;

  let visible = false;
  let stale = true;
  /** @type {ReturnType<typeof layersOf> | null} */
  let layers = null;

  const size = () => ({ width: overlay.clientWidth, height: overlay.clientHeight });
  const pointer = listen(overlay, (pressed) => press(index, pressed, size()));
  const keys = listenToKeys(overlay, grid, {
    press: (pressed) => press(index, pressed, size()),
    remove: (place) => remove(index, place, size()),
    moved: paint,
  });

  function paint() {
    stale = !visible;
    if (stale) return;
    const { clicks, mask, grid: maskGrid, display, hasColors } = view(index);
    if (hasColors) paintColors();
    const surface = fit(overlay);
    if (mask) {
      // Made once for each new mask, and only for tiles that are seen.
      if (layers?.mask !== mask) layers = layersOf(mask, maskGrid, color);
      paintMask(surface, layers, maskGrid, display);
    }
    paintClicks(surface, clicks);
    const cursor = keys.cursor();
    if (cursor) paintCursor(surface, cursor);
  }

  /** Once, until it is released. */
  async function paintColors() {
    if (colors.width) return;
    const picture = await atlas();
    if (!picture || !visible) return;
    [colors.width, colors.height] = [w, h];
    colors.getContext("2d")?.drawImage(picture, 0, index * h, w, h, 0, 0, w, h);
  }

  /** Gives back the memory of what nobody sees. */
  function release() {
    stale = true;
    layers = null;
    for (const canvas of [overlay, colors]) [canvas.width, canvas.height] = [0, 0];
  }

  function describe() {
    const { clicks, mask, presence } = view(index);
    const covered = mask ? percent(coverage(mask)) : "";
    const texts = mask ? [covered, ` · ${presence.toFixed(2)}`] : ["", ""];
    [...share.children].forEach((part, at) => {
      if (part.textContent !== texts[at]) part.textContent = texts[at];
    });
    share.title = mask
      ? `The mask covers ${covered} of the image. How sure it is that the thing is here: ${presence.toFixed(2)} of 1.`
      : "";
    element.classList.toggle("pp-empty", mask !== null && coverage(mask) === 0);
    overlay.setAttribute(
      "aria-label",
      `${image.name}, image ${index + 1}. ${clicks.length === 1 ? "1 click" : `${clicks.length} clicks`}. ` +
        (mask ? `Mask covers ${covered}.` : "No mask yet."),
    );
  }

  return {
    element,
    paint,
    refresh() {
      describe();
      paint();
    },
    /** A photo that was lost on its way, once more. */
    reload() {
      if (photo.complete && photo.naturalWidth === 0) photo.src = photoUrl;
    },
    /** @param {boolean} now */
    setVisible(now) {
      visible = now;
      element.dataset.seen = String(now);
      if (!visible) release();
      else if (stale) paint();
    },
    /** Its longer side, in the screen's own pixels. */
    shownSide: () =>
      Math.max(overlay.clientWidth, overlay.clientHeight) * (window.devicePixelRatio || 1),
    destroy() {
      pointer.destroy();
      keys.destroy();
    },
  };
}

/**
 * What is painted of a mask at any size.
 * @param {Uint8Array} mask
 * @param {readonly [number, number]} grid
 * @param {readonly [number, number, number]} color
 */
const layersOf = (mask, [h, w], color) => ({
  mask,
  image: maskImage(mask, h, w, color),
  border: borderOf(mask, h, w),
  color,
});
