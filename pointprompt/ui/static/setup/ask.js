// Asks before the clicks on somebody's own set are dropped for another set.

import { countClicks } from "../state/things.js";
import { rows } from "./field.js";

/** @import { PageStore, State } from "../state/state.js" */

const STARTS = "#pp-analyze, #pp-load-dataset, #pp-examples button, .pp-recent [data-recent]";
const SAME = "#pp-analyze";

/**
 * @param {HTMLDialogElement} dialog
 * @param {PageStore} store
 */
export function createAsk(dialog, store) {
  const listening = new AbortController();
  const { signal } = listening;
  /** @type {HTMLElement | null} What was pressed, until it is said whether it was meant. */
  let asked = null;
  let isMeant = false;

  /** @param {MouseEvent} event */
  function pressed(event) {
    const button = event.target instanceof Element ? event.target.closest(STARTS) : null;
    if (!(button instanceof HTMLElement) || isMeant) return;
    const files = button.matches(SAME) ? rows() : null;
    const count = clicksAtStake(store.get(), files);
    if (count === 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    asked = button;
    const text = /** @type {HTMLElement} */ (dialog.querySelector("p"));
    text.textContent = askText(count);
    dialog.showModal();
  }

  dialog.addEventListener(
    "close",
    () => {
      const button = asked;
      asked = null;
      if (dialog.returnValue === "open" && button) {
        isMeant = true;
        button.click();
        isMeant = false;
      }
      dialog.returnValue = "";
    },
    { signal },
  );
  // Before gradio hears of it.
  window.addEventListener("click", pressed, { capture: true, signal });
  return {
    destroy() {
      listening.abort();
      dialog.close();
    },
  };
}

/**
 * How many clicks would be gone.
 * @param {State} state
 * @param {readonly {name: string}[] | null} files The images of the new set; null where those are
 *   not known. Clicks go on on the same ones, as far as names can tell.
 */
export function clicksAtStake({ manifest, history }, files) {
  if (!manifest || manifest.example) return 0;
  return files && areNamed(files, manifest.images) ? 0 : countClicks(history.present);
}

/**
 * @param {readonly {name: string}[]} files
 * @param {readonly {name: string}[]} images
 */
function areNamed(files, images) {
  /** @param {readonly {name: string}[]} list */
  const names = (list) => list.map(({ name }) => name).sort().join("\n");
  return names(files) === names(images);
}

/** @param {number} count */
export const askText = (count) =>
  `${count === 1 ? "Your click belongs" : `Your ${count} clicks belong`} to the set that is open. ` +
  "The new set takes its place and begins without clicks.";
