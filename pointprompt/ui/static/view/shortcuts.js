// Undo and redo by the keys that do so everywhere.

import { isTyping } from "./sizing.js";

/**
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore } from "../state/state.js"
 */

/**
 * @param {PageStore} store
 * @param {Actions} actions
 */
export function createShortcuts(store, actions) {
  const listening = new AbortController();

  /** @param {KeyboardEvent} event */
  function press(event) {
    if (!store.get().manifest || !(event.ctrlKey || event.metaKey) || isTyping(event.target)) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) actions.redo();
    else actions.undo();
  }

  document.addEventListener("keydown", press, { signal: listening.signal });
  return { destroy: () => listening.abort() };
}
