// What each click says of the tokens of each image, kept for the next prompt: of that, mostly the
// last click alone is another one. Knows nothing of what becomes of it.

import { centredLikeness } from "./codes.js";
import { influence, isSame } from "./concept.js";

/**
 * @import { Codes } from "./codes.js"
 * @import { Mark } from "./concept.js"
 */

/**
 * One click, after those before it.
 * @typedef {Object} Link
 * @property {Mark} mark
 * @property {Float32Array} likeness To it, of all tokens.
 * @property {Float32Array} weights How much of what it says holds for them, once asked for.
 * @property {boolean} isWeighed Whether that was asked for.
 * @property {Map<number, Float32Array | null>} nearest By label, how like the nearest of it and of
 *   those before it with that label they are, once asked for.
 */

/** @typedef {ReturnType<typeof createInfluences>} Influences */

export function createInfluences() {
  /** @type {Map<number, Link[]>} */
  const chains = new Map();

  return {
    /**
     * @param {number} image
     * @param {Codes} codes Of it.
     * @param {readonly Mark[]} marks In order.
     * @param {readonly Float32Array[]} clicked Their codes.
     */
    of(image, codes, marks, clicked) {
      const chain = chains.get(image) ?? [];
      const common = commonLength(chain, marks);
      // What is no more of use is written over.
      const spare = chain.splice(common);
      for (let click = common; click < marks.length; click += 1) {
        const { likeness, weights } = spare.pop() ?? spareOf(codes.tokens);
        centredLikeness(codes, clicked[click], likeness);
        chain.push({ mark: marks[click], likeness, weights, isWeighed: false, nearest: new Map() });
      }
      chains.set(image, chain);
      return {
        /** @param {number} click */
        likeness: (click) => chain[click].likeness,
        /** @param {number} click */
        weights: (click) => weightsOf(chain, click),
      };
    },

    /**
     * Forgets all images but these.
     * @param {ReadonlySet<number>} images
     */
    keepOnly(images) {
      for (const image of chains.keys()) if (!images.has(image)) chains.delete(image);
    },

    forget: () => chains.clear(),
  };
}

/** @param {number} tokens */
const spareOf = (tokens) => ({ likeness: new Float32Array(tokens), weights: new Float32Array(tokens) });

/**
 * @param {readonly Link[]} chain
 * @param {readonly Mark[]} marks
 */
function commonLength(chain, marks) {
  const end = Math.min(chain.length, marks.length);
  let common = 0;
  while (common < end && isSame(chain[common].mark, marks[common])) common += 1;
  return common;
}

/**
 * @param {readonly Link[]} chain
 * @param {number} click
 */
function weightsOf(chain, click) {
  const link = chain[click];
  const { mark, likeness, weights } = link;
  if (link.isWeighed) return weights;
  link.isWeighed = true;
  const rivals = nearestOf(chain, click - 1, -mark.label);
  for (let token = 0; token < weights.length; token += 1) {
    weights[token] = influence(likeness[token], rivals ? rivals[token] : -Infinity);
  }
  return weights;
}

/**
 * How like the nearest click of this label, up to this one, all tokens are; null where none has it.
 * @param {readonly Link[]} chain
 * @param {number} click
 * @param {number} label
 * @returns {Float32Array | null}
 */
function nearestOf(chain, click, label) {
  if (click < 0) return null;
  const { mark, likeness, nearest } = chain[click];
  const known = nearest.get(label);
  if (known !== undefined) return known;
  const before = nearestOf(chain, click - 1, label);
  const found = mark.label === label ? nearer(before, likeness) : before;
  nearest.set(label, found);
  return found;
}

/**
 * @param {Float32Array | null} before
 * @param {Float32Array} likeness
 */
const nearer = (before, likeness) =>
  before ? likeness.map((like, token) => Math.max(like, before[token])) : likeness;
