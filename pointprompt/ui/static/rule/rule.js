// Clicks and settings -> what they select in images, by our own rule, from the files of their codes.
// Knows neither the page nor who asks. The same as the server's `rules/predictor.py`.

import { SIZE_LEVELS, LEVELS } from "../contract.js";
import { centredAt, centredLikeness, inner } from "./codes.js";
import { fit, inOrder, isSame } from "./concept.js";
import { guide } from "./guided.js";
import { createInfluences } from "./influences.js";
import { knownOf } from "./known.js";
import { createScratch, keepOne, margins } from "./joint.js";
import { stableLevel } from "./levels.js";

/**
 * @import { Click, JointRule, ManifestConcept } from "../contract.js"
 * @import { Codes } from "./codes.js"
 * @import { Level, Mark } from "./concept.js"
 * @import { Picture } from "./guided.js"
 * @import { Margins } from "./joint.js"
 */

/**
 * What is asked of the rule.
 * @typedef {Object} Prompt
 * @property {readonly Click[]} clicks
 * @property {JointRule} rule
 * @property {boolean} one_only
 */

/** @typedef {Mark & {at: Click}} Placed A mark, with where it is in its own image. */

/**
 * @param {readonly [number, number]} grid Rows and columns of tokens.
 * @param {readonly number[]} same For each image the first one that is the same.
 * @param {readonly ManifestConcept[]} [concepts] That clicks can go on from.
 */
export function createRule([h, w], same, concepts = []) {
  const starts = knownOf(concepts);
  // By the first image of those that have the same codes; their pictures may differ, if only a little.
  /** @type {Map<number, Codes>} */
  const codesOf = new Map();
  /** @type {Map<number, Picture>} */
  const pictures = new Map();
  /** @type {Map<number, (likeness: Float32Array) => Float32Array>} */
  const guides = new Map();
  const influences = createInfluences();
  const scratch = createScratch(h * w);
  let last = { key: "", level: 0 };

  /** @param {Click} click */
  const tokenOf = ({ x, y }) => Math.trunc(y * h) * w + Math.trunc(x * w);

  /**
   * The tokens that were clicked, in the order of the clicks that count: on one token, the last.
   * @param {readonly Click[]} clicks
   */
  function marksOf(clicks) {
    /** @type {Map<string, Placed>} */
    const found = new Map();
    for (const at of clicks) {
      const token = tokenOf(at);
      const key = `${at.image} ${token}`;
      found.delete(key);
      found.set(key, { image: same[at.image], token, label: at.positive ? 1 : -1, at });
    }
    return [...found.values()];
  }

  /**
   * How like the first positive click a token must be.
   * @param {readonly Click[]} clicks
   * @param {JointRule["size"]} size
   * @returns {Level}
   */
  function levelOf(clicks, size) {
    const { MORE, PART, MOST_OF_PART, CLOSER, ELSEWHERE } = SIZE_LEVELS;
    if (size === "more") return { own: MORE, elsewhere: MORE };
    const positives = clicks.filter(({ positive }) => positive);
    const stable = stableLevelOf(positives[0]);
    if (size === "part") {
      const part = Math.min(Math.max(PART, stable + CLOSER), MOST_OF_PART);
      return { own: part, elsewhere: part };
    }
    const first = centredOf(positives[0]);
    const least = Math.min(...positives.map((click) => inner(first, centredOf(click))));
    const own = Math.max(LEVELS.LEAST, Math.min(stable, least));
    return { own, elsewhere: LEVELS.LEAST + ELSEWHERE * (own - LEVELS.LEAST) };
  }

  /** @param {Click} click */
  const centredOf = (click) => centredAt(known(click.image), tokenOf(click));

  /** @param {Click} click */
  function stableLevelOf(click) {
    const { image, x, y } = click;
    const key = `${image} ${x} ${y}`;
    if (last.key !== key) last = { key, level: findStableLevel(click) };
    return last.level;
  }

  /** @param {Click} click */
  function findStableLevel(click) {
    const codes = known(click.image);
    const picture = /** @type {Picture} */ (pictures.get(click.image));
    const draw = guides.get(click.image) ?? guide(picture, [h, w]);
    guides.set(click.image, draw);
    const likeness = centredLikeness(codes, centredOf(click), new Float32Array(codes.tokens));
    return stableLevel(draw(likeness), picture.width, click);
  }

  /** @param {number} image */
  const known = (image) => /** @type {Codes} */ (codesOf.get(same[image]));

  /**
   * The concept of clicks, here or in a recipe; null where none says "this".
   * @param {readonly Placed[]} placed
   * @param {readonly Click[]} clicks
   * @param {JointRule} rule
   */
  function conceptOf(placed, clicks, rule) {
    const start = starts.get(rule.concept);
    if (start) {
      const its = marksOf(start.clicks);
      const further = placed.filter((mark) => !its.some((one) => isSame(one, mark)));
      return fit(further, codesOf, start.concept.level, influences, start.concept);
    }
    if (rule.concept || !placed.some(({ label }) => label === 1)) return null;
    return fit(inOrder(placed), codesOf, levelOf(clicks, rule.size), influences);
  }

  /** @param {number} image */
  const knows = (image) => pictures.has(image);

  return {
    /**
     * @param {number} image
     * @param {Codes} codes
     */
    add(image, codes) {
      pictures.set(image, codes.picture);
      if (!codesOf.has(same[image])) codesOf.set(same[image], codes);
    },

    /** @param {number} image */
    knows,

    /**
     * What is made of what a prompt selects in each of these images, all of them known; null without
     * a positive click or a concept, or where the codes of a clicked image are not known.
     * @template Made
     * @param {Prompt} prompt
     * @param {readonly number[]} images
     * @param {(found: Margins & {image: number}) => Made} make Its arrays are those of the next image
     *   afterwards.
     * @returns {Made[] | null}
     */
    predict({ clicks, rule, one_only: oneOnly }, images, make) {
      if (!clicks.every(({ image }) => knows(image))) return null;
      const placed = marksOf(clicks);
      const concept = conceptOf(placed, clicks, rule);
      if (!concept) return null;
      influences.keepOnly(new Set([...images, ...clicks.map(({ image }) => image)].map((image) => same[image])));
      return images.map((image) => {
        const here = placed.filter(({ at }) => at.image === image);
        const clicked = new Map(here.map(({ token, label }) => [token, label]));
        const tile = { image: same[image], codes: known(image), clicked };
        const found = margins(concept, tile, rule, influences, scratch);
        if (oneOnly) {
          const positives = here.filter(({ label }) => label === 1).map(({ token }) => token);
          keepOne(found.margins, w, positives);
        }
        return make({ image, ...found });
      });
    },
  };
}
