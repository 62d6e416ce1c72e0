// How far the masks on the screen are: in words, and in data for tests and assistive tools.

import { count } from "../state/clicks.js";
import { counted } from "../state/counted.js";
import { isBlank } from "../state/edits.js";
import { missing } from "../state/missing.js";
import { isFine } from "../state/state.js";
import { foundIn } from "../state/found.js";

/** @import { PageStore, State } from "../state/state.js" */

/** @param {State} state */
function textOf(state) {
  const { late, exporting, history, manifest } = state;
  if (late) return exporting ? "The download waits for the server" : "Waiting for the server";
  const { positive, negative } = count(history.present.clicks);
  const images = manifest?.images.length ?? 0;
  if (isBlank(history.present)) return `${counted(images, "image")}. Click a thing in any.`;
  if (positive === 0 && negative > 0) return "Add a “this” click: “not this” only takes away.";
  const masked = manifest?.images.filter((_, image) => foundIn(state, image)).length;
  return `Found in ${masked} of ${images}`;
}

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 */
export function createStatus(root, store) {
  const element = /** @type {HTMLElement} */ (root.querySelector(".pp-status"));

  function show() {
    const state = store.get();
    if (!state.manifest) return;
    const { asked, answer, live } = state;
    element.textContent = textOf(state);
    // Which request the masks on the screen answer, those that this browser found, and how many
    // follow the edges; whether those of the other things are there.
    root.dataset.asked = String(asked);
    root.dataset.shown = String(answer.seq);
    root.dataset.live = String(live.seq);
    root.dataset.settled = String(missing(state) === null);
    root.dataset.edged = String(answer.edged.filter((_, image) => isFine(state, image)).length);
  }

  const unsubscribe = store.subscribe(
    ({ manifest, history, late, exporting, asked, answer, answers, live, seen, side, focusSide }) =>
      [manifest, history.present, late, exporting, asked, answer, answers, live, seen, side, focusSide],
    show,
  );
  return { destroy: unsubscribe };
}
