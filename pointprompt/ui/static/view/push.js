// Where masks are pushed to as a data set: the fields, and what they hold until the masks are ready.
// The token is in its field, then in the one message that needs it, and nowhere else.

import { MAX_HUB_CHARS } from "../contract.js";
import { canExport } from "../state/messages.js";

/**
 * @import { ExportRequest, PushRequest } from "../contract.js"
 * @import { Actions } from "../state/actions.js"
 * @import { PageStore } from "../state/state.js"
 */

/** @typedef {Omit<PushRequest, "export">} Target */

const NO_NAME = "Say where to: owner/name, or a name alone for a data set of yours.";
const NO_TOKEN = "Paste an access token of yours that may write.";

/**
 * @param {HTMLElement} root
 * @param {PageStore} store
 * @param {Actions} actions
 */
export function createPush(root, store, actions) {
  const menu = /** @type {HTMLElement} */ (root.querySelector(".pp-formats"));
  const fold = /** @type {HTMLDetailsElement} */ (menu.querySelector(".pp-push"));
  /** @param {string} name */
  const find = (name) => fold.querySelector(`[data-push=${name}]`);
  const [name, token, isPrivate] = ["name", "token", "private"].map(
    (field) => /** @type {HTMLInputElement} */ (find(field)),
  );
  const button = /** @type {HTMLButtonElement} */ (find("go"));
  const alert = /** @type {HTMLElement} */ (fold.querySelector("[role=alert]"));
  const listening = new AbortController();
  const { signal } = listening;
  /** @type {Target | null} */
  let pending = null;

  for (const field of [name, token]) field.maxLength = MAX_HUB_CHARS;

  /** @param {string} text */
  function complain(text) {
    alert.textContent = text;
    alert.hidden = text === "";
  }

  function go() {
    const [missing, said] = name.value.trim() ? [token, NO_TOKEN] : [name, NO_NAME];
    if (!missing.value.trim()) {
      complain(said);
      missing.focus();
      return;
    }
    complain("");
    pending = { name: name.value.trim(), token: token.value.trim(), private: isPrivate.checked };
    token.value = "";
    menu.hidePopover();
    // It waits as a download does, until the screen shows what it will hold.
    actions.export();
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
    // Else it presses the button that has the focus when the menu is gone.
    event.preventDefault();
    if (!button.disabled) go();
  }

  button.addEventListener("click", go, { signal });
  fold.addEventListener("keydown", pressed, { signal });
  fold.addEventListener("input", () => complain(""), { signal });
  fold.addEventListener("toggle", () => fold.scrollIntoView({ block: "nearest" }), { signal });
  // Nobody finds there what somebody else has left.
  menu.addEventListener("toggle", () => (token.value = ""), { signal });

  const unsubscribe = store.subscribe(
    ({ history, exporting }) => [history.present, exporting],
    (_, exporting) => {
      button.disabled = !canExport(store.get());
      // It came to nothing, whyever.
      if (!exporting) pending = null;
    },
  );

  return {
    /**
     * The push that waits for these masks; null where they are wanted as a download.
     * @param {ExportRequest} request
     * @returns {PushRequest | null}
     */
    take(request) {
      const target = pending;
      pending = null;
      return target && { ...target, export: request };
    },
    destroy() {
      unsubscribe();
      listening.abort();
      token.value = "";
      pending = null;
    },
  };
}
