// What is painted of a mask at any size, made once: of pixels, or of the line around it.

/**
 * @import { Contour } from "../rule/contour.js"
 * @import { Layer } from "../state/shown.js"
 * @import { Mask } from "../state/state.js"
 * @import { Color } from "../state/things.js"
 * @import { Surface } from "./paint.js"
 */

/** @typedef {[number, number, number, number]} Segment From row and column to row and column. */

/**
 * What is painted of a mask at any size.
 * @typedef {Object} Layers
 * @property {(surface: Surface, opacity: number) => void} fill
 * @property {(surface: Surface) => Path2D} line Around it, for this size.
 */

/** Makes layers, once for each new thing to draw and each colour. */
export function lastLayers() {
  /** @type {{drawn: Contour | Mask, color: Color, layers: Layers} | null} */
  let last = null;
  /**
   * @param {Contour | Mask} drawn
   * @param {Color} color
   */
  const layers = (drawn, color) => {
    if (last?.drawn !== drawn || last.color !== color) last = { drawn, color, layers: layersOf(drawn, color) };
    return last.layers;
  };
  return Object.assign(layers, { forget: () => (last = null) });
}

/** The same for each of several things. */
export function lastLayersOfEach() {
  /** @type {Map<number, ReturnType<typeof lastLayers>>} */
  const byThing = new Map();
  /** @param {Layer} layer */
  const layers = ({ id, drawn, color }) => {
    const draw = byThing.get(id) ?? lastLayers();
    byThing.set(id, draw);
    return draw(drawn, color);
  };
  return Object.assign(layers, { forget: () => byThing.clear() });
}

/**
 * @param {Contour | Mask} drawn
 * @param {Color} color
 * @returns {Layers}
 */
export function layersOf(drawn, color) {
  return "mask" in drawn ? layersOfMask(drawn, color) : layersOfContour(drawn, color);
}

/**
 * @param {Mask} drawn
 * @param {Color} color
 * @returns {Layers}
 */
function layersOfMask({ mask, grid: [h, w] }, color) {
  const image = maskImage(mask, h, w, color);
  const border = borderOf(mask, h, w);
  return {
    fill({ context, width, height }, opacity) {
      context.save();
      context.imageSmoothingEnabled = false;
      context.globalAlpha = opacity;
      context.drawImage(image, 0, 0, width, height);
      context.restore();
    },
    line({ width, height }) {
      const path = new Path2D();
      for (const [row, column, toRow, toColumn] of border) {
        path.moveTo((column * width) / w, (row * height) / h);
        path.lineTo((toColumn * width) / w, (toRow * height) / h);
      }
      return path;
    },
  };
}

/**
 * @param {Contour} drawn
 * @param {Color} color
 * @returns {Layers}
 */
function layersOfContour(drawn, color) {
  /** @type {{width: number, height: number, path: Path2D} | null} */
  let last = null;
  // Once a size: a preview draws hundreds of paths, and browsers are slow to give their memory back.
  /** @param {Surface} surface */
  const line = ({ width, height }) => {
    if (last?.width !== width || last.height !== height) {
      last = { width, height, path: smoothPath(drawn, width, height) };
    }
    return last.path;
  };
  return {
    fill(surface, opacity) {
      const { context } = surface;
      context.save();
      context.globalAlpha = opacity;
      context.fillStyle = cssColor(color);
      context.fill(line(surface), "evenodd");
      context.restore();
    },
    line,
  };
}

/**
 * The lines of a contour, rounded: through the middles between its points.
 * @param {Contour} contour
 * @param {number} width Of the surface.
 * @param {number} height
 */
function smoothPath({ points, starts }, width, height) {
  const path = new Path2D();
  for (let line = 0; line + 1 < starts.length; line += 1) {
    const [start, end] = [2 * starts[line], 2 * starts[line + 1]];
    let [x, y] = [points[end - 2] * width, points[end - 1] * height];
    path.moveTo((x + points[start] * width) / 2, (y + points[start + 1] * height) / 2);
    for (let at = start; at < end; at += 2) {
      const next = at + 2 < end ? at + 2 : start;
      [x, y] = [points[at] * width, points[at + 1] * height];
      path.quadraticCurveTo(x, y, (x + points[next] * width) / 2, (y + points[next + 1] * height) / 2);
    }
    path.closePath();
  }
  return path;
}

/**
 * The part of a mask that does not depend on the tile's size: a small canvas of one pixel a token.
 * @param {Uint8Array} mask
 * @param {number} h
 * @param {number} w
 * @param {Color} color
 */
export function maskImage(mask, h, w, [red, green, blue]) {
  const canvas = new OffscreenCanvas(w, h);
  const context = contextOf(canvas);
  const pixels = context.createImageData(w, h);
  for (let token = 0; token < mask.length; token += 1) {
    if (mask[token]) pixels.data.set([red, green, blue, 255], token * 4);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/**
 * The border of a mask as line segments between tokens; the image's own edge is no border.
 * @param {Uint8Array} mask
 * @param {number} h
 * @param {number} w
 */
export function borderOf(mask, h, w) {
  /** @type {Segment[]} */
  const segments = [];
  for (let row = 0; row < h; row += 1) {
    for (let column = 0; column < w; column += 1) {
      const here = mask[row * w + column];
      if (column + 1 < w && mask[row * w + column + 1] !== here) {
        segments.push([row, column + 1, row + 1, column + 1]);
      }
      if (row + 1 < h && mask[(row + 1) * w + column] !== here) {
        segments.push([row + 1, column, row + 1, column + 1]);
      }
    }
  }
  return segments;
}

/** @param {Color} color */
export const cssColor = (color) => `rgb(${color.join(" ")})`;

/**
 * Throws where the browser has no such context left to give.
 * @template {HTMLCanvasElement | OffscreenCanvas} Canvas
 * @param {Canvas} canvas
 * @returns {Canvas extends OffscreenCanvas ? OffscreenCanvasRenderingContext2D : CanvasRenderingContext2D}
 */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw on a canvas.");
  return /** @type {any} */ (context);
}
