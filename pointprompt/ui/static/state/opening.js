// What becomes of the state when the server sends another set, or none any more.

import { move, moveAll } from "./edits.js";
import * as undoable from "./history.js";
import { opened } from "./opened.js";
import { revived } from "./revived.js";
import { sameImages } from "./same.js";
import { conceptOf, fitted, known } from "./settings.js";
import { NO_ANSWER, NOT_LIVE, troubled } from "./state.js";
import * as things from "./things.js";

/**
 * @import { Manifest, OpenedPrompt } from "../contract.js"
 * @import { History } from "./history.js"
 * @import { Kept } from "./kept.js"
 * @import { State } from "./state.js"
 * @import { Prompt, Thing } from "./things.js"
 */

/**
 * What changes.
 * @param {State} state
 * @param {Manifest | null} manifest
 * @param {Kept | null} kept From before a reload.
 * @returns {Partial<State>}
 */
export function open(state, manifest, kept) {
  const { history, look } = state;
  return {
    manifest,
    answer: NO_ANSWER,
    answers: new Map(),
    live: NOT_LIVE,
    tapped: null,
    hover: null,
    focus: null,
    preview: null,
    arranged: null,
    seen: new Set(),
    exporting: false,
    recalled: null,
    dragFrom: null,
    look: state.manifest ? { ...look, order: "given", filter: "all" } : look,
    history: manifest ? openingHistory(state, manifest, kept) : history,
    ...(manifest && troubled(state, { gone: null, refused: "", told: "" })),
  };
}

/**
 * The same images analysed again, more images that joined them, or the tab reloaded: the clicks
 * are still right.
 * @param {State} state
 * @param {Manifest} manifest
 * @param {Kept | null} kept
 * @returns {History<Prompt>}
 */
function openingHistory(state, manifest, kept) {
  const history = goingOn(state, manifest, kept);
  const prompt = manifest.opened && opened(manifest.opened, manifest).prompt;
  // What went on from this recipe before, and lost it with its session, goes on.
  const isBack = things.all(history.present).some((thing) => isOf(thing, manifest.opened));
  return prompt && !isBack ? undoable.commit(history, prompt) : history;
}

/**
 * Whether a thing goes on from what a recipe wants.
 * @param {Thing} thing
 * @param {OpenedPrompt | null} recipe
 */
const isOf = ({ settings }, recipe) =>
  recipe?.things.some(({ settings: { rule } }) =>
    rule.name === "joint" && rule.concept !== "" && rule.concept === conceptOf(settings)) ?? false;

/**
 * What there was on these images, or nothing yet.
 * @param {State} state
 * @param {Manifest} manifest
 * @param {Kept | null} kept
 * @returns {History<Prompt>}
 */
function goingOn({ manifest: before, history, recalled }, manifest, kept) {
  if (before && manifest.joins === before.session) {
    const places = before.images.map((_, image) => manifest.kept.indexOf(image));
    return places.every((place, image) => place === image) ? history : moved(history, places);
  }
  const asked = recalled && { images: recalled.images, history: undoable.start(recalled.prompt) };
  for (const last of [asked, before ? { images: before.images, history } : kept]) {
    const places = last && sameImages(last.images, manifest.images);
    if (places) return moved(last.history, places);
  }
  return undoable.start(things.begun(fitted(history.present.settings, manifest.eigvecs)));
}

/**
 * All of a history on images that have other places.
 * @param {History<Prompt>} history
 * @param {readonly number[]} places By the old index; -1 for one that is gone.
 */
const moved = (history, places) =>
  undoable.map(history, (prompt) => ({
    ...things.map(revived(prompt), (thing) => ({
      ...thing,
      ...move(thing, places),
      settings: known(thing.settings),
    })),
    skipped: moveAll(prompt.skipped ?? [], places),
  }));
