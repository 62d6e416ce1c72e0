// What is drawn over a photo and its mask: the clicks, the keyboard's cursor.
//
// The shape tells the sign: "this" is a full disc with a plus, "not this" a ring with a minus. Their
// colours tell it once more. Blue and orange stay two colours for every kind of colour blindness, as
// red and green do not, and neither is the masks' magenta; on any photo one of black, white and the
// colour shows.

import { markRadius } from "../state/clicks.js";

/**
 * @import { Click } from "../contract.js"
 * @import { Surface } from "./paint.js"
 */

const POSITIVE = "#1a6dff";
const NEGATIVE = "#ffa51f";

/**
 * @param {Surface} surface
 * @param {readonly Click[]} clicks
 */
export function paintClicks({ context, width, height }, clicks) {
  const radius = markRadius({ width, height });
  for (const { x, y, positive } of clicks) {
    context.save();
    context.translate(x * width, y * height);
    if (positive) paintDisc(context, radius);
    else paintRing(context, radius);
    paintSign(context, radius / 2, positive);
    context.restore();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} radius
 */
function paintDisc(context, radius) {
  circle(context, radius);
  context.fillStyle = POSITIVE;
  context.fill();
  context.strokeStyle = "#000";
  context.lineWidth = 1.5;
  context.stroke();
}

/**
 * What is below shows through its middle, as dark as a white sign needs it.
 * @param {CanvasRenderingContext2D} context
 * @param {number} radius
 */
function paintRing(context, radius) {
  circle(context, radius);
  context.fillStyle = "rgba(0, 0, 0, 0.5)";
  context.fill();
  context.strokeStyle = "#000";
  context.lineWidth = 1.5;
  context.stroke();
  const width = radius > 5 ? 2 : 1.5;
  circle(context, radius - 0.75 - width / 2);
  context.strokeStyle = NEGATIVE;
  context.lineWidth = width;
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} radius
 */
function circle(context, radius) {
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
}

/**
 * A plus or a minus.
 * @param {CanvasRenderingContext2D} context
 * @param {number} arm
 * @param {boolean} positive
 */
function paintSign(context, arm, positive) {
  context.beginPath();
  context.moveTo(-arm, 0);
  context.lineTo(arm, 0);
  if (positive) {
    context.moveTo(0, -arm);
    context.lineTo(0, arm);
  }
  context.strokeStyle = "#fff";
  context.lineWidth = arm > 2.5 ? 2 : 1.5;
  context.stroke();
}

/**
 * @param {Surface} surface
 * @param {{x: number, y: number}} cursor
 */
export function paintCursor({ context, width, height }, cursor) {
  const [x, y] = [cursor.x * width, cursor.y * height];
  const path = new Path2D();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(x + dx * 4, y + dy * 4);
    path.lineTo(x + dx * 13, y + dy * 13);
  }
  context.save();
  context.strokeStyle = "#000";
  context.lineWidth = 4;
  context.stroke(path);
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.stroke(path);
  context.restore();
}
