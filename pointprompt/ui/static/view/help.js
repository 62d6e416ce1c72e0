// The dialog that lists gestures and keys, and where single keys are turned off.

/**
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore } from "../state/state.js"
 */

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {Actions} actions
 */
export function createHelp(root, store, actions) {
  const dialog = /** @type {HTMLDialogElement} */ (root.querySelector(".pp-help"));
  const button = /** @type {HTMLElement} */ (root.querySelector("[data-help]"));
  const keys = /** @type {HTMLInputElement} */ (dialog.querySelector("[data-keys]"));
  const listening = new AbortController();
  const { signal } = listening;

  const open = () => dialog.open || dialog.showModal();
  button.addEventListener("click", open, { signal });
  // Its backdrop is the dialog itself, where it has no content.
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close(), { signal });
  keys.addEventListener("change", () => actions.look({ keys: keys.checked }), { signal });

  const unsubscribe = store.subscribe(
    ({ look }) => [look.keys],
    (isOn) => (keys.checked = isOn),
  );

  return {
    open,
    destroy() {
      dialog.close();
      unsubscribe();
      listening.abort();
    },
  };
}
