// What is drawn over a photo and its mask: the clicks, the keyboard's cursor.

/**
 * @import { Click } from "../contract.js"
 * @import { Surface } from "./paint.js"
 */

const MARKER_RADIUS = 7;
const POSITIVE = "#e5484d";
const NEGATIVE = "#2f7df6";

/**
 * @param {Surface} surface
 * @param {readonly Click[]} clicks
 */
export function paintClicks({ context, width, height }, clicks) {
  for (const click of clicks) paintClick(context, click.x * width, click.y * height, click.positive);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {boolean} positive
 */
function paintClick(context, x, y, positive) {
  const arm = MARKER_RADIUS - 3.5;
  context.save();
  context.beginPath();
  context.arc(x, y, MARKER_RADIUS, 0, 2 * Math.PI);
  context.fillStyle = positive ? POSITIVE : NEGATIVE;
  context.fill();
  context.strokeStyle = "#000";
  context.lineWidth = 1.5;
  context.stroke();
  context.beginPath();
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  if (positive) {
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
  }
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.stroke();
  context.restore();
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
