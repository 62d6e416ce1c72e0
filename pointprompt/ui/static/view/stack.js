// The masks of several things over a photo, painted fast: what lies below and above the chosen one is kept
// as pictures, since a click changes the chosen one alone.

import { contextOf } from "./layers.js";
import { eraseThings, paintThings } from "./paint.js";

/**
 * @import { Layer } from "../state/shown.js"
 * @import { Layers } from "./layers.js"
 * @import { Surface } from "./paint.js"
 */

/** @typedef {{opacity: number, outline: boolean, overlaps: boolean}} Shown How masks are shown. */
/** @typedef {{what: readonly unknown[], picture: OffscreenCanvas}} Kept */

/** @param {(layer: Layer) => Layers} draw */
export function createStack(draw) {
  /** @type {Map<string, Kept>} */
  let pictures = new Map();

  /**
   * A picture of some layers as large as a surface, painted anew where it is of others now.
   * @param {string} name
   * @param {Surface} surface
   * @param {readonly Layer[]} layers
   * @param {Shown} shown
   * @param {(surface: Surface) => void} paint
   */
  function pictureOf(name, { context, width, height }, layers, shown, paint) {
    const { canvas } = context;
    const parts = layers.flatMap(({ id, color, drawn }) => [id, color, drawn]);
    const what = [...parts, ...Object.values(shown), canvas.width, canvas.height, width, height];
    const last = pictures.get(name);
    if (last?.what.length === what.length && last.what.every((part, at) => part === what[at])) return last.picture;
    const picture = new OffscreenCanvas(canvas.width, canvas.height);
    const own = contextOf(picture);
    own.setTransform(context.getTransform());
    paint({ context: /** @type {any} */ (own), width, height });
    pictures.set(name, { what, picture });
    return picture;
  }

  /**
   * @param {Surface} surface
   * @param {HTMLCanvasElement | OffscreenCanvas} picture
   * @param {GlobalCompositeOperation} how
   */
  function put({ context }, picture, how) {
    context.save();
    context.resetTransform();
    context.globalCompositeOperation = how;
    context.drawImage(picture, 0, 0);
    context.restore();
  }

  return {
    /**
     * As `paintThings` does.
     * @param {Surface} surface
     * @param {readonly Layer[]} layers The lowest first.
     * @param {number} chosen The thing that changes most.
     * @param {Shown} shown
     */
    paint(surface, layers, chosen, shown) {
      const at = layers.findIndex(({ id }) => id === chosen);
      const [below, above] = [layers.slice(0, Math.max(at, 0)), layers.slice(at + 1)];
      const thing = layers.slice(Math.max(at, 0), at + 1);
      /** @param {string} name @param {readonly Layer[]} some */
      const painted = (name, some) =>
        pictureOf(name, surface, some, shown, (on) => paintThings(on, some, draw, shown));
      if (below.length) put(surface, painted("below", below), "source-over");
      if (!shown.overlaps) eraseThings(surface, thing, draw);
      paintThings(surface, thing, draw, shown);
      if (!above.length) return;
      if (!shown.overlaps) {
        const solid = (/** @type {Surface} */ on) => above.forEach((layer) => draw(layer).fill(on, 1));
        put(surface, pictureOf("solid", surface, above, shown, solid), "destination-out");
      }
      put(surface, painted("above", above), "source-over");
    },
    /** Gives back the memory. */
    forget: () => (pictures = new Map()),
  };
}
