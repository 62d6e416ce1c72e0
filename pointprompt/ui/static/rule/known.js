// Concepts that a recipe brought, as the server sends them. Knows neither codes of images nor what is made
// of a concept.

/**
 * @import { ManifestConcept } from "../contract.js"
 * @import { Concept } from "./concept.js"
 */

/**
 * A concept that clicks go on from.
 * @typedef {Object} Known
 * @property {Concept} concept
 * @property {ManifestConcept["clicks"]} clicks That it was made of, of those in images that are here.
 */

/**
 * @param {readonly ManifestConcept[]} sent
 * @returns {Map<string, Known>}
 */
export function knownOf(sent) {
  let marked = 0;
  return new Map(
    sent.map((one) => {
      const known = decoded(one, marked);
      marked += one.marks.length;
      return [one.name, known];
    }),
  );
}

/**
 * @param {ManifestConcept} sent
 * @param {number} marked How many clicks the others before it have.
 * @returns {Known}
 */
function decoded({ level: [own, elsewhere], marks, clicks, looks, looks_level: level, numbers }, marked) {
  const bytes = Uint8Array.from(atob(numbers), (letter) => letter.charCodeAt(0));
  const all = new Float32Array(bytes.buffer);
  const m = marks.length;
  const d = (all.length - 2 * m) / (m + looks);
  let at = 0;
  /** @param {number} count */
  const take = (count) => all.subarray(at, (at += count));
  /** @param {number} count */
  const codes = (count) => Array.from({ length: count }, () => take(d));
  const concept = {
    level: { own, elsewhere },
    // Of no token here: each another one, so that they are told apart, from those of other concepts too.
    marks: marks.map(([image, label], click) => ({
      image,
      token: -1 - marked - click,
      label: label > 0 ? 1 : -1,
    })),
    codes: codes(m),
    heights: Float64Array.from(take(m)),
    heightsElsewhere: Float64Array.from(take(m)),
    looks: { codes: codes(looks), level },
  };
  return { concept: /** @type {Concept} */ (concept), clicks };
}
