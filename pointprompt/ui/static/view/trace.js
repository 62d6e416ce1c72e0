// What is painted of a brush while it is used: the way so far, and a ring as large as it is.

import { cssColor } from "./layers.js";

/**
 * @import { Brush } from "../state/brush.js"
 * @import { Trace } from "./brush.js"
 * @import { Surface } from "./paint.js"
 */

// Of what is taken out.
const DARK = "rgb(0 0 0 / 60%)";

/**
 * @param {Surface} surface Of the image.
 * @param {NonNullable<Trace>} trace
 * @param {Brush} brush
 * @param {number} opacity Of masks.
 */
export function paintTrace({ context, width, height }, { way, other, isDown }, brush, opacity) {
  const radius = brush.radius * Math.max(width, height);
  const places = way.map(({ x, y }) => ({ x: x * width, y: y * height }));
  const end = places[places.length - 1];
  const adds = brush.adds !== other;
  context.save();
  context.lineCap = "round";
  context.lineJoin = "round";
  if (isDown) {
    context.globalAlpha = Math.max(opacity, 0.4);
    context.strokeStyle = adds ? cssColor(brush.color) : DARK;
    context.lineWidth = 2 * radius;
    context.beginPath();
    context.moveTo(places[0].x, places[0].y);
    for (const { x, y } of places) context.lineTo(x, y);
    context.stroke();
    context.globalAlpha = 1;
  }
  // Dark under bright, so that it shows on any photo; in pieces where it takes away.
  if (!adds) context.setLineDash([5, 4]);
  for (const [color, line] of /** @type {const} */ ([["rgb(0 0 0 / 70%)", 3], ["#fff", 1.5]])) {
    context.strokeStyle = color;
    context.lineWidth = line;
    context.beginPath();
    context.arc(end.x, end.y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
  context.restore();
}
