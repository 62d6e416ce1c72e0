// One image of the set: its photo, its colour view and what is painted over both.

import { strokeOf } from "../state/brush.js";
import { counted } from "../state/counted.js";
import { paintColors } from "./atlas.js";
import { listenToBrush } from "./brush.js";
import { createFrame } from "./frame.js";
import { paintHeat } from "./heat.js";
import { listenToKeys } from "./keyboard.js";
import { paintCursor, paintMarks } from "./marks.js";
import { lastLayers, lastLayersOfEach } from "./layers.js";
import { fit, fitTo, paintPreview } from "./paint.js";
import { listen } from "./pointer.js";
import { createStack } from "./stack.js";
import { paintTrace } from "./trace.js";
import { editsText, percent, shareText } from "./words.js";

/**
 * @import { ManifestImage, Stroke } from "../contract.js"
 * @import { Contour } from "../rule/contour.js"
 * @import { Brush, Place as BrushPlace } from "../state/brush.js"
 * @import { PressOn } from "../state/press.js"
 * @import { Trace } from "./brush.js"
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
 * @property {() => Brush | null} brush
 * @property {(stroke: Stroke) => void} paint
 * @property {{enlarge: (index: number) => void, lock: (index: number) => void,
 *             skip: (index: number) => void}} buttons
 */

/** @typedef {ReturnType<typeof createTile>} Tile */

/**
 * @param {ManifestImage} image
 * @param {number} index
 * @param {TileOptions} options
 */
export function createTile(image, index, options) {
  const { photoUrl, atlas, grid, view } = options;
  const { element, photo, colors, heat, overlay, preview, buttons, share } = createFrame(image);
  photo.src = photoUrl;

  let visible = false;
  let stale = true;
  const drawMask = lastLayersOfEach();
  const stack = createStack(drawMask);
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
  const isPainting = () => options.brush() !== null;
  /** @param {Place | null} place */
  const hovered = (place) => options.hover(place && !isPainting() ? here(place) : null);
  const pointer = listen(overlay, {
    pressed: (pressed) => isPainting() || options.press(here(pressed)),
    hovered,
  });
  const brushing = listenToBrush(overlay, { isOn: isPainting, traced, painted });
  const listening = new AbortController();
  for (const name of /** @type {const} */ (["enlarge", "lock", "skip"])) {
    buttons[name].addEventListener("click", () => options.buttons[name](index), { signal: listening.signal });
  }
  const keys = listenToKeys(overlay, grid, {
    press: (pressed) => (isPainting() ? painted([pressed], pressed.other) : options.press(here(pressed))),
    remove: (place) => options.remove({ ...here(place), touch: true }),
    moved() {
      const cursor = keys.cursor();
      hovered(cursor);
      traced(cursor && isPainting() ? { way: [cursor], other: false, isDown: false } : null);
      paint();
    },
  });

  /** @type {Trace} */
  let trace = null;
  /** @param {Trace} now */
  function traced(now) {
    trace = now;
    const brush = options.brush();
    preview.hidden = !trace || !brush;
    if (trace && brush) paintTrace(fitTo(preview, overlay), trace, brush, view(index).display.opacity);
  }

  /** @param {readonly BrushPlace[]} way @param {boolean} other */
  function painted(way, other) {
    const brush = options.brush();
    if (brush) options.paint(strokeOf(index, way, { brush, other, size: image }));
  }

  function paint() {
    stale = !visible;
    if (stale) return;
    const { marks, layers, chosen, heat: values, display, overlaps, isHeat, hasColors } = view(index);
    if (hasColors) paintColors(atlas, colors, index, { grid, isWanted: () => visible });
    const surface = fit(overlay);
    const opacity = isHeat ? 0 : display.opacity;
    stack.paint(surface, layers, chosen, { ...display, opacity, overlaps });
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
    for (const kept of [drawMask, drawPreview, stack]) kept.forget();
    for (const canvas of [overlay, preview, heat, colors]) [canvas.width, canvas.height] = [0, 0];
  }

  function describe() {
    const now = view(index);
    const { clicks, covered: part, presence } = now;
    const covered = part === null ? "" : percent(part);
    const sure = presence === null ? "" : presence.toFixed(2);
    const texts = covered ? [covered, sure && ` · ${sure}`] : ["", ""];
    [...share.children].forEach((one, at) => {
      if (one.textContent !== texts[at]) one.textContent = texts[at];
    });
    share.title = covered && shareText(covered, sure);
    element.classList.toggle("pp-empty", part === 0);
    describeEdits(now);
    overlay.setAttribute(
      "aria-label",
      `${image.name}, image ${index + 1}. ${counted(clicks.length, "click")}. ` +
        (covered ? `Mask covers ${covered}.` : "No mask yet.") + editsText(now),
    );
  }

  /** @param {TileView} now */
  function describeEdits({ isLocked, isSkipped, isEdited }) {
    buttons.lock.setAttribute("aria-pressed", String(isLocked));
    buttons.skip.setAttribute("aria-pressed", String(isSkipped));
    element.classList.toggle("pp-skipped", isSkipped);
    element.classList.toggle("pp-edited", isEdited);
  }

  return {
    element,
    paint,
    paintPreview: paintPreviewed,
    /** After the brush changed. */
    retrace: () => trace && traced(trace),
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
      brushing.destroy();
      keys.destroy();
    },
  };
}
