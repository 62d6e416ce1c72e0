// Asks before clicks and edits are dropped: those on somebody's own set for another set, and those on an
// image with the image.

import { counted } from "../state/counted.js";
import { all, countClicks } from "../state/things.js";
import { rows } from "./field.js";

/** @import { PageStore, State } from "../state/state.js" */

const STARTS = "#pp-analyze, #pp-load-dataset, #pp-examples button, .pp-recent [data-recent]";
const SAME = "#pp-analyze";
const REMOVE = "[data-stage=remove]";

/**
 * What is to be asked.
 * @typedef {{text: string, answer: string}} Question answer: what goes on.
 */

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
    const button = event.target instanceof Element ? event.target.closest(`${STARTS}, ${REMOVE}`) : null;
    if (!(button instanceof HTMLElement) || isMeant) return;
    const question = button.matches(REMOVE) ? ofImage(store.get()) : ofSet(store.get(), button);
    if (!question) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    asked = button;
    const [text, answer] = ["p", "[value=open]"].map((name) => dialog.querySelector(name));
    if (text) text.textContent = question.text;
    if (answer) answer.textContent = question.answer;
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
 * Before another set is opened.
 * @param {State} state
 * @param {HTMLElement} button
 * @returns {Question | null}
 */
function ofSet(state, button) {
  const count = clicksAtStake(state, button.matches(SAME) ? rows() : null);
  return count ? { text: askText(count), answer: "Open the new set" } : null;
}

/**
 * Before the image that is seen large is removed.
 * @param {State} state
 * @returns {Question | null}
 */
export function ofImage({ history, focus }) {
  const things = all(history.present);
  /** @param {readonly {image: number}[]} list */
  const on = (list) => list.filter(({ image }) => image === focus).length;
  const clicks = things.reduce((sum, thing) => sum + on(thing.clicks), 0);
  const strokes = things.reduce((sum, thing) => sum + on(thing.strokes), 0);
  const parts = [clicks && counted(clicks, "click"), strokes && counted(strokes, "stroke")].filter(Boolean);
  if (!parts.length) return null;
  const text = `${parts.join(" and ")} on this image would go with it. That cannot be undone.`;
  return { text, answer: "Remove the image" };
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
