// Which tiles stand: the filter, how many images pass each, the button that takes filter and order
// again, and what is said where none is left. Keeps no state itself.

import { isOutdated, passing, standing } from "../state/arrangement.js";
import { noneText } from "./words.js";

/**
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore } from "../state/state.js"
 */

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {Actions} actions
 */
export function createArranging(root, store, actions) {
  /** @param {string} selector */
  const find = (selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  const filter = /** @type {HTMLSelectElement} */ (find("[data-filter]"));
  const titles = new Map([...filter.options].map((option) => [option, option.text]));
  const again = find("[data-again]");
  const none = find(".pp-none");
  const listening = new AbortController();
  const { signal } = listening;

  filter.addEventListener("change", () => actions.filter(filter.value), { signal });
  again.addEventListener("click", () => isOutdated(store.get()) && actions.arrange(), { signal });
  none.querySelector("button")?.addEventListener(
    "click",
    () => {
      actions.filter("all");
      // The button is gone with its sentence.
      filter.focus();
    },
    { signal },
  );

  function show() {
    const state = store.get();
    const { look, answer } = state;
    filter.value = look.filter;
    for (const [option, title] of titles) {
      option.text = `${title} (${passing(state, option.value).length})`;
    }
    // Not disabled: who has just pressed it keeps the focus.
    again.setAttribute("aria-disabled", String(!isOutdated(state)));
    const isNone = Boolean(state.manifest) && standing(state).length === 0;
    none.hidden = !isNone;
    if (isNone) find(".pp-none span").textContent = noneText(look.filter, answer.masks.length > 0);
  }

  const unsubscribe = store.subscribe(
    ({ look, manifest, history, answer, arranged }) => [
      look.order,
      look.filter,
      manifest,
      history.present,
      answer.masks,
      arranged,
    ],
    show,
  );

  return {
    destroy() {
      unsubscribe();
      listening.abort();
    },
  };
}
