// The rule in a thread of its own, so that the page stays at hand while it computes: fetches the codes
// of images, and answers prompts with what is drawn of them. Knows no page.

import { decode } from "./codes.js";
import { contour } from "./contour.js";
import { createRule } from "./rule.js";

/**
 * @import { ManifestConcept } from "../contract.js"
 * @import { Contour } from "./contour.js"
 * @import { Prompt } from "./rule.js"
 * @import { Margins } from "./joint.js"
 */

/**
 * A set of images.
 * @typedef {Object} Opening
 * @property {"open"} kind
 * @property {number} set Its number, that what is said of it carries.
 * @property {[number, number]} grid
 * @property {number[]} same
 * @property {string[]} codes Addresses.
 * @property {ManifestConcept[]} concepts
 */

/**
 * Images whose codes are wanted; those that are wanted no more, and are not there yet, are left.
 * @typedef {{kind: "want", images: number[]}} Wanted
 */

/**
 * @typedef {Object} Asked
 * @property {"ask"} kind
 * @property {number} id
 * @property {Prompt} prompt
 * @property {number[]} images
 * @property {"contour" | "mask"} drawn How.
 * @property {boolean} heat Whether heatmaps are wanted too.
 */

/**
 * What a prompt selects in an image.
 * @typedef {Object} LiveTile
 * @property {number} image
 * @property {Contour | null} contour
 * @property {Uint8Array | null} mask
 * @property {Uint8Array | null} heat From 0 to 255.
 * @property {number} covered Share of the tokens.
 * @property {number} presence
 */

/** @typedef {{kind: "known", set: number, image: number}} Known The codes of an image are there. */
/** @typedef {{kind: "answer", id: number, tiles: LiveTile[] | null}} Answered */

const AT_ONCE = 6;

/** @typedef {ReturnType<typeof createRule>} Rule */

// As a worker is typed in another library than a page.
/** @type {{postMessage: (message: Known | Answered, transfer?: ArrayBufferLike[]) => void}} */
const scope = /** @type {any} */ (self);

/** @type {{opening: Opening, rule: Rule} | null} */
let open = null;
/** @type {number[]} */
let wanted = [];
/** @type {Set<number>} */
const loading = new Set();

function load() {
  if (!open) return;
  const { opening, rule } = open;
  for (const image of wanted) {
    if (loading.size >= AT_ONCE) return;
    if (loading.has(image) || rule.knows(image)) continue;
    loading.add(image);
    loadOne(opening, rule, image).finally(() => {
      loading.delete(image);
      load();
    });
  }
}

/**
 * @param {Opening} opening
 * @param {Rule} rule
 * @param {number} image
 */
async function loadOne({ set, grid, codes }, rule, image) {
  try {
    const response = await fetch(codes[image]);
    if (!response.ok) throw new Error(response.statusText);
    rule.add(image, decode(await response.arrayBuffer(), grid[0] * grid[1]));
    scope.postMessage({ kind: "known", set, image });
  } catch {
    // Until it is wanted again. The server answers without.
    wanted = wanted.filter((other) => other !== image);
  }
}

/** @param {Asked} asked */
function answer({ id, prompt, images, drawn, heat }) {
  if (!open) return;
  const { opening, rule } = open;
  const tiles = rule.predict(prompt, images.filter(rule.knows), (found) =>
    tileOf(found, opening.grid, { drawn, heat }),
  );
  scope.postMessage({ kind: "answer", id, tiles }, tiles?.flatMap(buffersOf));
}

/**
 * @param {Margins & {image: number}} found
 * @param {[number, number]} grid
 * @param {Pick<Asked, "drawn" | "heat">} wants
 * @returns {LiveTile}
 */
function tileOf({ image, margins, heatmap, presence }, grid, { drawn, heat }) {
  let covered = 0;
  for (let token = 0; token < margins.length; token += 1) covered += Number(margins[token] > 0);
  return {
    image,
    contour: drawn === "contour" ? contour(margins, grid) : null,
    mask: drawn === "mask" ? Uint8Array.from(margins, (margin) => Number(margin > 0)) : null,
    heat: heat ? Uint8Array.from(heatmap, (value) => Math.round(255 * value)) : null,
    covered: covered / margins.length,
    presence,
  };
}

/** @param {LiveTile} tile */
const buffersOf = ({ contour: line, mask, heat }) =>
  [line?.points, line?.starts, mask, heat].flatMap((array) => (array ? [array.buffer] : []));

/** @param {MessageEvent<Opening | Wanted | Asked>} event */
function receive({ data: message }) {
  if (message.kind === "ask") {
    answer(message);
  } else if (message.kind === "want") {
    wanted = message.images;
    load();
  } else {
    open = { opening: message, rule: createRule(message.grid, message.same, message.concepts) };
    wanted = [];
    loading.clear();
  }
}

self.addEventListener("message", receive);
