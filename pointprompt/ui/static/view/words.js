// What the page says. Sentences and figures only.

import { listed } from "../state/same.js";

/** @import { Gone } from "../state/state.js" */

export const AWAY = "The server does not answer. Trying again; your clicks are kept.";
export const CUT_OFF = "The page was loaded again, which ended what was under way: start it again.";
const REFUSED = "The server could not do this.";

/**
 * Why there are no masks any more, and how to go on.
 * @param {Gone} gone
 */
export function goneText({ restarted, images, count }) {
  const reason = restarted
    ? "The server was restarted."
    : "This analysis is no longer in the server's memory.";
  const what = images.length === 1 ? "the same image" : `the same ${images.length} images`;
  return `${reason}${keptText(count)} To go on, choose ${what} again (${listed(images)}) and analyse.`;
}

/** @param {number} count */
function keptText(count) {
  if (count === 0) return "";
  return count === 1 ? " Your click is kept." : ` Your ${count} clicks are kept.`;
}

/**
 * What the server said, where that is a sentence.
 * @param {unknown} text
 */
export const sentence = (text) => (isSentence(text) ? text : REFUSED);

/**
 * Whether it begins like one and ends like one.
 * @param {unknown} text
 * @returns {text is string}
 */
export const isSentence = (text) =>
  typeof text === "string" && /^[\p{L}\p{N}“"'].*[.!?]$/su.test(text);

/**
 * What the figures below an image are.
 * @param {string} covered
 * @param {string} sure "" where nothing was looked for.
 */
export const shareText = (covered, sure) =>
  `The mask covers ${covered} of the image.` +
  (sure && ` How sure it is that the thing is here: ${sure} of 1.`);

/**
 * What was done to an image by hand.
 * @param {{isLocked: boolean, isEdited: boolean, isSkipped: boolean}} edits
 */
export const editsText = ({ isLocked, isEdited, isSkipped }) =>
  [isLocked && " Locked.", isEdited && " Edited by hand.", isSkipped && " Skipped."].filter(Boolean).join("");

/** @param {number} share */
export const percent = (share) => {
  if (share === 0) return "0%";
  return share < 0.01 ? "<1%" : `${Math.round(share * 100)}%`;
};

const NONE = /** @type {Readonly<Record<string, string>>} */ ({
  clicked: "No image has a click.",
  found: "The thing was found in no image.",
  unsure: "No image is unsure.",
  empty: "No image is empty.",
  open: "Every image is locked or skipped.",
  locked: "No image is locked.",
  edited: "No image was edited by hand.",
  skipped: "No image is skipped.",
});

/**
 * Why no tile stands.
 * @param {string} filter
 * @param {boolean} hasMasks
 */
export const noneText = (filter, hasMasks) =>
  hasMasks || !["found", "unsure", "empty"].includes(filter) ? NONE[filter] : "Nothing was looked for yet: click a thing first.";
