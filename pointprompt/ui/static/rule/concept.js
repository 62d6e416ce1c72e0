// Clicks -> a concept: a fitted prompt, by our own rule. The same as the server's `rules/concept.py`,
// which says what it means. Knows codes, and images by their number.

import { JOINT } from "../contract.js";
import { centredAt, inner, plainAt, plainLikeness, sumOf, unit, weightedSum } from "./codes.js";

/**
 * @import { Codes } from "./codes.js"
 * @import { Influences } from "./influences.js"
 */

/**
 * A token that was clicked.
 * @typedef {Object} Mark
 * @property {number} image The first one of those that are the same.
 * @property {number} token
 * @property {1 | -1} label
 */

/** @typedef {{own: number, elsewhere: number}} Level Likeness to the first click that is enough. */
/** @typedef {{codes: readonly Float32Array[], level: number}} Looks */

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
 * The first positive one, and then the others in their order.
 * @param {readonly Mark[]} marks Of which one is positive.
 */
export function inOrder(marks) {
  const first = marks.findIndex(({ label }) => label === 1);
  return [marks[first], ...marks.slice(0, first), ...marks.slice(first + 1)];
}

/**
 * @param {readonly Mark[]} marks In order.
 * @param {ReadonlyMap<number, Codes>} codesOf Of their images.
 * @param {Level} level
 * @param {Influences} influences
 * @returns {Concept}
 */
export function fit(marks, codesOf, level, influences) {
  /** @param {Mark} mark */
  const codesAt = ({ image }) => /** @type {Codes} */ (codesOf.get(image));
  const codes = marks.map((mark) => centredAt(codesAt(mark), mark.token));
  const bumps = { level, marks, codes, ...heightsOf(marks, codes, level) };
  const seen = [...new Set(marks.filter(({ label }) => label === 1).map(({ image }) => image))];
  const means = seen.map((image) => {
    const its = /** @type {Codes} */ (codesOf.get(image));
    const inside = scores(bumps, image, its, influences).map((score) => Math.max(score, 0));
    return marks
      .filter((mark) => mark.label === 1 && mark.image === image)
      .reduce((sum, mark) => sumOf(sum, plainAt(its, mark.token)), weightedSum(its, inside));
  });
  const seenCodes = seen.map((image) => /** @type {Codes} */ (codesOf.get(image)));
  return { ...bumps, looks: looksOf(means.map(unit), seenCodes) };
}

/**
 * What each mark adds to the guess and to those before it.
 * @param {readonly Mark[]} marks
 * @param {readonly Float32Array[]} codes
 * @param {Level} level
 */
function heightsOf(marks, codes, level) {
  const likeness = codes.map((one) => codes.map((other) => inner(one, other)));
  const guesses = marks.map(({ image }, i) =>
    guess(likeness[0][i], image === marks[0].image ? level.own : level.elsewhere),
  );
  const heights = new Float64Array(marks.length);
  const heightsElsewhere = new Float64Array(marks.length);
  for (let click = 1; click < marks.length; click += 1) {
    const { label, image } = marks[click];
    const right = label * guesses[click];
    heights[click] = Math.max(0, JOINT.STEP - right);
    heightsElsewhere[click] = Math.max(0, JOINT.STEP_ELSEWHERE - right);
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

/**
 * @param {readonly Float32Array[]} means Of the images in which "this" was clicked.
 * @param {readonly Codes[]} seen Of the same.
 * @returns {Looks}
 */
function looksOf(means, seen) {
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
