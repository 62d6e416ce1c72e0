// One image of the set: its photo, its colour view and what is painted over both.

import { createFrame } from "./frame.js";
import { paintHeat } from "./heat.js";
import { listenToKeys } from "./keyboard.js";
import { paintClicks, paintCursor } from "./marks.js";
import { layersOf } from "./layers.js";
import { fit, paintMask, paintPreview } from "./paint.js";
import { listen } from "./pointer.js";
import { percent } from "./words.js";

/**
 * @import { Click, ManifestImage } from "../contract.js"
 * @import { Contour } from "../rule/contour.js"
 * @import { PressOn } from "../state/press.js"
 * @import { Shown } from "../state/shown.js"
 * @import { Display } from "../state/look.js"
 * @import { Mask } from "../state/state.js"
 * @import { Place } from "./keyboard.js"
 * @import { Color, Layers } from "./layers.js"
 */

/**
 * What a tile shows.
 * @typedef {Shown & {clicks: readonly Click[], display: Display, color: Color, isHeat: boolean}} TileView
 *   clicks: of this image. color: of masks. isHeat: whether heatmaps are shown, and not masks.
 */

/**
 * @typedef {Object} TileOptions
 * @property {string} photoUrl
 * @property {Promise<HTMLImageElement | null>} atlas The colour views of all images.
 * @property {readonly [number, number]} grid Of tokens.
 * @property {(index: number) => TileView} view
 * @property {(index: number) => Contour | null} preview What a click at the pointer would give.
 * @property {(press: PressOn) => void} press
 * @property {(press: PressOn) => void} remove
 * @property {(press: PressOn | null) => void} hover
 */

/** @typedef {ReturnType<typeof createTile>} Tile */

/**
 * @param {ManifestImage} image
 * @param {number} index
 * @param {TileOptions} options
 */
export function createTile(image, index, options) {
  const { photoUrl, atlas, grid, view } = options;
  const [h, w] = grid;
  const { element, photo, colors, heat, overlay, preview, share } = createFrame(image, grid);
  photo.src = photoUrl;

  let visible = false;
  let stale = true;
  const drawMask = lastLayers();
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
    const { clicks, drawn, heat: values, display, color, isHeat } = view(index);
    const surface = fit(overlay);
    const opacity = isHeat ? 0 : display.opacity;
    if (drawn) paintMask(surface, drawMask(drawn, color), color, { ...display, opacity });
    paintClicks(surface, clicks);
    const cursor = keys.cursor();
    if (cursor) paintCursor(surface, cursor);
    if (values !== heated) paintHeat(heat, values);
    heated = values;
  }

  function paintPreviewed() {
    if (!visible) return;
    const line = options.preview(index);
    preview.hidden = !line;
    if (line) paintPreview(fit(preview), drawPreview(line, view(index).color));
  }

  function describe() {
    const { clicks, covered: part, presence } = view(index);
    const covered = part === null ? "" : percent(part);
    const text = covered && `${covered} · ${presence.toFixed(2)}`;
    if (share.textContent !== text) share.textContent = text;
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

  atlas.then((picture) => {
    if (picture) colors.getContext("2d")?.drawImage(picture, 0, index * h, w, h, 0, 0, w, h);
  });

  return {
    element,
    paint,
    paintPreview: paintPreviewed,
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
      if (visible && stale) paint();
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

/** Makes layers, once for each new thing to draw and each colour. */
function lastLayers() {
  /** @type {{drawn: Contour | Mask, color: Color, layers: Layers} | null} */
  let last = null;
  /**
   * @param {Contour | Mask} drawn
   * @param {Color} color
   */
  return (drawn, color) => {
    if (last?.drawn !== drawn || last.color !== color) last = { drawn, color, layers: layersOf(drawn, color) };
    return last.layers;
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
  one.covered === other.covered &&
  one.presence === other.presence &&
  one.clicks.length === other.clicks.length &&
  one.clicks.every((click, index) => click === other.clicks[index]);
