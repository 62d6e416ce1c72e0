// A photo as large as one likes in its place, and what is painted over it. Knows what it is told to
// show, and no more of the page.

import { paintHeat } from "./heat.js";
import { lastLayers, lastLayersOfEach } from "./layers.js";
import { paintMarks } from "./marks.js";
import { fit, paintPreview, paintThings } from "./paint.js";
import { paintTrace } from "./trace.js";
import { fitted, panned, zoomed } from "./zoom.js";

/**
 * @import { Contour } from "../rule/contour.js"
 * @import { Brush } from "../state/brush.js"
 * @import { Press } from "../state/press.js"
 * @import { Trace } from "./brush.js"
 * @import { Surface } from "./paint.js"
 * @import { TileView } from "./views.js"
 * @import { Extent, Zoom } from "./zoom.js"
 */

/**
 * What is shown.
 * @typedef {Object} Large
 * @property {Extent} size Of the photo, in its own pixels.
 * @property {TileView} view
 * @property {Contour | null} preview What a click at the pointer would give.
 * @property {readonly [number, number]} grid Of tokens.
 * @property {Brush | null} brush
 */

/**
 * @param {HTMLElement} place
 * @param {() => Large | null} shown
 */
export function createLarge(place, shown) {
  const [photo, colors, heat] = [".pp-photo", ".pp-colors", ".pp-heat"].map(
    (name) => /** @type {HTMLElement} */ (place.querySelector(name)),
  );
  const [preview, overlay] = [".pp-preview", ".pp-overlay"].map(
    (name) => /** @type {HTMLCanvasElement} */ (place.querySelector(name)),
  );
  const drawMask = lastLayersOfEach();
  const drawPreview = lastLayers();
  /** @type {Zoom | null} */
  let zoom = null;

  const room = () => ({ width: place.clientWidth, height: place.clientHeight });

  /** @param {Extent} size */
  const zoomOf = (size) => (zoom ??= fitted(size, room()));

  /** The photo's place, in its own. @param {Extent} size */
  function box(size) {
    const { scale, x, y } = zoomOf(size);
    return { x, y, width: scale * size.width, height: scale * size.height };
  }

  /**
   * @param {HTMLCanvasElement} canvas As large as the place.
   * @param {Extent} size
   * @param {(surface: Surface) => void} draw On the photo in it.
   */
  function paintOn(canvas, size, draw) {
    const { context } = fit(canvas);
    const { x, y, width, height } = box(size);
    context.save();
    context.translate(x, y);
    context.beginPath();
    context.rect(0, 0, width, height);
    context.clip();
    draw({ context, width, height });
    context.restore();
  }

  function paint() {
    const now = shown();
    if (!now) return;
    const { size, view, grid } = now;
    const { x, y, width, height } = box(size);
    for (const layer of [photo, colors, heat]) {
      layer.style.transform = `translate(${x}px, ${y}px)`;
      [layer.style.width, layer.style.height] = [`${width}px`, `${height}px`];
    }
    const { marks, layers, display, overlaps, isHeat } = view;
    if (isHeat) paintHeat(/** @type {HTMLCanvasElement} */ (heat), grid, view.heat);
    paintOn(overlay, size, (surface) => {
      const opacity = isHeat ? 0 : display.opacity;
      paintThings(surface, layers, drawMask, { ...display, opacity, overlaps });
      paintMarks(surface, marks);
    });
    paintPreviewed();
  }

  function paintPreviewed() {
    const now = shown();
    const line = now?.preview;
    preview.hidden = !line;
    if (!now || !line) return;
    paintOn(preview, now.size, (surface) =>
      paintPreview(surface, drawPreview(line, now.view.color)),
    );
  }

  /** @param {Trace} now */
  function paintTraced(now) {
    const [seen, brush] = [shown(), now && shown()?.brush];
    preview.hidden = !brush;
    if (!seen || !now || !brush) return;
    paintOn(preview, seen.size, (surface) => paintTrace(surface, now, brush, seen.view.display.opacity));
  }

  /**
   * Where on the photo a point of its place is, or beside it.
   * @param {{x: number, y: number}} point From 0 to 1.
   */
  function beside(point) {
    const { x, y, width, height } = box(shown()?.size ?? room());
    return { x: (point.x * place.clientWidth - x) / width, y: (point.y * place.clientHeight - y) / height };
  }

  return {
    paint,
    paintTrace: paintTraced,
    paintPreview: paintPreviewed,
    /** Another one: all of it. */
    renew() {
      zoom = null;
      for (const draw of [drawMask, drawPreview]) draw.forget();
      paint();
    },
    /** Pixels of the screen by those of the photo. */
    scale: () => zoom?.scale ?? 1,
    /** Whether there is more of it than its place shows. */
    isBeyond() {
      const now = shown();
      const { width, height } = now ? box(now.size) : room();
      return width > place.clientWidth + 1 || height > place.clientHeight + 1;
    },
    /**
     * @param {number} times
     * @param {{x: number, y: number}} [point] In the place; its middle where none is given.
     */
    enlarge(times, point) {
      const now = shown();
      if (!now) return;
      const { width, height } = room();
      const at = point ?? { x: width / 2, y: height / 2 };
      zoom = zoomed(zoomOf(now.size), times, at, now.size, room());
      paint();
    },
    /**
     * @param {number} dx
     * @param {number} dy
     */
    pan(dx, dy) {
      const now = shown();
      if (!now) return;
      zoom = panned(zoomOf(now.size), dx, dy, now.size, room());
      paint();
    },
    /**
     * Where on the photo a press on its place is, and how large that is; null beside it.
     * @param {Press} press
     */
    onPhoto(press) {
      const now = shown();
      if (!now) return null;
      const { width, height } = box(now.size);
      const { x, y } = beside(press);
      return x >= 0 && x < 1 && y >= 0 && y < 1 ? { ...press, x, y, size: { width, height } } : null;
    },
    beside,
  };
}
