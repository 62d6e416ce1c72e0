// What is drawn over a photo and its mask: the clicks, the keyboard's cursor.
//
// The shape tells the sign: "this" is a full disc with a plus, "not this" a ring with a minus. The
// colour tells the thing, as soon as there are several; of one alone it tells the sign once more. Blue
// and orange stay two colours for every kind of colour blindness, as red and green do not, and neither
// is a mask's magenta; on any photo one of black, white and the colour shows.

import { markRadius } from "../state/clicks.js";
import { cssColor } from "./layers.js";

/**
 * @import { Click } from "../contract.js"
 * @import { Color } from "../state/things.js"
 * @import { Surface } from "./paint.js"
 */

const POSITIVE = "#1a6dff";
const NEGATIVE = "#ffa51f";
// Of those of things that are not chosen, which no press hits.
const SMALLER = 0.7;

/**
 * The clicks of a thing on an image.
 * @typedef {Object} Marks
 * @property {readonly Click[]} clicks
 * @property {Color | null} color Null for those that tell the sign.
 * @property {boolean} isChosen Whether the thing is.
 */

/**
 * @param {Surface} surface
 * @param {readonly Marks[]} marks
 */
export function paintMarks(surface, marks) {
  const radius = markRadius(surface);
  for (const { clicks, color, isChosen } of marks) {
    paintClicks(surface, clicks, isChosen ? radius : radius * SMALLER, color);
  }
}

/**
 * @param {Surface} surface
 * @param {readonly Click[]} clicks
 * @param {number} radius
 * @param {Color | null} color
 */
function paintClicks({ context, width, height }, clicks, radius, color) {
  for (const { x, y, positive } of clicks) {
    context.save();
    context.translate(x * width, y * height);
    if (positive) paintDisc(context, radius, color ? cssColor(color) : POSITIVE);
    else paintRing(context, radius, color ? cssColor(color) : NEGATIVE);
    paintSign(context, radius / 2, positive, positive && color !== null && isBright(color));
    context.restore();
  }
}

/** Whether black shows on it and white does not. @param {Color} color */
const isBright = ([red, green, blue]) => 0.299 * red + 0.587 * green + 0.114 * blue > 150;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} radius
 * @param {string} color
 */
function paintDisc(context, radius, color) {
  circle(context, radius);
  context.fillStyle = color;
  context.fill();
  context.strokeStyle = "#000";
  context.lineWidth = 1.5;
  context.stroke();
}

/**
 * What is below shows through its middle, as dark as a white sign needs it.
 * @param {CanvasRenderingContext2D} context
 * @param {number} radius
 * @param {string} color
 */
function paintRing(context, radius, color) {
  circle(context, radius);
  context.fillStyle = "rgba(0, 0, 0, 0.5)";
  context.fill();
  context.strokeStyle = "#000";
  context.lineWidth = 1.5;
  context.stroke();
  const width = radius > 5 ? 2 : 1.5;
  circle(context, radius - 0.75 - width / 2);
  context.strokeStyle = color;
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
 * @param {boolean} isDark
 */
function paintSign(context, arm, positive, isDark) {
  context.beginPath();
  context.moveTo(-arm, 0);
  context.lineTo(arm, 0);
  if (positive) {
    context.moveTo(0, -arm);
    context.lineTo(0, arm);
  }
  context.strokeStyle = isDark ? "#000" : "#fff";
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
