// The small buttons of things and of their colours. Knows nothing of what they do.

import { counted } from "../state/counted.js";
import { cssColor } from "./layers.js";

/** @import { Thing } from "../state/things.js" */

const KEYS = 9;

/**
 * @param {Thing} thing
 * @param {number} index From 0; the first nine have keys.
 * @param {boolean} isChosen
 */
export function chipOf(thing, index, isChosen) {
  const { id, name, color, hidden } = thing;
  const chip = document.createElement("button");
  Object.assign(chip, { type: "button", tabIndex: isChosen ? 0 : -1 });
  chip.dataset.id = String(id);
  const digit = index < KEYS ? String(index + 1) : "";
  chip.title = digit ? `${name} (${digit})` : name;
  if (digit) chip.setAttribute("aria-keyshortcuts", digit);
  chip.setAttribute("role", "radio");
  chip.setAttribute("aria-checked", String(isChosen));
  chip.setAttribute("aria-label", spoken(thing));
  const dot = document.createElement("i");
  dot.style.background = cssColor(color);
  dot.ariaHidden = "true";
  const text = document.createElement("span");
  text.textContent = name;
  chip.classList.toggle("pp-unseen", hidden);
  chip.append(dot, text);
  return chip;
}

/** @param {Thing} thing */
function spoken({ name, clicks, hidden }) {
  const count = counted(clicks.length, "click");
  return [name, count, ...(hidden ? ["hidden"] : [])].join(", ");
}

/**
 * A colour that can be chosen.
 * @param {string} title
 * @param {readonly [number, number, number]} color
 */
export function swatch(title, color) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", title, ariaLabel: title });
  button.dataset.color = title;
  button.style.background = cssColor(color);
  return button;
}
