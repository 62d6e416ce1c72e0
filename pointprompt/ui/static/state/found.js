// In which images a thing was found, by the newest masks and by hand. Knows no screen.

import { isFound } from "./coverage.js";
import { strokesOn } from "./edits.js";
import { painted } from "./strokes.js";

/** @import { State } from "./state.js" */

/**
 * Of the chosen thing; null where nothing is known.
 * @param {State} state
 * @param {number} image
 * @returns {boolean | null}
 */
export function foundIn({ history, answer, manifest }, image) {
  if (!manifest) return null;
  const strokes = strokesOn(history.present, image);
  // However thin a stroke is among tokens, somebody made it.
  if (strokes.at(-1)?.adds) return true;
  const mask = answer.masks[image];
  if (!mask) return strokes.length ? strokes.some(({ adds }) => adds) : null;
  if (!strokes.length) return isFound(mask);
  return isFound(painted({ mask, grid: manifest.grid }, strokes, manifest.images[image]).mask);
}
