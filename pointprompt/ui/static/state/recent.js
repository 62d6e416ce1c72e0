// The sets that this browser had open, with what was made of them, for tomorrow: kept by the browser and
// nowhere else. What opens one is of use to this browser alone. Knows no server.

import { counted } from "./counted.js";
import { sizedOf } from "./same.js";
import { revived } from "./revived.js";
import { countClicks } from "./things.js";

/**
 * @import { Sized } from "./same.js"
 * @import { State } from "./state.js"
 * @import { Prompt } from "./things.js"
 */

/**
 * @typedef {Object} Recent
 * @property {string} recall Opens it.
 * @property {Sized[]} images
 * @property {Prompt} prompt
 * @property {number} time When it was last changed, in milliseconds since 1970.
 */

const KEY = "pointprompt-recent";
const MOST = 12;

/**
 * Those there are, the newest first.
 * @returns {Recent[]}
 */
export function recents() {
  try {
    const list = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.filter(isRecent) : [];
  } catch {
    return [];
  }
}

/**
 * Puts the set that is open before all others.
 * @param {State} state
 * @param {number} time
 */
export function noteRecent({ manifest, history }, time) {
  if (!manifest?.recall) return;
  const recent = { recall: manifest.recall, images: sizedOf(manifest.images), prompt: history.present, time };
  write([recent, ...recents().filter(({ recall }) => recall !== manifest.recall)]);
}

/** @param {string} recall Of the one to be left out from now on. */
export const forgetRecent = (recall) => write(recents().filter((recent) => recent.recall !== recall));

/**
 * As many as there is room for.
 * @param {Recent[]} list
 */
function write(list) {
  for (let count = Math.min(list.length, MOST); count >= 0; count -= 1) {
    try {
      localStorage.setItem(KEY, JSON.stringify(list.slice(0, count)));
      return;
    } catch {
      // Full, or a private window: fewer of them, or none.
    }
  }
}

/**
 * What is said of one.
 * @param {Recent} recent
 */
export function described({ images, prompt }) {
  const [{ name }] = images;
  const count = countClicks(revived(prompt));
  const more = images.length > 1 ? ` and ${images.length - 1} more` : "";
  return `${name}${more}, ${counted(count, "click")}`;
}

/**
 * @param {any} recent
 * @returns {recent is Recent}
 */
const isRecent = (recent) =>
  typeof recent?.recall === "string" &&
  Array.isArray(recent.images) &&
  recent.images.length > 0 &&
  recent.images.every((/** @type {any} */ image) => typeof image?.name === "string") &&
  Array.isArray(recent.prompt?.clicks) &&
  typeof recent.prompt.settings === "object";
