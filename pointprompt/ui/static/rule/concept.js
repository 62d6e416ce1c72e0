// Clicks -> a concept: a fitted prompt, by our own rule. The same as the server's `rules/concept.py`,
// which says what it means. Knows codes, and images by their number.

import { JOINT } from "../contract.js";
import { centredAt, inner, plainAt, sumOf, unit, weightedSum } from "./codes.js";
import { looksOf, moreLooks } from "./looks.js";

/**
 * @import { Codes } from "./codes.js"
 * @import { Influences } from "./influences.js"
 * @import { Looks } from "./looks.js"
 */

/**
 * A token that was clicked.
 * @typedef {Object} Mark
 * @property {number} image The first one of those that are the same.
 * @property {number} token
 * @property {1 | -1} label
 */

/** @typedef {{own: number, elsewhere: number}} Level Likeness to the first click that is enough. */

/**
 * @typedef {Object} Concept
 * @property {Level} level
 * @property {readonly Mark[]} marks The first positive one, whose guess it is, and then the others.
 * @property {readonly Float32Array[]} codes Theirs, centred.
 * @property {Float64Array} heights What each adds at its own code in its own image.
 * @property {Float64Array} heightsElsewhere
 * @property {Looks} looks
 */

/**
 * @param {Mark} one
 * @param {Mark} other
 */
export const isSame = (one, other) =>
  one.image === other.image && one.token === other.token && one.label === other.label;

/**
 * The first positive one, and then the others in their order.
 * @param {readonly Mark[]} marks Of which one is positive.
 */
export function inOrder(marks) {
  const first = marks.findIndex(({ label }) => label === 1);
  return [marks[first], ...marks.slice(0, first), ...marks.slice(first + 1)];
}

/**
 * @param {readonly Mark[]} further In order.
 * @param {ReadonlyMap<number, Codes>} codesOf Of their images.
 * @param {Level} level
 * @param {Influences} influences
 * @param {Concept | null} [start] What they go on from, at its own level.
 * @returns {Concept}
 */
export function fit(further, codesOf, level, influences, start = null) {
  /** @param {Mark} mark */
  const codesAt = ({ image }) => /** @type {Codes} */ (codesOf.get(image));
  const marks = [...(start?.marks ?? []), ...further];
  const codes = [...(start?.codes ?? []), ...further.map((mark) => centredAt(codesAt(mark), mark.token))];
  const reach = start?.level ?? level;
  const bumps = { level: reach, marks, codes, ...heightsOf(marks, codes, reach, start) };
  const seen = [...new Set(further.filter(({ label }) => label === 1).map(({ image }) => image))];
  const means = seen.map((image) => {
    const its = /** @type {Codes} */ (codesOf.get(image));
    const inside = scores(bumps, image, its, influences).map((score) => Math.max(score, 0));
    return further
      .filter((mark) => mark.label === 1 && mark.image === image)
      .reduce((sum, mark) => sumOf(sum, plainAt(its, mark.token)), weightedSum(its, inside));
  });
  if (start) return { ...bumps, looks: moreLooks(start.looks, means.map(unit)) };
  const seenCodes = seen.map((image) => /** @type {Codes} */ (codesOf.get(image)));
  return { ...bumps, looks: looksOf(means.map(unit), seenCodes) };
}

/**
 * What each mark adds to the guess and to those before it.
 * @param {readonly Mark[]} marks
 * @param {readonly Float32Array[]} codes
 * @param {Level} level
 * @param {Concept | null} start Of which the first ones are.
 */
function heightsOf(marks, codes, level, start) {
  const likeness = codes.map((one) => codes.map((other) => inner(one, other)));
  const guesses = marks.map(({ image }, i) =>
    guess(likeness[0][i], image === marks[0].image ? level.own : level.elsewhere),
  );
  const heights = new Float64Array(marks.length);
  const heightsElsewhere = new Float64Array(marks.length);
  heights.set(start?.heights ?? []);
  heightsElsewhere.set(start?.heightsElsewhere ?? []);
  const were = start?.marks.length ?? 0;
  for (let click = 1; click < marks.length; click += 1) {
    const { label, image } = marks[click];
    if (click >= were) {
      const right = label * guesses[click];
      heights[click] = Math.max(0, JOINT.STEP - right);
      heightsElsewhere[click] = Math.max(0, JOINT.STEP_ELSEWHERE - right);
    }
    marks.forEach((mark, i) => {
      const height = mark.image === image ? heights[click] : heightsElsewhere[click];
      let rival = -Infinity;
      for (let earlier = 0; earlier < click; earlier += 1) {
        if (marks[earlier].label !== label) rival = Math.max(rival, likeness[earlier][i]);
      }
      guesses[i] += label * height * influence(likeness[click][i], rival);
    });
  }
  return { heights, heightsElsewhere };
}

/**
 * The first guess of what is so like the first click.
 * @param {number} likeness
 * @param {number} level
 */
const guess = (likeness, level) => Math.max((likeness - level) / (1 - level), JOINT.LEAST_GUESS);

/**
 * How much of what a click says holds for a code.
 * @param {number} likeness To the click.
 * @param {number} rival To the nearest earlier click of the other label; -Infinity where none is.
 */
export const influence = (likeness, rival) =>
  Math.exp((likeness - 1) / JOINT.REACH) / (1 + Math.exp((rival - likeness) / JOINT.TIE));

/**
 * For every token of an image how far it is inside, above 0 for "this".
 * @param {Omit<Concept, "looks">} concept
 * @param {number} image
 * @param {Codes} codes Of the image.
 * @param {Influences} influences
 * @param {Float32Array} [found] What it is written to.
 */
export function scores(concept, image, codes, influences, found = new Float32Array(codes.tokens)) {
  const { level, marks, codes: clicked, heights, heightsElsewhere } = concept;
  const own = image === marks[0].image ? level.own : level.elsewhere;
  const chain = influences.of(image, codes, marks, clicked);
  const first = chain.likeness(0);
  for (let token = 0; token < found.length; token += 1) found[token] = guess(first[token], own);
  marks.forEach((mark, click) => {
    const height = mark.label * (mark.image === image ? heights : heightsElsewhere)[click];
    if (!height) return;
    const weights = chain.weights(click);
    for (let token = 0; token < found.length; token += 1) found[token] += height * weights[token];
  });
  return found;
}
