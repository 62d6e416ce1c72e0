// A concept and the codes of an image -> its margins and its presence. The same as the server's
// `rules/joint.py` and `rules/one_only.py`, which say what they mean.

import { JOINT } from "../contract.js";
import { scores } from "./concept.js";
import { best, likenessToNearest } from "./looks.js";

/**
 * @import { JointRule } from "../contract.js"
 * @import { Codes } from "./codes.js"
 * @import { Concept } from "./concept.js"
 * @import { Influences } from "./influences.js"
 */

/**
 * What a concept says of one image.
 * @typedef {Object} Margins
 * @property {Float32Array} margins Of its tokens, above 0 inside.
 * @property {Float32Array} heatmap From 0 to 1.
 * @property {number} presence From 0 to 1.
 */

/**
 * Arrays of so many tokens that are written over for every image: made anew a hundred times at every
 * move of the pointer, they would be most of a page's memory.
 * @param {number} tokens
 */
export function createScratch(tokens) {
  const [likeness, another, found, heatmap] = [0, 1, 2, 3].map(() => new Float32Array(tokens));
  return { likeness, another, margins: found, heatmap };
}

// The largest number below 1: that itself is for tokens that were clicked.
const INSIDE = 1 - 2 ** -24;

/**
 * What the margin must be above, so that the heatmap is above the threshold.
 * @param {Pick<JointRule, "threshold" | "gamma">} rule
 */
export const boundary = ({ threshold, gamma }) => 2 * threshold ** (1 / gamma) - 1;

/**
 * @param {Concept} concept
 * @param {{image: number, codes: Codes, clicked: ReadonlyMap<number, number>}} tile image: the first
 *   one of those that are the same. clicked: labels by token.
 * @param {Pick<JointRule, "threshold" | "gamma">} rule
 * @param {Influences} influences
 * @param {ReturnType<typeof createScratch>} scratch What the margins and the heatmap are written to.
 * @returns {Margins}
 */
export function margins(concept, { image, codes, clicked }, rule, influences, scratch) {
  const border = boundary(rule);
  const { looks } = concept;
  const { heatmap, another } = scratch;
  const likeness = likenessToNearest(looks.codes, codes, scratch.likeness, another);
  const found = scores(concept, image, codes, influences, scratch.margins);
  const weight = JOINT.OF_LOOKS * (1 - 1 / looks.codes.length);
  const ofImage = (best(likeness) - looks.level) / (1 - looks.level) - border;
  const isSure = concept.marks.some((mark) => mark.label === 1 && mark.image === image);
  const isEmpty = !isSure && ofImage <= 0;
  for (let token = 0; token < found.length; token += 1) {
    const margin = found[token] + weight * (likeness[token] - JOINT.USUALLY_LIKE) - border;
    const kept = isEmpty ? -Math.abs(margin) : margin;
    const heat = Math.min(Math.max((kept + border + 1) / 2, 0), 1);
    heatmap[token] = rule.gamma === 1 ? heat : heat ** rule.gamma;
    found[token] = Math.min(Math.max(kept, -INSIDE), INSIDE);
  }
  for (const [token, label] of clicked) {
    found[token] = label;
    heatmap[token] = Math.max(label, 0);
  }
  return { margins: found, heatmap, presence: Math.min(Math.max((ofImage + 1) / 2, 0), 1) };
}

/**
 * Leaves, of several alike things in an image, only those that were meant: the regions with a click,
 * or else the one with the largest sum.
 * @param {Float32Array} values Changed in place.
 * @param {number} width
 * @param {readonly number[]} positives Tokens that were clicked as "this".
 */
export function keepOne(values, width, positives) {
  const regions = regionsOf(values, width);
  const meant = regions.filter(({ tokens }) => positives.some((token) => tokens.includes(token)));
  const largest = regions.reduce((a, b) => (b.sum > a.sum ? b : a), { tokens: [], sum: 0 });
  const kept = new Set((meant.length ? meant : [largest]).flatMap(({ tokens }) => tokens));
  values.forEach((margin, token) => {
    if (margin > 0 && !kept.has(token)) values[token] = -margin;
  });
}

/**
 * The tokens inside that hang together, diagonally too.
 * @param {Float32Array} values
 * @param {number} width
 */
function regionsOf(values, width) {
  const isReached = new Uint8Array(values.length);
  /** @type {{tokens: number[], sum: number}[]} */
  const regions = [];
  for (let seed = 0; seed < values.length; seed += 1) {
    if (isReached[seed] || !(values[seed] > 0)) continue;
    const tokens = [seed];
    isReached[seed] = 1;
    let sum = 0;
    for (let at = 0; at < tokens.length; at += 1) {
      sum += values[tokens[at]];
      for (const next of neighbours(tokens[at], width, values.length)) {
        if (isReached[next] || !(values[next] > 0)) continue;
        isReached[next] = 1;
        tokens.push(next);
      }
    }
    regions.push({ tokens, sum });
  }
  return regions;
}

/**
 * The eight around a token, of those that are there.
 * @param {number} token
 * @param {number} width
 * @param {number} size
 */
function neighbours(token, width, size) {
  const column = token % width;
  const found = [];
  for (let start = token - width; start <= token + width; start += width) {
    if (start < 0 || start >= size) continue;
    if (column > 0) found.push(start - 1);
    if (start !== token) found.push(start);
    if (column + 1 < width) found.push(start + 1);
  }
  return found;
}
