// What a thing looks like where it was clicked. The same as in the server's `rules/concept.py`, which says
// what looks are for. Knows codes, and nothing of clicks.

import { JOINT } from "../contract.js";
import { plainLikeness, sumOf, unit } from "./codes.js";

/** @import { Codes } from "./codes.js" */

/** @typedef {{codes: readonly Float32Array[], level: number}} Looks */

/**
 * @param {readonly Float32Array[]} means Of the images in which "this" was clicked.
 * @param {readonly Codes[]} seen Of the same.
 * @returns {Looks}
 */
export function looksOf(means, seen) {
  let level = /** @type {number} */ (JOINT.LEAST_LIKE);
  if (means.length >= JOINT.ENOUGH) {
    const expected = seen.map((codes, image) => {
      const others = toTheirMean(means.filter((_, i) => i !== image));
      return best(likenessToNearest(others, codes));
    });
    const mean = expected.reduce((sum, one) => sum + one, 0) / expected.length;
    level = Math.max(level, JOINT.OF_EXPECTED * mean);
  }
  return { codes: toTheirMean(means), level };
}

/**
 * With those of more images; how like one of them an image must be stays.
 * @param {Looks} looks
 * @param {readonly Float32Array[]} means
 * @returns {Looks}
 */
export const moreLooks = ({ codes, level }, means) =>
  ({ codes: means.length ? toTheirMean([...codes, ...means]) : codes, level });

/** @param {readonly Float32Array[]} codes */
function toTheirMean(codes) {
  const mean = unit(codes.reduce(sumOf));
  return codes.map((code) => unit(sumOf(code, mean)));
}

/**
 * For every token how like the nearest of the looks it is.
 * @param {readonly Float32Array[]} looks
 * @param {Codes} codes
 * @param {Float32Array} [nearest] What it is written to.
 * @param {Float32Array} [another] What is written over.
 */
export function likenessToNearest(
  looks,
  codes,
  nearest = new Float32Array(codes.tokens),
  another = new Float32Array(codes.tokens),
) {
  plainLikeness(codes, looks[0], nearest);
  for (const look of looks.slice(1)) {
    plainLikeness(codes, look, another);
    for (let token = 0; token < nearest.length; token += 1) {
      if (another[token] > nearest[token]) nearest[token] = another[token];
    }
  }
  return nearest;
}

/**
 * The mean of the highest few.
 * @param {Float32Array} likeness Of all tokens of an image.
 */
export function best(likeness) {
  const count = Math.max(1, Math.round(JOINT.BEST * likeness.length));
  const highest = new Float32Array(count).fill(-Infinity);
  for (const value of likeness) {
    if (value <= highest[0]) continue;
    // In its place among them, the lowest in front.
    let place = 0;
    while (place + 1 < count && highest[place + 1] < value) {
      highest[place] = highest[place + 1];
      place += 1;
    }
    highest[place] = value;
  }
  return highest.reduce((sum, value) => sum + value, 0) / count;
}
