// What a prompt file says, as a prompt on the images that are open. Knows no file and no server.

import { move, moveAll } from "./edits.js";
import { listed, sameImages } from "./same.js";
import { fromMessage } from "./settings.js";

/**
 * @import { Manifest, OpenedPrompt } from "../contract.js"
 * @import { Prompt } from "./things.js"
 */

/**
 * The prompt, or why there is none.
 * @param {OpenedPrompt} file
 * @param {Pick<Manifest, "images">} manifest
 * @returns {{prompt: Prompt | null, problem: string}}
 */
export function opened({ things, exclusive, overlaps, skipped, images }, manifest) {
  const places = images.length ? sameImages(images, manifest.images) : manifest.images.map((_, index) => index);
  if (!places) {
    return { prompt: null, problem: otherText(images) };
  }
  const [first, ...below] = things.map(({ name, color, settings, ...edits }, index) => ({
    id: index + 1,
    name,
    color,
    hidden: false,
    ...move(edits, places),
    settings: fromMessage(settings),
  }));
  const prompt = { ...first, above: [], below, exclusive, overlaps, skipped: moveAll(skipped, places) };
  return { prompt, problem: "" };
}

/** @param {readonly {name: string}[]} images */
const otherText = (images) =>
  `This prompt file belongs to other images: ${listed(images)}. ` +
  "Open those first. For any other images there is the recipe, which a download can hold too.";
