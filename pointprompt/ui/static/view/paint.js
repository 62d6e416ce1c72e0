// What is painted over a photo: a mask and the line around it, or what a click would give.

import { contextOf, cssColor } from "./layers.js";

/**
 * @import { Layer } from "../state/shown.js"
 * @import { Color } from "../state/things.js"
 * @import { Layers } from "./layers.js"
 */

const PREVIEW_OPACITY = 0.3;

/**
 * A canvas that is sized to its place on the page.
 * @typedef {Object} Surface
 * @property {CanvasRenderingContext2D} context Takes CSS pixels.
 * @property {number} width
 * @property {number} height
 */

/**
 * Sizes a canvas to its place on the page, and empties it.
 * @param {HTMLCanvasElement} canvas
 * @returns {Surface}
 */
export function fit(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  return emptied(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) }, { width, height });
}

/**
 * The same as large as another canvas that was sized so, without asking the page for its layout.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} other
 * @returns {Surface}
 */
export function fitTo(canvas, other) {
  const scale = window.devicePixelRatio || 1;
  return emptied(canvas, other, { width: other.width / scale, height: other.height / scale });
}

/** @typedef {{width: number, height: number}} Size */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Size} pixels Of the canvas.
 * @param {Size} size In CSS pixels.
 * @returns {Surface}
 */
function emptied(canvas, pixels, { width, height }) {
  if (canvas.width !== pixels.width || canvas.height !== pixels.height) {
    canvas.width = pixels.width;
    canvas.height = pixels.height;
  }
  const scale = window.devicePixelRatio || 1;
  const context = contextOf(canvas);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/**
 * @param {Surface} surface
 * @param {Layers} layers
 * @param {Color} color
 * @param {{opacity: number, outline: boolean}} display
 */
export function paintMask(surface, layers, color, { opacity, outline }) {
  layers.fill(surface, opacity);
  if (outline) paintLine(surface, layers.line(surface), cssColor(color));
}

/**
 * The masks of several things, each over those below it: in the place of what they have there, or
 * together with it.
 * @param {Surface} surface
 * @param {readonly Layer[]} layers The lowest first.
 * @param {(layer: Layer) => Layers} draw
 * @param {{opacity: number, outline: boolean, overlaps: boolean}} display
 */
export function paintThings(surface, layers, draw, { overlaps, ...display }) {
  layers.forEach((layer, height) => {
    if (height > 0 && !overlaps) eraseThings(surface, [layer], draw);
    paintMask(surface, draw(layer), layer.color, display);
  });
}

/**
 * Leaves nothing where things are.
 * @param {Surface} surface
 * @param {readonly Layer[]} layers
 * @param {(layer: Layer) => Layers} draw
 */
export function eraseThings(surface, layers, draw) {
  const { context } = surface;
  context.save();
  context.globalCompositeOperation = "destination-out";
  for (const layer of layers) draw(layer).fill(surface, 1);
  context.restore();
}

/**
 * What a click would give: lighter than what stands, in a white line.
 * @param {Surface} surface
 * @param {Layers} layers
 */
export function paintPreview(surface, layers) {
  layers.fill(surface, PREVIEW_OPACITY);
  paintLine(surface, layers.line(surface), "#fff");
}

/**
 * @param {Surface} surface
 * @param {Path2D} path
 * @param {string} color
 */
function paintLine({ context }, path, color) {
  context.save();
  context.lineCap = "square";
  // Dark under bright, so that the line shows on any photo.
  context.strokeStyle = "rgba(0, 0, 0, 0.65)";
  context.lineWidth = 2.5;
  context.stroke(path);
  context.strokeStyle = color;
  context.lineWidth = 1.25;
  context.stroke(path);
  context.restore();
}
