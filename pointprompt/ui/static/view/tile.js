// One image of the set: its photo, its colour view and what is painted over both.

import { paintColors } from "./atlas.js";
import { createFrame } from "./frame.js";
import { paintHeat } from "./heat.js";
import { listenToKeys } from "./keyboard.js";
import { paintCursor, paintMarks } from "./marks.js";
import { lastLayers, lastLayersOfEach } from "./layers.js";
import { fit, fitTo, paintPreview, paintThings } from "./paint.js";
import { listen } from "./pointer.js";
import { percent } from "./words.js";

/**
 * @import { ManifestImage } from "../contract.js"
 * @import { Contour } from "../rule/contour.js"
 * @import { PressOn } from "../state/press.js"
 * @import { Place } from "./keyboard.js"
 * @import { TileView } from "./views.js"
 */

/**
 * @typedef {Object} TileOptions
 * @property {string} photoUrl
 * @property {() => Promise<HTMLImageElement | null>} atlas The colour views of all images.
 * @property {readonly [number, number]} grid Of tokens.
 * @property {(index: number) => TileView} view
 * @property {(index: number) => Contour | null} preview What a click at the pointer would give.
 * @property {(press: PressOn) => void} press
 * @property {(press: PressOn) => void} remove
 * @property {(press: PressOn | null) => void} hover
 * @property {(index: number) => void} enlarge
 */

/** @typedef {ReturnType<typeof createTile>} Tile */

/**
 * @param {ManifestImage} image
 * @param {number} index
 * @param {TileOptions} options
 */
export function createTile(image, index, options) {
  const { photoUrl, atlas, grid, view } = options;
  const { element, photo, colors, heat, overlay, preview, enlarge, share } = createFrame(image);
  photo.src = photoUrl;

  let visible = false;
  let stale = true;
  const drawMask = lastLayersOfEach();
  const drawPreview = lastLayers();
  /** @type {Uint8Array | null} */
  let heated = null;

  /**
   * @param {Place} place
   * @returns {PressOn}
   */
  const here = (place) => ({
    other: false,
    touch: false,
    ...place,
    image: index,
    size: { width: overlay.clientWidth, height: overlay.clientHeight },
  });
  /** @param {Place | null} place */
  const hovered = (place) => options.hover(place && here(place));
  const pointer = listen(overlay, { pressed: (pressed) => options.press(here(pressed)), hovered });
  const listening = new AbortController();
  enlarge.addEventListener("click", () => options.enlarge(index), { signal: listening.signal });
  const keys = listenToKeys(overlay, grid, {
    press: (pressed) => options.press(here(pressed)),
    remove: (place) => options.remove({ ...here(place), touch: true }),
    moved() {
      hovered(keys.cursor());
      paint();
    },
  });

  function paint() {
    stale = !visible;
    if (stale) return;
    const { marks, layers, heat: values, display, overlaps, isHeat, hasColors } = view(index);
    if (hasColors) paintColors(atlas, colors, index, { grid, isWanted: () => visible });
    const surface = fit(overlay);
    const opacity = isHeat ? 0 : display.opacity;
    paintThings(surface, layers, drawMask, { ...display, opacity, overlaps });
    paintMarks(surface, marks);
    const cursor = keys.cursor();
    if (cursor) paintCursor(surface, cursor);
    if (!isHeat || values === heated) return;
    paintHeat(heat, grid, values);
    heated = values;
  }

  function paintPreviewed() {
    if (!visible) return;
    const line = options.preview(index);
    if (preview.hidden !== !line) preview.hidden = !line;
    if (line) paintPreview(fitTo(preview, overlay), drawPreview(line, view(index).color));
  }

  /** Gives back the memory of what nobody sees. */
  function release() {
    stale = true;
    heated = null;
    for (const draw of [drawMask, drawPreview]) draw.forget();
    for (const canvas of [overlay, preview, heat, colors]) [canvas.width, canvas.height] = [0, 0];
  }

  function describe() {
    const { clicks, covered: part, presence } = view(index);
    const covered = part === null ? "" : percent(part);
    const texts = covered ? [covered, ` · ${presence.toFixed(2)}`] : ["", ""];
    [...share.children].forEach((one, at) => {
      if (one.textContent !== texts[at]) one.textContent = texts[at];
    });
    share.title = covered
      ? `The mask covers ${covered} of the image. How sure it is that the thing is here: ${presence.toFixed(2)} of 1.`
      : "";
    element.classList.toggle("pp-empty", part === 0);
    overlay.setAttribute(
      "aria-label",
      `${image.name}, image ${index + 1}. ${clicks.length === 1 ? "1 click" : `${clicks.length} clicks`}. ` +
        (covered ? `Mask covers ${covered}.` : "No mask yet."),
    );
  }

  return {
    element,
    paint,
    paintPreview: paintPreviewed,
    describe,
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
      listening.abort();
      pointer.destroy();
      keys.destroy();
    },
  };
}
